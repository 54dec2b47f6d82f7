/**
 * Checks change streams over ZooKeeper's protocol as docs/client/zookeeper.md promises them: several changes of a znode may come as the
 * last of them, but what is told has happened, in order, nothing of before a portion's zxid comes later, and whoever applies the changes
 * ends with what is there.
 */
import type { Recursive } from "../../../../protocol/changes.ts";
import { parentOf } from "../../../../protocol/paths.ts";
import type { Change } from "../../../../protocol/reads.ts";
import type { Stat } from "../../../../protocol/stat.ts";
import { formatZxid, type Zxid } from "../../../../protocol/zxid.ts";
import { onceProblem } from "../../checks/once.ts";
import type { Truth } from "../../checks/truth.ts";
import { must } from "../../checks/violation.ts";
import type { Random } from "../../random.ts";
import type { StreamChecks } from "../user.ts";
import type { StreamCounts, StreamWish } from "../streams.ts";

export type FollowedCounts = Omit<StreamCounts, "paused">;

/** When the znode was created, and when its data was set last, as far as the stream has told. */
type Known = { readonly czxid: Zxid; readonly mzxid: Zxid };

type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  /** Everything up to here has come. */
  after: Zxid;
  /** Its user relies on that: a gap is to be told. */
  isExact: boolean;
  hasBegun: boolean;
  /** Its subscriber takes nothing more. */
  stopped: boolean;
  readonly znodes: Map<string, Known>;
  /** What was there when a stream began that is not exact: it may be gone without a word. */
  readonly unsure: Set<string>;
};

const FOLLOWED = [
  ["/k", true],
  ["/k", true],
  ["/k", false],
  ["/k/0", false],
  ["/k/0", true],
  ["/q0", true],
  ["/e", true],
  ["/c", true],
  ["/k", "children"],
  ["/q0", "children"],
] as const;
/** How often all that a stream should know is compared. */
const WHOLE_SHARE = 0.1;
const EARLIER_MAX = 20;

export class FollowedStreams implements StreamChecks {
  readonly #who: string;
  readonly #truth: Truth;
  readonly #random: Random;
  readonly #counts: FollowedCounts;
  readonly #streams = new Map<number, Stream>();
  /** Where streams stood once: one may go on from there again. */
  readonly #earlier: Zxid[] = [];
  /** A stream with a gap begins again behind it. */
  readonly #again: Pick<Stream, "path" | "recursive" | "after">[] = [];
  #next = 1;
  /** The session has had one connection only, whose events name the zxids of deletions. */
  #isCalm = true;

  constructor(who: string, of: { truth: Truth; random: Random; counts: FollowedCounts }) {
    this.#who = who;
    this.#truth = of.truth;
    this.#random = of.random;
    this.#counts = of.counts;
  }

  get count(): number {
    return this.#streams.size;
  }

