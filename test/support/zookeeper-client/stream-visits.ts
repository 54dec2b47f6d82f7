/**
 * Subscribers of one path that come and go at any time and begin where somebody may have read, at servers of every age: each has a gap, or
 * ends with what is there. Without a cluster around it a run takes a millisecond, so that it comes to what the simulator meets once in
 * thousands of seeds.
 */
import fc from "fast-check";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  checkStream,
  followedZnodes,
  StreamFollower,
  playSteps,
  prepareServers,
  quiesceStream,
  type StreamSetting,
  streamSettings,
  WrongStream,
  type StreamStep,
  streamSteps,
} from "./stream-steps.ts";
import { started, type Started } from "./wire.ts";

type Visit =
  | StreamStep
  | { readonly kind: "subscribe"; readonly pick: number }
  | { readonly kind: "close"; readonly pick: number };

const pick = fc.nat(1_000);
const visits: fc.Arbitrary<readonly Visit[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: streamSteps },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("subscribe" as const), pick }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const), pick }) },
  ),
  { minLength: 20, maxLength: 150, size: "max" },
);

/** Subscribers of one path, of which each begins at a zxid that it has read at. */
class Visitors {
  readonly #of: Started;
  readonly #recursive: boolean;
  /** What was there at each zxid. */
  readonly #past: { readonly zxid: Zxid; readonly znodes: ReadonlyMap<string, string> }[] = [];
  readonly #open = new Map<StreamFollower, () => void>();
  gaps = 0;
  /** Streams have had a gap up to here, and who has read later may begin again. */
  #oldest = 0;

  constructor(of: Started, recursive: boolean) {
    this.#of = of;
    this.#recursive = recursive;
    this.remember();
  }

  remember(): void {
    const { zxid } = this.#of.ensemble;
    if (this.#past.at(-1)?.zxid === zxid) return;
    this.#past.push({ zxid, znodes: followedZnodes(this.#of, this.#recursive) });
  }

  subscribe(pick: number): void {
    const { wire } = this.#of;
    const [first] = this.#past;
    // One in eight has read elsewhere, maybe what the session has not come to.
    const isElsewhere = pick % 8 === 1;
    const read = this.#past.filter(
      (each) => isElsewhere || each === first || each.zxid <= wire.lastZxid,
    );
    const late = read.filter(({ zxid }) => zxid >= this.#oldest);
    const choice = pick % 4 === 0 || late.length === 0 ? read : late;
    const at = choice[Math.floor(pick / 4) % choice.length];
    if (at === undefined) return;
    const follower = new StreamFollower(at.zxid, this.#recursive);
    for (const [path, value] of at.znodes) follower.znodes.set(path, value);
    const close = wire.subscribe(
      { path: "/a", recursive: this.#recursive, after: at.zxid },
      {
        portion: (changes, through, taken) => follower.portion(changes, through, taken),
        ended: (end) => {
          if (end.kind !== "compacted") throw new WrongStream(end.kind);
          this.gaps += 1;
          this.#oldest = end.oldest;
          this.#open.delete(follower);
        },
      },
    );
    this.#open.set(follower, close);
  }

  close(pick: number): void {
    const [follower, close] = [...this.#open][pick % Math.max(1, this.#open.size)] ?? [];
    if (follower === undefined || close === undefined) return;
    this.#open.delete(follower);
    close();
  }

  take(): void {
    for (const follower of this.#open.keys()) follower.take();
  }

  check(): void {
    for (const follower of this.#open.keys()) checkStream(this.#of, follower, this.#recursive);
  }
}

/**
 * Returns how many gaps were told in so many runs, which the seed determines. Throws if one of them fails, with the `cause` `WrongStream` where
 * a stream has broken its promise.
 */
export async function checkVisits(
  params: fc.Parameters<[StreamSetting, readonly Visit[]]>,
): Promise<number> {
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(streamSettings, visits, async (setting, run) => {
      const { recursive } = setting;
      const of = await started(prepareServers(setting));
      of.channel.automatic = false;
      const visitors = new Visitors(of, recursive);
      for (const step of run) {
        if (step.kind === "subscribe") visitors.subscribe(step.pick);
        else if (step.kind === "close") visitors.close(step.pick);
        else playSteps(of, [step], () => visitors.take());
        visitors.remember();
      }
      quiesceStream(of, () => visitors.take());
      visitors.check();
      gaps += visitors.gaps;
    }),
    params,
  );
  return gaps;
}
