/**
 * The history of everything below the root, as the change stream tells it, replayed into the simulator's model; and every
 * answer to any client, held against it: a read is exactly what was there at its reply's zxid, an acknowledged write is there
 * at its own, and watch events are those that the history calls for, each once and before any reply that shows the change.
 * The stream comes later than the answers, so these wait until it has told their zxid.
 */
import { OPEN_ACL } from "../../protocol/acl.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { OperationResult, ZnodeOperation } from "../../protocol/operations.ts";
import type { Change, WatchEventType } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { Model } from "../sim/checks/model.ts";
import { checkRead, statProblem } from "../sim/checks/replies.ts";
import { sameBytes } from "../sim/checks/truth.ts";
import { Violation } from "../sim/checks/violation.ts";
import { ClientWatches, RING_UNKNOWN, type WatchKind } from "../sim/client/watches.ts";
import { NOBODY } from "../sim/client/identities.ts";
import type { ReadKind, ReplyBody } from "../sim/client/wire.ts";
import type { Stat as WideStat } from "../support/zookeeper-client/operations.ts";
import type { Violations } from "./violations.ts";

/** A write that was acknowledged: what is at the path from its zxid on. */
export type Wrote = {
  readonly path: string;
  readonly zxid: Zxid;
  /** Undefined: it was deleted. */
  readonly data: string | undefined;
  /** If the answer told it. */
  readonly stat?: Stat;
};

export type ReadReply = {
  readonly read: ReadKind;
  readonly path: string;
  readonly zxid: Zxid;
  readonly code: number;
  readonly body: ReplyBody;
};

export type TreeEntry = { readonly path: string; readonly data: string; readonly stat: Stat };

/** What the history begins with, as it was read. */
export type Root = {
  readonly path: string;
  readonly stat: Stat;
  readonly data: Uint8Array | null;
};

type Later = { readonly zxid: Zxid; readonly run: () => void };

/** The model wants sessions; who wrote what is nobody's concern here. */
const WRITER = 1 as Zxid;
const PASSWORD = new Uint8Array(16);
const TIMEOUT_MS = 0;

/** Stats over ZooKeeper's protocol are read with all 64 bits; no number here needs them. */
export function narrowStat(stat: WideStat): Stat {
  const { czxid, mzxid, ctime, mtime, ephemeralOwner, pzxid, ...rest } = stat;
  return {
    ...rest,
    ...{ czxid: narrowZxid(czxid), mzxid: narrowZxid(mzxid), pzxid: narrowZxid(pzxid) },
    ...{ ctime: Number(ctime), mtime: Number(mtime), ephemeralOwner: Number(ephemeralOwner) },
  };
}

export function narrowZxid(zxid: bigint): Zxid {
  return Number(zxid) as Zxid;
}

export class Truth {
  readonly model: Model = new Model();
  readonly #violations: Violations;
  readonly #witnesses: Witness[] = [];
  #through: Zxid;
  #compared = 0;
  #over = false;

  /** The stream tells everything after the creation of the root. */
  constructor(violations: Violations, root: Root) {
    this.#violations = violations;
    const { stat, path, data } = root;
    this.#through = stat.czxid as Zxid;
    this.#session(WRITER);
    this.#perform({ zxid: this.#through, index: 0, kind: "created", path, stat, data });
  }

  /** Everything up to this zxid was told. */
  get told(): Zxid {
    return this.#through;
  }

  /** Answers that were held against the history. */
  get compared(): number {
    return this.#compared;
  }

  /** The stream has a gap, or contradicted itself: what comes after cannot be known from it. */
  get isOver(): boolean {
    return this.#over;
  }

  witness(name: string): Witness {
    const witness = new Witness(name, this);
    this.#witnesses.push(witness);
    return witness;
  }

