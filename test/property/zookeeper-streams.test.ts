/**
 * Change streams over ZooKeeper's protocol: whatever the order in which writes, events, answers and lost connections come, no zxid is
 * delivered twice or out of order, and whoever follows the changes ends with what the ensemble has.
 */
import fc from "fast-check";
import test from "ava";
import type { ZnodeOperation } from "../../protocol/operations.ts";
import { parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import { OpCode } from "../../protocol/zookeeper/codes.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { created, started, type Started } from "../support/zk-wire.ts";

type Setting = {
  readonly staying: boolean;
  readonly eventZxids: boolean;
  readonly recursive: boolean;
  readonly steps: readonly Step[];
};

type Step =
  | {
      readonly kind: "write";
      readonly operation: "create" | "delete" | "set" | "both";
      readonly at: number;
    }
  | { readonly kind: "handle" | "deliver" | "flush" | "take" | "pass" }
  | { readonly kind: "cut" };

const RUNS = Number(process.env["ZOOID_TEST_RUNS"] ?? 200);
const PATHS = ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/a/e/f", "/other"];

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      operation: fc.constantFrom("create" as const, "create", "delete", "set", "both"),
      at: fc.nat(PATHS.length - 1),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "handle" as const,
        "handle",
        "deliver",
        "deliver",
        "flush",
        "take",
        "pass",
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const) }) },
);

const settings: fc.Arbitrary<Setting> = fc.record({
  staying: fc.boolean(),
  eventZxids: fc.boolean(),
  recursive: fc.boolean(),
  steps: fc.array(steps, { minLength: 10, maxLength: 150, size: "max" }),
});

/** Follows a stream, and holds what it is told to what streams promise. */
class Follower {
  /** The creation and the last data of each znode. */
  readonly znodes = new Map<string, string>();
  readonly #taken: (() => void)[] = [];
  readonly #recursive: boolean;
  through: number;
  hasBegun = false;
  changes = 0;

  constructor(after: Zxid, recursive: boolean) {
    this.through = after;
    this.#recursive = recursive;
  }

  portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    let last = { zxid: this.through as number, index: Infinity };
    for (const change of changes) {
      const { zxid, index } = change;
      const isNext =
        zxid > last.zxid ? index === 0 : zxid === last.zxid && index === last.index + 1;
      if (!isNext) throw new Error(`${zxid}.${index} after ${last.zxid}.${last.index}`);
      if (zxid > through) throw new Error(`${zxid} in a portion through ${through}`);
      last = change;
      this.#apply(change);
    }
    if (through < this.through) throw new Error(`through ${through} after ${this.through}`);
    this.through = through;
    this.hasBegun = true;
    this.changes += changes.length;
    this.#taken.push(taken);
  }

  take(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }

  #apply({ kind, path, stat, data }: Change): void {
    const isThere = this.znodes.has(path);
    if (kind === "deleted") {
      if (!this.znodes.delete(path)) throw new Error(`${path} is deleted and was not there`);
      return;
    }
    if ((kind === "created") === isThere) throw new Error(`${path}: ${kind} while ${isThere}`);
    if (
      kind === "created" &&
      path !== "/a" &&
      this.#recursive &&
      !this.znodes.has(parentOf(path))
    ) {
      throw new Error(`${path} is created before its parent`);
    }
    this.znodes.set(path, `${stat.czxid} ${Buffer.from(data ?? []).toString()}`);
  }
}

let writes = 0;

/** The write that is possible there: what is missing is created, and what has children loses one of them. */
function possible(
  { znodes }: Started["ensemble"],
  { operation, at }: { readonly operation: string; readonly at: number },
): ZnodeOperation {
  const path = PATHS[at % PATHS.length] ?? "/a";
  writes += 1;
  const chain = [parentOf(parentOf(path)), parentOf(path), path];
  const missing = chain.find((each) => !znodes.has(each));
  if (missing !== undefined) return created(missing, String(writes));
  if (operation !== "delete") {
    return { kind: "setData", path, data: Buffer.from(String(writes)), version: -1 };
  }
  const below = [...znodes.keys()].filter((each) => each === path || each.startsWith(`${path}/`));
  const leaf = below.toSorted((one, other) => other.length - one.length)[0] ?? path;
  return { kind: "delete", path: leaf, version: -1 };
}

function write({ ensemble }: Started, step: Extract<Step, { kind: "write" }>): void {
  const first = possible(ensemble, step);
  if (step.operation !== "both") return void ensemble.write(first);
  const second = possible(ensemble, { operation: "delete", at: step.at + 1 });
  ensemble.write({ kind: "multi", operations: [first, second] });
}

/** What whoever follows the stream should have. */
function expected({ ensemble }: Started, recursive: boolean): ReadonlyMap<string, string> {
  const isMeant = (path: string): boolean => path === "/a" || (recursive && path.startsWith("/a/"));
  return new Map(
    [...ensemble.znodes]
      .filter(([path]) => isMeant(path))
      .map(([path, { stat, data }]) => [
        path,
        `${stat.czxid} ${Buffer.from(data ?? []).toString()}`,
      ]),
  );
}

function play(of: Started, run: readonly Step[], take: () => void): void {
  const { channel, clock } = of;
  for (const step of run) {
    if (step.kind === "write") write(of, step);
    else if (step.kind === "handle") channel.handleOne();
    else if (step.kind === "deliver") channel.deliverOne();
    else if (step.kind === "take") take();
    else if (step.kind === "flush") clock.advance(0);
    else if (step.kind === "cut") channel.cut();
    else {
      clock.advance(0);
      while (channel.handleOne() || channel.deliverOne()) clock.advance(0);
    }
  }
}

