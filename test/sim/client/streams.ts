/**
 * Checks change streams as their subscribers hear them: each portion is exactly what changed in the model. So nothing is missing,
 * repeated, invented or out of order, and the changes of one zxid come together.
 */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { Recursive } from "../../../protocol/changes.ts";
import { parentOf } from "../../../protocol/paths.ts";
import type { Change } from "../../../protocol/reads.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { shown, statProblem } from "../checks/replies.ts";
import { sameBytes, type Truth } from "../checks/truth.ts";
import type { ModelChange } from "../checks/model-state.ts";
import { may, NOBODY, READ, type SimWho } from "./identities.ts";
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";

/** A stream that its subscriber asks for, or that goes on in another session. */
export type StreamWish = {
  readonly stream: number;
  readonly path: string;
  readonly recursive: Recursive;
  readonly after: Zxid;
};

type Portion = { readonly through: Zxid; readonly changes: readonly Change[] };

export type StreamCounts = { changes: number; resumed: number; compacted: number; paused: number };

type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  /** Everything up to here has come. */
  after: Zxid;
  /** The index of the first change of the model after that zxid. */
  cursor: number;
  /** Its subscriber takes nothing more. What it was told was right. */
  stopped: boolean;
};

const FOLLOWED = [
  ["/", true],
  ["/k", true],
  ["/k", false],
  ["/k/0", false],
  ["/k/0", true],
  ["/q0", true],
  ["/e", true],
  ["/", "children"],
  ["/k", "children"],
  ["/q0", "children"],
] as const;

export class ClientStreams {
  readonly #who: string;
  readonly #reader: SimWho;
  readonly #truth: Truth;
  readonly #random: Random;
  readonly #counts: StreamCounts;
  readonly #streams = new Map<number, Stream>();
  /** Where streams stood once: one may go on from there again. */
  readonly #earlier: Zxid[] = [];
  #next = 1;

  /** `reader` is shown what it may read. Default: what everybody may. */
  constructor(
    who: string,
    of: { truth: Truth; random: Random; counts: StreamCounts; reader?: SimWho },
  ) {
    this.#who = who;
    this.#reader = of.reader ?? NOBODY;
    this.#truth = of.truth;
    this.#random = of.random;
    this.#counts = of.counts;
  }

  get count(): number {
    return this.#streams.size;
  }

  /** A new stream after this zxid, or after one where another stood. */
  open(seen: Zxid): StreamWish {
    const random = this.#random;
    const earlier = this.#earlier[random.below(this.#earlier.length)];
    const after = earlier !== undefined && random.chance(0.4) ? earlier : seen;
    // Streams of the same znodes share what they are sent, unless they stand at different places.
    const other = [...this.#streams.values()][random.below(this.#streams.size)];
    const alike = other !== undefined && random.chance(0.4) ? other : undefined;
    const [path, recursive] =
      alike === undefined ? random.pick(FOLLOWED) : [alike.path, alike.recursive];
    const stream: Stream = {
      number: this.#next,
      path,
      recursive,
      after,
      cursor: this.#truth.model.firstChangeAfter(after),
      stopped: false,
    };
    this.#next += 1;
    this.#streams.set(stream.number, stream);
    return wishOf(stream);
  }

  /** Those that are not over: they go on from where they stand. */
  standing(): StreamWish[] {
    this.#counts.resumed += this.#streams.size;
    return [...this.#streams.values()].map(wishOf);
  }

  /** A stream that was ended by a failure goes on from where it stood. */
  resume(number: number): StreamWish | undefined {
    const stream = this.#streams.get(number);
    if (stream === undefined) return undefined;
    this.#counts.resumed += 1;
    return wishOf(stream);
  }

  /** Its subscriber takes nothing more, and need not hear everything. */
  stops(number: number): void {
    const stream = this.#streams.get(number);
    if (stream !== undefined) stream.stopped = true;
  }

  /** Ends one of them, for another later. */
  close(): number | undefined {
    const [stream] = this.#streams.values();
    if (stream === undefined) return undefined;
    this.#streams.delete(stream.number);
    return stream.number;
  }

  changes(number: number, portion: Portion): void {
    const stream = this.#streams.get(number);
    must(stream !== undefined, "change streams", () => {
      return `${this.#who}: a portion of stream ${number}, which has ended`;
    });
    this.#take(stream, portion);
  }

  /** The ring no longer holds the next change: the stream has ended. */
  compacted(number: number, oldest: Zxid): void {
    const stream = this.#streams.get(number);
    must(stream !== undefined, "change streams", () => {
      return `${this.#who}: stream ${number}, which has ended, is compacted`;
    });
    const { after } = stream;
    must(oldest > after && oldest <= this.#truth.latest, "change streams", () => {
      return `${this.#who}: stream ${number} at ${formatZxid(after)} is told that ${formatZxid(oldest)} is the oldest`;
    });
    this.#counts.compacted += 1;
    this.#streams.delete(number);
    this.#earlier.length = 0;
  }

  /** Every change there is has come to those who take them. */
  get complete(): boolean {
    return this.hasHeard(this.#truth.latest);
  }

  hasHeard(zxid: Zxid): boolean {
    return [...this.#streams.values()].every(
      (stream) =>
        stream.stopped || this.#due(stream, zxid).every((each) => this.#mayBeLeftOut(each)),
    );
  }

  #take(stream: Stream, { through, changes }: Portion): void {
    const { after } = stream;
    must(through >= after && through <= this.#truth.latest, "change streams", () => {
      return `${this.#who}: stream ${stream.number} goes from ${formatZxid(after)} to ${formatZxid(through)}`;
    });
    const due = this.#told(this.#due(stream, through), changes);
    for (let at = 0; at < Math.max(due.length, changes.length); at += 1) {
      const problem = this.#problem(changes[at], due[at]);
      must(problem === undefined, "change streams", () => {
        return `${this.#who}: ${stream.path} from ${formatZxid(after)} to ${formatZxid(through)}: ${problem}`;
      });
    }
    stream.after = through;
    stream.cursor = this.#truth.model.firstChangeAfter(through);
    this.#counts.changes += changes.length;
    if (this.#earlier.length < 20 && this.#random.chance(0.1)) this.#earlier.push(through);
  }

  /** Those that are told, and those that have to be. */
  #told(due: readonly Due[], changes: readonly Change[]): readonly Due[] {
    const told = new Set(changes.map(({ zxid, index }) => `${zxid} ${index}`));
    return due.filter(
      (each) => told.has(`${each.zxid} ${each.index}`) || !this.#mayBeLeftOut(each),
    );
  }