  get complete(): boolean {
    return [...this.#streams.values()].every((each) => each.stopped || this.#isUpToDate(each));
  }

  /** After this zxid, after one where another stood, or where one had a gap. */
  open(seen: Zxid): StreamWish {
    const random = this.#random;
    const again = random.chance(0.7) ? this.#again.shift() : undefined;
    const earlier = this.#earlier[random.below(this.#earlier.length)];
    const [path, recursive] = random.pick(FOLLOWED);
    const isEarlier = earlier !== undefined && random.chance(0.3);
    const of = again ?? { path, recursive, after: isEarlier ? earlier : seen };
    const isExact = again !== undefined || isEarlier || random.chance(0.7);
    const stream: Stream = {
      ...{ ...of, number: this.#next, isExact },
      ...{ hasBegun: false, stopped: false },
      znodes: this.#thereAt(of, of.after),
      unsure: new Set(),
    };
    if (!isExact) for (const each of stream.znodes.keys()) stream.unsure.add(each);
    this.#next += 1;
    this.#streams.set(stream.number, stream);
    return wishOf(stream);
  }

  /** Another session begins. */
  standing(): readonly StreamWish[] {
    this.#isCalm = true;
    this.#counts.resumed += this.#streams.size;
    for (const stream of this.#streams.values()) stream.isExact = true;
    return [...this.#streams.values()].map(wishOf);
  }

  /** The connection is lost. What is deleted meanwhile is found later, maybe by a stream that another one goes on with. */
  lost(): void {
    this.#isCalm = false;
  }

  isExact(number: number): boolean {
    return this.#streams.get(number)?.isExact ?? true;
  }

  stops(number: number): void {
    const stream = this.#streams.get(number);
    if (stream !== undefined) stream.stopped = true;
  }

  close(): number | undefined {
    const [stream] = this.#streams.values();
    if (stream === undefined) return undefined;
    this.#streams.delete(stream.number);
    return stream.number;
  }

  compacted(number: number, oldest: Zxid): void {
    const stream = this.#mustBeOpen(number);
    const { path, recursive, after, isExact } = stream;
    const isRight = isExact && oldest >= after && oldest <= this.#truth.latest;
    must(isRight, "change streams", () => {
      return `${this.#who}: ${path} has a gap after ${formatZxid(after)}, up to ${formatZxid(oldest)}`;
    });
    this.#counts.compacted += 1;
    this.#streams.delete(number);
    this.#again.push({ path, recursive, after: oldest });
  }

  changes(
    number: number,
    { changes, through }: { readonly changes: readonly Change[]; readonly through: Zxid },
  ): void {
    const stream = this.#mustBeOpen(number);
    const { after } = stream;
    const where = (): string =>
      `${this.#who}: ${stream.path} from ${formatZxid(after)} to ${formatZxid(through)}`;
    const isOnward = through >= after && through <= this.#truth.latest;
    must(
      isOnward,
      "change streams",
      () => `${where()}, ${formatZxid(this.#truth.latest)} is the latest`,
    );
    let last = { zxid: after as number, index: Infinity };
    for (const change of changes) {
      const { zxid, index } = change;
      const isNext =
        zxid > last.zxid ? index === 0 : zxid === last.zxid && index === last.index + 1;
      const problem = isNext && zxid <= through ? this.#take(stream, change) : "out of order";
      must(problem === undefined, "change streams", () => {
        return `${where()}: ${change.kind} ${change.path} at ${formatZxid(zxid)}.${index}: ${problem}`;
      });
      last = change;
    }
    stream.after = through;
    stream.hasBegun = true;
    this.#counts.changes += changes.length;
    if (this.#random.chance(WHOLE_SHARE)) {
      const missing = this.#missing(stream);
      must(missing === undefined, "change streams", () => `${where()}: ${missing}`);
    }
    if (this.#earlier.length < EARLIER_MAX && this.#random.chance(0.1)) this.#earlier.push(through);
  }

  #mustBeOpen(number: number): Stream {
    const stream = this.#streams.get(number);
    must(stream !== undefined, "change streams", () => {
      return `${this.#who}: something of stream ${number}, which has ended`;
    });
    return stream;
  }

  /** Returns what is wrong with the change. */
  #take(stream: Stream, change: Change): string | undefined {
    const { kind, path, zxid, stat } = change;
    const { znodes, unsure } = stream;
    if (!isFollowed(stream, path)) return "it is of another stream";
    const known = znodes.get(path);
    const isUnsure = unsure.delete(path);
    switch (kind) {
      case "created":
        if (known !== undefined && !isUnsure) return "it is there already";
        if (zxid !== stat.czxid) return "it was created at another zxid";
        if (path !== stream.path && !znodes.has(parentOf(path))) return "its parent is not there";
        znodes.set(path, { czxid: zxid, mzxid: zxid });
        return onceProblem(this.#truth.model, path, change);
      case "data":
        if (zxid !== stat.mzxid) return "it was set at another zxid";
        if (known?.czxid !== stat.czxid) return "it is not there";
        if (known.mzxid >= zxid) return "it was told already";
        znodes.set(path, { czxid: stat.czxid, mzxid: zxid });
        return onceProblem(this.#truth.model, path, change);
      case "deleted": {
        if (known === undefined) return "it is not there";
        const child = [...znodes.keys()].find((each) => each !== path && parentOf(each) === path);
        if (child !== undefined && !unsure.has(child)) return `${child} is there`;
        znodes.delete(path);
        return this.#deletionProblem(stream, path, known, change);
      }
      default:
        return "there is no watch for it";
    }
  }

  /** It is said at the zxid at which it happened, or at the latest at which it can have happened: never before, and never too late. */
  #deletionProblem(
    { after }: Stream,
    path: string,
    { czxid }: Known,
    { zxid, stat }: Change,
  ): string | undefined {
    const { model } = this.#truth;
    if (stat.czxid !== czxid) return "another one was there";
    if (model.at(path, zxid)?.stat?.czxid === czxid) return "it is still there";
    const from = model.firstChangeAfter(czxid);
    const end = model.changes.find(
      (each, index) => index >= from && each.path === path && each.kind === "deleted",
    );
    if (end === undefined || end.zxid <= after) return "it was deleted before";
    if (this.#isCalm && end.zxid !== zxid) return `it was deleted at ${formatZxid(end.zxid)}`;
    return statOnce(this.#truth, path, stat);
  }

  /** What was there at the zxid through which the stream is complete, is there still, and was not told. */
  #missing({ path, recursive, znodes, after, unsure }: Stream): string | undefined {
    const { model, latest } = this.#truth;
    for (const [each, { czxid, mzxid }] of this.#thereAt({ path, recursive }, after)) {
      const now = model.at(each, latest)?.stat;
      if (now?.czxid !== czxid || now.mzxid !== mzxid) continue;
      const known = znodes.get(each);
      if (known?.czxid !== czxid || known.mzxid !== mzxid) return `${each} is not as it is there`;
    }
    for (const [each, { czxid }] of znodes) {
      const isThere = model.at(each, after)?.stat?.czxid === czxid;
      if (!isThere && !unsure.has(each)) return `${each} is not there any more`;
    }
    return undefined;
  }

  #isUpToDate({ path, recursive, znodes, unsure, hasBegun }: Stream): boolean {
    const { latest } = this.#truth;
    const there = this.#thereAt({ path, recursive }, latest);
    const isThere = [...there].every(([each, { czxid, mzxid }]) => {
      const known = znodes.get(each);
      return known?.czxid === czxid && known.mzxid === mzxid;
    });
    return (
      hasBegun && isThere && [...znodes.keys()].every((each) => there.has(each) || unsure.has(each))
    );
  }

  #thereAt(stream: Pick<Stream, "path" | "recursive">, zxid: Zxid): Map<string, Known> {
    const there = new Map<string, Known>();
    const { model } = this.#truth;
    for (const path of model.paths) {
      const stat = isFollowed(stream, path) ? model.at(path, zxid)?.stat : undefined;
      if (stat !== undefined) there.set(path, { czxid: stat.czxid, mzxid: stat.mzxid });
    }
    return there;
  }
}

function statOnce(truth: Truth, path: string, stat: Stat): string | undefined {
  return onceProblem(truth.model, path, { stat, data: undefined });
}

/** A stream of children is one of the whole subtree here. */
function isFollowed(
  { path, recursive }: Pick<Stream, "path" | "recursive">,
  changed: string,
): boolean {
  return changed === path || (recursive !== false && changed.startsWith(`${path}/`));
}

function wishOf({ number: stream, path, recursive, after }: Stream): StreamWish {
  return { stream, path, recursive, after };
}
