/**
 * The queue holds the requests of one connection, from arrival to reply, for both protocols. Requests are dispatched in the order
 * in which they came, and a session reads its own earlier writes and never its own later ones (ZooKeeper's CommitProcessor keeps the
 * same rule). A read of one znode travels with the writes before it: the tree answers it right after the last of those is applied. So
 * reads and writes of a connection need not wait for each other. The tree has to answer such a read at once, whatever memory the answer
 * takes; so only so many travel as will probably fit.
 *
 * Every other read waits for all results before it, and what is behind it waits for its own. The tree may answer fewer of those than
 * it was asked; the others are dispatched again.
 *
 * ZooKeeper's replies leave in request order (`ready`, `shift`). A native client's carry the number of their request and leave as
 * soon as they are there (`takeAnswered`).
 */
import { assert } from "../../protocol/assert.ts";
import { ANYONE, type Who } from "../../protocol/identities.ts";
import type { ClientOperation, OperationResult } from "../../protocol/operations.ts";
import { answerBytes, type Read, type ReadResult, type ZnodeRead } from "../../protocol/reads.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { Travelling } from "../submitter/messages.ts";
import type { TreeRead, TreeReadResult } from "../tree/messages.ts";
import { refusalCode, verdictOf } from "./admission.ts";

export type Queueable =
  | { readonly kind: "read"; readonly read: Read }
  | { readonly kind: "write"; readonly operation: ClientOperation }
  /** These need no result: they count as answered from the beginning. */
  | { readonly kind: "ping" | "auth" | "sasl" | "whoAmI" | "refused" | "parting" | "event" };

export type Entry<Request extends Queueable> = {
  readonly request: Request;
  /** The client's number for the request. */
  readonly id: number;
  /** The memory that the request takes. */
  readonly bytes: number;
  readonly startedMs: number;
  /** Who the client was when it asked. Undefined for an event. */
  readonly who: Who | undefined;
  /** `fitting`: a waiting write of which the tree has said that it does not grow the tree. `refused`: for want of space. */
  state: "waiting" | "fitting" | "answered" | "refused";
  /** The memory that the answer to a read takes, once there is one. */
  answerBytes: number;
  /** The result's zxid. */
  zxid: Zxid;
  result: ReadResult | OperationResult | undefined;
};

/** What goes out at once. */
export type Run = {
  /** Who asks for all of it. */
  readonly who: Who;
  /** What is behind it was asked by who the client was later, and may go out as well. */
  readonly goesOn: boolean;
  /** These go to the tree: no write before them is under way. */
  readonly reads: readonly TreeRead[];
  /** The tree may leave the last of the reads unanswered, since nothing behind them goes out. Else it has to answer all. */
  readonly mayCut: boolean;
  readonly writes: readonly ClientOperation[];
  /** The clients' numbers for the writes. */
  readonly numbers: readonly number[];
  readonly travelling: readonly Travelling[];
};

type OpenRun = {
  who: Who | undefined;
  goesOn: boolean;
  reads: TreeRead[];
  mayCut: boolean;
  /** Whether the tree is asked about a write: a read behind that would not see it. */
  asks: boolean;
  writes: ClientOperation[];
  numbers: number[];
  travelling: { after: number; who: Who; reads: ZnodeRead[] }[];
};

export type DispatchOptions = {
  /** The memory that answers may take. With 0 no read goes. */
  readonly answerBytesMax: number;
  /** Whether writes go. */
  readonly writable: boolean;
  readonly admission: WriteAdmission;
};

/** The number of entries that were replied to that may stay in front before the array is cut. */
const REPLIED_MAX = 1024;
/** The number of reads that may be out while writes go out behind them, and the memory that an answer is expected to take at first. */
const SURE_READS_MAX = 128;
const EXPECTED_BYTES = 8 * 1024;
/** The size of the largest answer is forgotten by this part with every answer that is smaller. */
const FORGOTTEN_PART = 64;
/** Watch events are no answer to a request. */
const EVENT = { id: -1, bytes: 0, who: undefined } as const;

export class RequestQueue<Request extends Queueable> {
  #entries: (Entry<Request> | undefined)[] = [];
  /** The oldest entry that was not replied to. */
  #head = 0;
  #nextDispatch = 0;
  /** No read before `#nextRead` waits for a result, and no write before `#nextWrite`. */
  #nextRead = 0;
  #nextWrite = 0;
  /** How many reads have gone to the tree and have no result yet, and how many travel. */
  #readsOut = 0;
  #travelling = 0;
  #writesOut = 0;
  /** Nothing goes out until the tree has answered as many of the reads as it likes. */
  #isCut = false;
  /** An answer is expected to take at most this memory: about as much as the largest of late. */
  #expectedBytes = EXPECTED_BYTES;
  #refused = 0;
  #bytes = 0;
  #answerBytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** The memory that all requests in the queue take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The memory that answers to reads take while they wait to be written. */
  get answerBytes(): number {
    return this.#answerBytes;
  }