  /** The znode was closed to the reader later, maybe before the change was told; so was its parent, if its name is told by that. */
  #mayBeLeftOut({ path, zxid, isShown, isListed }: Due): boolean {
    const { model } = this.#truth;
    const isOpen = isShown && !model.isClosedAfter(path, zxid, this.#reader);
    return !isOpen && !(isListed && !model.isClosedAfter(parentOf(path), zxid, this.#reader));
  }

  /** The changes that the stream is still owed, up to this zxid, each with its place among those of its zxid. */
  #due({ after, cursor, path, recursive }: Stream, through: Zxid): Due[] {
    const { changes } = this.#truth.model;
    const due: Due[] = [];
    let index = 0;
    let before: Zxid = ZXID_NONE;
    for (let at = cursor; at < changes.length; at += 1) {
      const change = changes[at];
      if (change === undefined || change.zxid > through) break;
      index = change.zxid === before ? index + 1 : 0;
      before = change.zxid;
      if (change.zxid <= after || !isFollowed(change.path, path, recursive)) continue;
      const isShown = may(change.acl ?? OPEN_ACL, READ, this.#reader);
      const isListed =
        recursive === "children" &&
        change.path !== path &&
        (change.kind === "created" || change.kind === "deleted") &&
        may(change.parentAcl ?? OPEN_ACL, READ, this.#reader);
      if (isShown || isListed) due.push({ ...change, index, isShown, isListed });
    }
    return due;
  }

  #problem(change: Change | undefined, due: Due | undefined): string | undefined {
    if (due === undefined) return `${textOf(change)} did not happen`;
    if (change === undefined) return `${textOf(due)} is missing`;
    const same =
      change.zxid === due.zxid &&
      change.index === due.index &&
      change.kind === due.kind &&
      change.path === due.path;
    if (!same) return `${textOf(change)} instead of ${textOf(due)}`;
    const { model } = this.#truth;
    // A multi may change a znode more than once; the model knows how it was before and after.
    if (model.changesAt(due.zxid) > 1) return undefined;
    const at = due.kind === "deleted" ? due.zxid - 1 : due.zxid;
    const moment = model.at(due.path, at as Zxid);
    if (moment?.stat === undefined) return `${textOf(due)}: no such znode`;
    const problem = statProblem(change.stat, moment.stat);
    if (problem !== undefined) return `${textOf(due)}: ${problem}`;
    if (due.isListed && change.data === undefined) {
      const isClosed = !due.isShown || model.isClosedAfter(due.path, due.zxid, this.#reader);
      return isClosed || due.kind === "deleted" ? undefined : `${textOf(due)} is told without data`;
    }
    if (!due.isShown) return `${textOf(due)}: the data is shown`;
    if (due.kind === "deleted" || due.kind === "acl" || sameBytes(change.data ?? null, moment.data))
      return undefined;
    return `${textOf(due)}: data ${shown(change.data ?? null)}, not ${shown(moment.data)}`;
  }
}

type Due = ModelChange & {
  readonly index: number;
  /** The reader could read the znode. */
  readonly isShown: boolean;
  /** The reader could find the name, or that it is gone, by listing the children. */
  readonly isListed: boolean;
};

function isFollowed(changed: string, path: string, recursive: Recursive): boolean {
  if (changed === path) return true;
  if (recursive === "children") return changed !== "/" && parentOf(changed) === path;
  return recursive && (path === "/" || changed.startsWith(`${path}/`));
}

function wishOf({ number: stream, path, recursive, after }: Stream): StreamWish {
  return { stream, path, recursive, after };
}

function textOf(change: Change | Due | undefined): string {
  if (change === undefined) return "nothing";
  return `${change.kind} ${change.path} at ${formatZxid(change.zxid)}.${change.index}`;
}
