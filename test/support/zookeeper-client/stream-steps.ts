/** What may happen around a change stream over ZooKeeper's protocol, at servers of every age, and what a subscriber holds it to. */
import fc from "fast-check";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import { parentOf } from "../../../protocol/paths.ts";
import type { Change } from "../../../protocol/reads.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { created, type started, type Started } from "./wire.ts";

export type StreamSetting = {
  readonly staying: boolean;
  readonly eventZxids: boolean;
  readonly recursive: boolean;
  readonly steps: readonly StreamStep[];
};

export type StreamStep =
  | {
      readonly kind: "write";
      readonly operation: "create" | "delete" | "set" | "both";
      readonly at: number;
    }
  | { readonly kind: "handle" | "deliver" | "flush" | "take" | "pass" | "wait" }
  | { readonly kind: "cut" };

/** A client that has lost its connection dials within this time. */
const RECONNECT_MS = 300;
const PATHS = ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/a/e/f", "/other"];

export const streamSteps: fc.Arbitrary<StreamStep> = fc.oneof(
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
        "wait",
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const) }) },
);

export const streamSettings: fc.Arbitrary<StreamSetting> = fc.record({
  staying: fc.boolean(),
  eventZxids: fc.boolean(),
  recursive: fc.boolean(),
  steps: fc.array(streamSteps, { minLength: 10, maxLength: 150, size: "max" }),
});

/** What a stream has said breaks what streams promise. Whatever else fails is a fault of the test, or of the client's code. */
export class WrongStream extends Error {
  override readonly name = "WrongStream";
}

/** Follows a stream, and holds what it is told to what streams promise. */
export class StreamFollower {
  /** The creation and the last data of each znode. */
  readonly znodes: Map<string, string> = new Map();
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
      if (!isNext) throw new WrongStream(`${zxid}.${index} after ${last.zxid}.${last.index}`);
      if (zxid > through) throw new WrongStream(`${zxid} in a portion through ${through}`);
      last = change;
      this.#apply(change);
    }
    if (through < this.through) throw new WrongStream(`through ${through} after ${this.through}`);
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
      if (!this.znodes.delete(path)) throw new WrongStream(`${path} is deleted and was not there`);
      return;
    }
    if ((kind === "created") === isThere)
      throw new WrongStream(`${path}: ${kind} while ${isThere}`);
    if (
      kind === "created" &&
      path !== "/a" &&
      this.#recursive &&
      !this.znodes.has(parentOf(path))
    ) {
      throw new WrongStream(`${path} is created before its parent`);
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

function write({ ensemble }: Started, step: Extract<StreamStep, { kind: "write" }>): void {
  const first = possible(ensemble, step);
  if (step.operation !== "both") return void ensemble.write(first);
  const second = possible(ensemble, { operation: "delete", at: step.at + 1 });
  ensemble.write({ kind: "multi", operations: [first, second] });
}

/** What whoever follows the stream should have. */
export function followedZnodes(
  { ensemble }: Started,
  recursive: boolean,
): ReadonlyMap<string, string> {
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

export function playSteps(of: Started, run: readonly StreamStep[], take: () => void): void {
  const { channel, clock } = of;
  for (const step of run) {
    if (step.kind === "write") write(of, step);
    else if (step.kind === "handle") channel.handleOne();
    else if (step.kind === "deliver") channel.deliverOne();
    else if (step.kind === "take") take();
    else if (step.kind === "flush") clock.advance(0);
    else if (step.kind === "wait") clock.advance(RECONNECT_MS);
    else if (step.kind === "cut") channel.cut();
    else {
      clock.advance(0);
      while (channel.handleOne() || channel.deliverOne()) clock.advance(0);
    }
  }
}

/** Everything passes, and all is taken. */
export function quiesceStream({ channel, clock }: Started, take: () => void): void {
  for (let round = 0; round < 400; round += 1) {
    take();
    clock.advance(50);
    while (channel.handleOne() || channel.deliverOne()) clock.advance(0);
  }
}

export function prepareServers(setting: StreamSetting): Parameters<typeof started>[0] {
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

export function checkStream(of: Started, follower: StreamFollower, recursive: boolean): void {
  const [has, should] = [follower.znodes, followedZnodes(of, recursive)].map((znodes) =>
    JSON.stringify([...znodes].map((each) => each.join(" ")).toSorted()),
  );
  if (has !== should) throw new WrongStream(`has ${has}, should have ${should}`);
}