  /** How many writes were dispatched and have no result yet. */
  get writesOut(): number {
    return this.#writesOut;
  }

  /** Whether a request waits for its dispatch. */
  get undispatched(): boolean {
    return this.#nextDispatch < this.#entries.length;
  }

  push(request: Request, id: number, bytes: number, startedMs: number, who: Who = ANYONE): void {
    const needsResult = request.kind === "read" || request.kind === "write";
    const about = { id, bytes, startedMs, who };
    this.#entries.push(newEntry(request, about, needsResult ? "waiting" : "answered"));
    this.#bytes += bytes;
  }

  /** Whether something is answered that was not replied to: an event stands behind that. */
  get holdsAnswers(): boolean {
    return this.#nextRead > this.#head || this.ready() !== undefined;
  }

  /**
   * Takes what may go out now. A write for which the ensemble has no space is refused; where that depends on the tree, the tree is
   * asked with the reads before the write whether it fits. Nothing goes out behind a closeSession.
   */
  dispatch(options: DispatchOptions): Run {
    const { writable, admission } = options;
    const entries = this.#entries;
    const run = newRun();
    let ends = this.#isCut;
    while (!ends && this.#nextDispatch < entries.length) {
      const entry = entries[this.#nextDispatch] as Entry<Request>;
      const request: Queueable = entry.request;
      if (isAnswered(entry)) {
        this.#nextDispatch += 1;
        continue;
      }
      if (run.who !== entry.who) {
        run.goesOn = run.who !== undefined;
        if (run.goesOn) break;
        run.who = entry.who;
      }
      const verdict = request.kind === "write" ? verdictOf(request.operation, admission) : "taken";
      if (verdict === "refused") {
        this.#refuse(entry, admission);
      } else if (request.kind === "read") {
        if (!this.#sendRead(run, request.read, options.answerBytesMax)) break;
      } else if (request.kind === "write" && verdict === "asks" && entry.state !== "fitting") {
        if (!this.#isFirst(run)) break;
        this.#cutBehind(run, { kind: "growth", operation: request.operation });
        run.asks = true;
      } else if (request.kind === "write") {
        if (run.mayCut || !writable) break;
        this.#writesOut += 1;
        run.writes.push(request.operation);
        run.numbers.push(entry.id);
        ends = request.operation.kind === "closeSession";
      }
      this.#nextDispatch += 1;
    }
    return { ...run, who: run.who ?? ANYONE };
  }

  /** Returns whether the read may go out now. */
  #sendRead(run: OpenRun, read: Read, answerBytesMax: number): boolean {
    // A read sees the writes before it, also one that the tree is being asked about.
    if (run.asks) return false;
    const isSure = !run.mayCut && isOfOneZnode(read) && this.#expectsToHold(answerBytesMax);
    if (!isSure) {
      if (!this.#isFirst(run) || answerBytesMax <= 0) return false;
      this.#cutBehind(run, read);
    } else if (this.#writesOut > 0 || this.#travelling > 0) {
      this.#travelling += 1;
      const after = run.writes.length;
      const last = run.travelling.at(-1);
      if (last?.after === after) last.reads.push(read);
      else run.travelling.push({ after, who: run.who ?? ANYONE, reads: [read] });
    } else {
      this.#readsOut += 1;
      run.reads.push(read);
    }
    return true;
  }

  /** Whether one more answer will fit, as far as one can know, beside those that the tree has to give. */
  #expectsToHold(answerBytesMax: number): boolean {
    const count = this.#readsOut + this.#travelling + 1;
    return count <= SURE_READS_MAX && count * this.#expectedBytes <= answerBytesMax;
  }

  /** Whether nothing is out but the reads of this run. */
  #isFirst({ reads }: OpenRun): boolean {
    return this.#writesOut === 0 && this.#travelling === 0 && this.#readsOut === reads.length;
  }

  #cutBehind(run: OpenRun, read: TreeRead): void {
    this.#isCut = true;
    this.#readsOut += 1;
    run.mayCut = true;
    run.reads.push(read);
  }