  change(change: Change): void {
    if (this.#over) return;
    // All of what was before is known now, so what was answered then is compared before anything new is applied.
    if (change.zxid > this.#through + 1) this.through((change.zxid - 1) as Zxid);
    this.check(() => {
      const problem = this.#perform(change);
      if (problem === undefined) return;
      this.#over = true;
      this.#found(`the stream: ${change.kind} ${change.path} at ${hex(change.zxid)}: ${problem}`);
    });
  }

  /** Everything up to the zxid was told. */
  through(zxid: Zxid): void {
    if (this.#over || zxid <= this.#through) return;
    this.#through = zxid;
    for (const witness of this.#witnesses) witness.catchUp(zxid);
  }

  /** The stream goes on after a gap. */
  compacted(): void {
    this.#over = true;
    for (const witness of this.#witnesses) witness.clear();
  }

  /** How a tree that was read after the stream's end differs from the history, in every field; nothing: not at all. */
  checkTree(name: string, entries: readonly TreeEntry[]): void {
    if (this.#over) return;
    const there = new Set<string>();
    for (const { path, data, stat } of entries) {
      there.add(path);
      const moment = this.model.at(path, this.#through);
      if (moment?.stat === undefined) {
        this.#found(`${name}: ${path} is there, and the history says that it is not`);
        continue;
      }
      const problem = statProblem(stat, moment.stat);
      if (problem !== undefined) this.#found(`${name}: ${path}: ${problem}`);
      if (!sameBytes(Buffer.from(data), moment.data ?? Buffer.alloc(0))) {
        this.#found(`${name}: ${path} is ${data}`);
      }
    }
    const [root] = entries;
    for (const path of this.model.paths) {
      if (root === undefined || !isBelow(path, root.path) || there.has(path)) continue;
      if (this.model.at(path, this.#through)?.stat === undefined) continue;
      this.#found(`${name}: ${path} is not there, and the history says that it is`);
    }
  }

  /** What the simulator's checkers throw becomes a violation. */
  check(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#found(error.message);
    }
  }

  /** An answer is looked at; used by witnesses. */
  compare(act: () => void): void {
    this.#compared += 1;
    this.check(act);
  }

  #found(text: string): void {
    this.#violations.add("history", text);
  }

  /** What is wrong with a change where the model is. */
  #perform(change: Change): string | undefined {
    const { path, stat, zxid, kind } = change;
    const { ephemeralOwner: owner } = stat;
    if (kind === "created" && owner !== 0) this.#session(owner as Zxid);
    if (kind === "deleted") {
      const last = this.model.at(path, zxid)?.stat;
      const problem = last === undefined ? "it is not there" : statProblem(stat, last);
      if (problem !== undefined) return problem;
    }
    const session = this.model.sessions.get(owner === 0 ? WRITER : owner);
    // A session from before the root can only have its znodes deleted.
    const { id, attachedAt } = session ?? { id: WRITER, attachedAt: WRITER };
    const operation = operationOf(change);
    const asked = { kind: "client", session: id as SessionId, attachedAt, operation } as const;
    const result = this.model.apply(asked, zxid, stat.mtime);
    return problemOf(result, stat);
  }

  #session(id: Zxid): void {
    if (this.model.sessions.has(id)) return;
    const opened = { kind: "createSession", password: PASSWORD, timeoutMs: TIMEOUT_MS } as const;
    this.model.apply(opened, id, 0);
  }
}

/** One client: what it was told, in the order in which it was told. */
export class Witness {
  readonly #name: string;
  readonly #truth: Truth;
  readonly #watches: ClientWatches;
  #later: Later[] = [];
  #newest = 0 as Zxid;

  constructor(name: string, truth: Truth) {
    this.#name = name;
    this.#truth = truth;
    this.#watches = new ClientWatches(name, truth.model, NOBODY);
  }

  /** Any reply but a ping's or setWatches': every event of a change up to its zxid has come. */
  replied(zxid: Zxid): void {
    this.#when(zxid, () => this.#truth.compare(() => this.#watches.covered(zxid)));
  }

  read({ read, path, zxid, code, body }: ReadReply): void {
    const header = { xid: 0, zxid, code };
    this.#when(zxid, () => {
      const { model } = this.#truth;
      const client = { name: this.#name, who: NOBODY };
      this.#truth.compare(() => checkRead(model, client, { read, path }, header, body));
    });
  }

  wrote(write: Wrote): void {
    this.#when(write.zxid, () => {
      this.#truth.compare(() => checkWrite(this.#truth.model, this.#name, write));
    });
  }

  watch(kind: WatchKind, path: string, zxid: Zxid): void {
    this.#when(zxid, () => this.#watches.add(kind, path, zxid));
  }

  event(event: { readonly type: WatchEventType; readonly path: string }, zxid: Zxid): void {
    this.#when(zxid, () => this.#truth.compare(() => this.#watches.event(event, zxid)));
  }

  disconnected(): void {
    this.#when(this.#newest, () => this.#watches.disconnected());
  }

  /** Its watches are asked for again on a new connection. */
  reset(after: Zxid): void {
    this.#when(this.#newest, () => void this.#watches.reset(after));
  }

  resetDone(zxid: Zxid): void {
    this.#when(zxid, () => this.#truth.compare(() => this.#watches.resetDone(zxid, RING_UNKNOWN)));
  }

  /** The next session has no watches. */
  forget(): void {
    this.#when(this.#newest, () => this.#watches.clear());
  }

  catchUp(through: Zxid): void {
    let done = 0;
    for (const { zxid, run } of this.#later) {
      if (zxid > through) break;
      done += 1;
      run();
    }
    if (done > 0) this.#later = this.#later.slice(done);
  }

  clear(): void {
    this.#later = [];
  }

  /** What was told later is looked at later, whatever its zxid. */
  #when(zxid: Zxid, run: () => void): void {
    if (this.#truth.isOver) return;
    this.#newest = Math.max(this.#newest, zxid) as Zxid;
    this.#later.push({ zxid, run });
  }
}

function operationOf({ kind, path, stat, data = null }: Change): ZnodeOperation {
  switch (kind) {
    case "created": {
      // The name is as the stream tells it, so its number is not drawn again.
      const mode = { ephemeral: stat.ephemeralOwner !== 0, sequential: false };
      return { kind: "create", path, data, acl: OPEN_ACL, mode };
    }
    case "deleted":
      return { kind: "delete", path, version: -1 };
    case "data":
      return { kind: "setData", path, data, version: -1 };
    case "acl":
      throw new Error(`nobody sets the ACL of ${path}`);
    default:
      return kind satisfies never;
  }
}

function problemOf(result: OperationResult, stat: Stat): string | undefined {
  if (result.kind === "error") return `it cannot be, code ${result.code}`;
  return "stat" in result ? statProblem(stat, result.stat) : undefined;
}

function checkWrite(model: Model, who: string, { path, zxid, data, stat }: Wrote): void {
  const moment = model.at(path, zxid);
  const what = `${who}: the write to ${path} at ${hex(zxid)}`;
  if (moment?.since !== zxid) {
    throw new Violation("linearizable writes", `${what} was acknowledged and did not happen then`);
  }
  const isGone = moment.stat === undefined;
  if (isGone !== (data === undefined)) {
    throw new Violation("true replies", `${what} left it ${isGone ? "deleted" : "there"}`);
  }
  if (data !== undefined && !sameBytes(Buffer.from(data), moment.data)) {
    throw new Violation("true replies", `${what} left other data than ${data}`);
  }
  if (stat === undefined || moment.stat === undefined) return;
  const problem = statProblem(stat, moment.stat);
  if (problem !== undefined) throw new Violation("true replies", `${what}: ${problem}`);
}

export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}