/** Everything passes, and all is taken. */
function quiesce({ channel, clock }: Started, take: () => void): void {
  for (let round = 0; round < 400; round += 1) {
    take();
    clock.advance(20);
    while (channel.handleOne() || channel.deliverOne()) clock.advance(0);
  }
}

function prepare(setting: Setting): Parameters<typeof started>[0] {
  return {
    streamCredits: 4,
    prepare: (channel, ensemble) => {
      ensemble.write({ kind: "delete", path: "/a", version: -1 });
      channel.eventZxids = setting.eventZxids;
      channel.timeoutMs = 60_000;
      if (!setting.staying) channel.unknownCodes.add(OpCode.addWatch);
    },
  };
}

function check(of: Started, follower: Follower, recursive: boolean): void {
  const [has, should] = [follower.znodes, expected(of, recursive)].map((znodes) =>
    JSON.stringify([...znodes].map((each) => each.join(" ")).toSorted()),
  );
  if (has !== should) throw new Error(`has ${has}, should have ${should}`);
}

test("whoever follows a stream from the start ends with what is there, in order and without a zxid twice", async (t) => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(settings, async (setting) => {
      const { recursive } = setting;
      const of = await started(prepare(setting));
      const follower = new Follower(of.ensemble.zxid, recursive);
      of.wire.subscribe(
        // It relies on no zxid, so nothing that it cannot be told ends it.
        { path: "/a", recursive, after: undefined },
        {
          portion: (changes, through, taken) => follower.portion(changes, through, taken),
          ended: ({ kind }) => {
            throw new Error(kind);
          },
        },
      );
      of.clock.advance(1);
      if (!follower.hasBegun) throw new Error("it has not begun");
      of.channel.automatic = false;
      play(of, setting.steps, () => follower.take());
      quiesce(of, () => follower.take());
      check(of, follower, recursive);
      changes += follower.changes;
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(changes > RUNS, `${changes}`);
});

test("whoever begins late, and reads and begins again where there is a gap, ends with what is there", async (t) => {
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(settings, fc.nat(80), async (setting, late) => {
      const { recursive } = setting;
      const of = await started(prepare(setting));
      let follower = new Follower(of.ensemble.zxid, recursive);
      const { zxid: beginning } = of.ensemble;
      const subscribe = (after: Zxid): void => {
        const own = new Follower(after, recursive);
        for (const [path, value] of after === beginning ? [] : expected(of, recursive)) {
          own.znodes.set(path, value);
        }
        follower = own;
        of.wire.subscribe(
          { path: "/a", recursive, after },
          {
            portion: (changes, through, taken) => own.portion(changes, through, taken),
            ended: ({ kind }) => {
              if (kind !== "compacted") throw new Error(kind);
              gaps += 1;
              subscribe(of.ensemble.zxid);
            },
          },
        );
      };
      play(of, setting.steps.slice(0, late), () => follower.take());
      of.channel.automatic = false;
      subscribe(beginning);
      play(of, setting.steps.slice(late), () => follower.take());
      quiesce(of, () => follower.take());
      check(of, follower, recursive);
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(gaps > 0);
});

/** Subscribers come and go at any time, and begin where somebody may have read. */
type Visit =
  | Step
  | { readonly kind: "subscribe"; readonly pick: number }
  | { readonly kind: "close"; readonly pick: number };

const pick = fc.nat(1_000);
const visits: fc.Arbitrary<readonly Visit[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: steps },
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
  readonly #open = new Map<Follower, () => void>();
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
    this.#past.push({ zxid, znodes: expected(this.#of, this.#recursive) });
  }

  subscribe(pick: number): void {
    const { wire } = this.#of;
    const [first] = this.#past;
    const read = this.#past.filter((each) => each === first || each.zxid <= wire.lastZxid);
    const late = read.filter(({ zxid }) => zxid >= this.#oldest);
    const choice = pick % 4 === 0 || late.length === 0 ? read : late;
    const at = choice[Math.floor(pick / 4) % choice.length];
    if (at === undefined) return;
    const follower = new Follower(at.zxid, this.#recursive);
    for (const [path, value] of at.znodes) follower.znodes.set(path, value);
    const close = wire.subscribe(
      { path: "/a", recursive: this.#recursive, after: at.zxid },
      {
        portion: (changes, through, taken) => follower.portion(changes, through, taken),
        ended: (end) => {
          if (end.kind !== "compacted") throw new Error(end.kind);
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
    for (const follower of this.#open.keys()) check(this.#of, follower, this.#recursive);
  }
}

test("whoever begins at a zxid at which the znodes were read has a gap, or ends with what is there", async (t) => {
  let gaps = 0;
  await fc.assert(
    fc.asyncProperty(settings, visits, async (setting, run) => {
      const { recursive } = setting;
      const of = await started(prepare(setting));
      of.channel.automatic = false;
      const visitors = new Visitors(of, recursive);
      for (const step of run) {
        if (step.kind === "subscribe") visitors.subscribe(step.pick);
        else if (step.kind === "close") visitors.close(step.pick);
        else play(of, [step], () => visitors.take());
        visitors.remember();
      }
      quiesce(of, () => visitors.take());
      visitors.check();
      gaps += visitors.gaps;
    }),
    { numRuns: 10 * RUNS, includeErrorInReport: true },
  );
  t.true(gaps > 0);
});