  /**
   * Takes the results of the oldest dispatched reads. Those of a run that may be cut and have no result are dispatched again. A write
   * that would make the tree larger is refused if the ensemble still has no space for that. Returns the memory that the answers take.
   */
  answerReads(zxid: Zxid, results: readonly TreeReadResult[], admission: WriteAdmission): number {
    const bytesBefore = this.#answerBytes;
    assert(
      results.length <= this.#readsOut + this.#travelling,
      "only reads that were asked are answered",
    );
    const begin = this.#nextRead;
    let again = this.#isCut ? this.#readsOut - results.length : 0;
    for (const result of results) {
      if (result.kind !== "growth") this.#answer("read", zxid, result);
      else if (!this.#judge(result.grows, admission)) again += 1;
    }
    const ofTree = this.#isCut ? this.#readsOut : Math.min(this.#readsOut, results.length);
    if (!this.#isCut) this.#travelling -= results.length - ofTree;
    this.#readsOut -= ofTree;
    this.#isCut = false;
    if (again > 0) this.#dispatchAgainFrom(Math.max(begin, this.#head));
    return this.#answerBytes - bytesBefore;
  }

  /** The first entry from `begin` on that has no answer is the next to be dispatched. */
  #dispatchAgainFrom(begin: number): void {
    let next = begin;
    while (isAnswered(this.#entries[next])) next += 1;
    this.#nextRead = next;
    this.#nextWrite = next;
    this.#nextDispatch = next;
  }

  /** The tree has judged the next write that it was asked of. True when the write is refused; else it is dispatched again. */
  #judge(grows: boolean, admission: WriteAdmission): boolean {
    const entry = this.#nextUnanswered("write");
    const isRefused = grows && admission === "noGrowth";
    if (isRefused) this.#refuse(entry, admission);
    else entry.state = grows ? "waiting" : "fitting";
    return isRefused;
  }

  /** Takes the results of the oldest dispatched writes. */
  answerWrites(zxids: readonly Zxid[], results: readonly OperationResult[]): void {
    assert(zxids.length === results.length, "every result of a write has its zxid");
    results.forEach((result, index) => {
      this.#answer("write", zxids[index] as Zxid, result);
      this.#writesOut -= 1;
    });
  }

  #answer(kind: "read" | "write", zxid: Zxid, result: ReadResult | OperationResult): void {
    const entry = this.#nextUnanswered(kind);
    entry.state = "answered";
    entry.zxid = zxid;
    entry.result = result;
    if (kind === "write") return;
    entry.answerBytes = answerBytes(result as ReadResult);
    this.#answerBytes += entry.answerBytes;
    const forgotten = this.#expectedBytes - Math.ceil(this.#expectedBytes / FORGOTTEN_PART);
    this.#expectedBytes = Math.max(entry.answerBytes, forgotten);
  }

  #refuse(entry: Entry<Request>, admission: WriteAdmission): void {
    assert(entry.request.kind === "write", "only writes are refused for want of space");
    entry.state = "refused";
    entry.result = { kind: "error", code: refusalCode(admission) };
    this.#refused += 1;
  }

  /** Returns the oldest dispatched read or write that has no result yet, and moves past it. */
  #nextUnanswered(kind: "read" | "write"): Entry<Request> {
    let at = kind === "read" ? this.#nextRead : this.#nextWrite;
    let entry = this.#entries[at];
    while (at < this.#nextDispatch && (entry?.request.kind !== kind || isAnswered(entry))) {
      at += 1;
      entry = this.#entries[at];
    }
    assert(
      entry !== undefined && at < this.#nextDispatch,
      "every result has a request that waits for it",
    );
    if (kind === "read") this.#nextRead = at + 1;
    else this.#nextWrite = at + 1;
    return entry;
  }

  /** Returns the oldest entry if its reply may leave. */
  ready(): Entry<Request> | undefined {
    const entry = this.#entries[this.#head];
    return this.#head < this.#nextDispatch && isAnswered(entry) ? entry : undefined;
  }

  /** Takes the entry that `ready` gave. */
  shift(): void {
    this.#forget(this.#entries[this.#head] as Entry<Request>);
    // The slot is cut off later; what was in it need not stay so long.
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#nextRead < this.#head) this.#nextRead = this.#head;
    if (this.#nextWrite < this.#head) this.#nextWrite = this.#head;
    if (this.#head === this.#entries.length) this.#cut(this.#entries.length);
    else if (this.#head > REPLIED_MAX && this.#head * 2 > this.#entries.length)
      this.#cut(this.#head);
  }

  /** Takes all entries that have an answer, also refusals behind writes that have none yet. */
  takeAnswered(): readonly Entry<Request>[] {
    const taken: Entry<Request>[] = [];
    for (let entry = this.ready(); entry !== undefined; entry = this.ready()) {
      taken.push(entry);
      this.shift();
    }
    if (this.#refused > 0) taken.push(...this.take(({ state }) => state === "refused"));
    return taken;
  }

  /** Takes entries out of their order. */
  take(isTaken: (entry: Entry<Request>) => boolean): readonly Entry<Request>[] {
    const kept: Entry<Request>[] = [];
    const taken: Entry<Request>[] = [];
    let dispatched = 0;
    let beforeRead = 0;
    let beforeWrite = 0;
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as Entry<Request>;
      if (isTaken(entry)) {
        this.#forget(entry);
        taken.push(entry);
        continue;
      }
      if (index < this.#nextDispatch) dispatched += 1;
      if (index < this.#nextRead) beforeRead += 1;
      if (index < this.#nextWrite) beforeWrite += 1;
      kept.push(entry);
    }
    this.#entries = kept;
    this.#head = 0;
    this.#nextDispatch = dispatched;
    this.#nextRead = beforeRead;
    this.#nextWrite = beforeWrite;
    return taken;
  }

  /** Puts events behind the replies that are ready to leave, and behind answered reads: those show what was before the events. */
  insertEvents(events: readonly Request[], nowMs: number): void {
    // All entries before both have their answers: however many events wait already, they are not looked at again.
    let at = Math.max(this.#head, Math.min(this.#nextRead, this.#nextWrite));
    while (at < this.#nextDispatch && isAnswered(this.#entries[at])) at += 1;
    const isReady = at >= this.#nextRead;
    if (!isReady) at = this.#nextRead;
    // There may be more entries than a call takes arguments.
    const behind = this.#entries.splice(at);
    for (const event of events) {
      this.#entries.push(newEntry(event, { ...EVENT, startedMs: nowMs }, "answered"));
    }
    for (const entry of behind) this.#entries.push(entry);
    this.#nextDispatch += events.length;
    this.#nextRead = at + events.length;
    if (this.#nextWrite > at) this.#nextWrite += events.length;
    else if (isReady) this.#nextWrite = at + events.length;
  }

  /**
   * Puts each event before the first result of its zxid or a later one; the events are in the order of their zxids. Returns for how many
   * of them that place is known: behind a request that has no result yet it is not, and nothing leaves.
   */
  insertInOrder(
    events: readonly { readonly request: Request; readonly zxid: Zxid }[],
    nowMs: number,
  ): number {
    const before = this.#entries;
    const entries = before.slice(0, this.#head);
    let [at, placed, beforeRead, beforeWrite] = [this.#head, 0, 0, 0];
    for (const { request, zxid } of events) {
      for (; at < this.#nextDispatch && isBefore(before[at], zxid); at += 1) {
        entries.push(before[at] as Entry<Request>);
      }
      if (at >= this.#nextDispatch || !isAnswered(before[at])) break;
      entries.push(newEntry(request, { ...EVENT, startedMs: nowMs }, "answered"));
      placed += 1;
      if (this.#nextRead > at) beforeRead += 1;
      if (this.#nextWrite > at) beforeWrite += 1;
    }
    if (placed === 0) return 0;
    for (; at < before.length; at += 1) entries.push(before[at] as Entry<Request>);
    this.#entries = entries;
    this.#nextDispatch += placed;
    this.#nextRead += beforeRead;
    this.#nextWrite += beforeWrite;
    return placed;
  }

  #forget({ state, bytes, answerBytes: ofAnswer }: Entry<Request>): void {
    if (state === "refused") this.#refused -= 1;
    this.#bytes -= bytes;
    this.#answerBytes -= ofAnswer;
  }

  #cut(count: number): void {
    this.#entries = count === this.#entries.length ? [] : this.#entries.slice(count);
    this.#head -= count;
    this.#nextDispatch -= count;
    this.#nextRead -= count;
    this.#nextWrite -= count;
  }
}

function isAnswered<Request extends Queueable>(entry: Entry<Request> | undefined): boolean {
  return entry !== undefined && (entry.state === "answered" || entry.state === "refused");
}

/** Whether the entry is answered, and not with a result of this zxid or a later one. */
function isBefore<Request extends Queueable>(
  entry: Entry<Request> | undefined,
  zxid: Zxid,
): boolean {
  if (!isAnswered(entry)) return false;
  return entry?.state !== "answered" || entry.result === undefined || entry.zxid < zxid;
}

function isOfOneZnode(read: Read): read is ZnodeRead {
  return read.kind === "getData" || read.kind === "exists";
}

function newRun(): OpenRun {
  const none = { reads: [], writes: [], numbers: [], travelling: [] };
  return { who: undefined, goesOn: false, mayCut: false, asks: false, ...none };
}

function newEntry<Request extends Queueable>(
  request: Request,
  { id, bytes, startedMs, who }: Pick<Entry<Request>, "id" | "bytes" | "startedMs" | "who">,
  state: Entry<Request>["state"],
): Entry<Request> {
  return {
    request,
    id,
    bytes,
    startedMs,
    who,
    state,
    answerBytes: 0,
    zxid: ZXID_NONE,
    result: undefined,
  };
}
