/**
 * The queue holds the requests of one connection, from arrival to reply, for both protocols. Requests are dispatched in the order
 * in which they came: a read waits for the results of the writes before it, and a write for those of the reads before it, so that a
 * session reads its own earlier writes and never its own later ones (ZooKeeper's CommitProcessor keeps the same rule). The tree may
 * answer fewer reads than it was asked; the others are dispatched again.
 *
 * ZooKeeper's replies leave in request order (`ready`, `shift`). A native client's carry the number of their request and leave as
 * soon as they are there (`takeAnswered`).
 */
import { assert } from "../../protocol/assert.ts";
import type { ClientOperation, OperationResult } from "../../protocol/operations.ts";
import { answerBytes, type Read, type ReadResult } from "../../protocol/reads.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { TreeRead, TreeReadResult } from "../tree/messages.ts";
import { refusalCode, verdictOf } from "./admission.ts";

export type Queueable =
  | { readonly kind: "read"; readonly read: Read }
  | { readonly kind: "write"; readonly operation: ClientOperation }
  /** These need no result: they count as answered from the beginning. */
  | { readonly kind: "ping" | "auth" | "refused" | "event" };

export type Entry<Request extends Queueable> = {
  readonly request: Request;
  /** The client's number for the request. */
  readonly id: number;
  /** The memory that the request takes. */
  readonly bytes: number;
  readonly startedMs: number;
  /** `fitting`: a waiting write of which the tree has said that it does not grow the tree. `refused`: for want of space. */
  state: "waiting" | "fitting" | "answered" | "refused";
  /** The memory that the answer to a read takes, once there is one. */
  answerBytes: number;
  /** The result's zxid. */
  zxid: Zxid;
  result: ReadResult | OperationResult | undefined;
};

/** A run of reads or a run of writes goes out at once. */
export type Run = {
  readonly reads: readonly TreeRead[];
  readonly writes: readonly ClientOperation[];
};

/** The number of entries that were replied to that may stay in front before the array is cut. */
const REPLIED_MAX = 1024;
/** Watch events are no answer to a request. */
const EVENT_ID = -1;

export class RequestQueue<Request extends Queueable> {
  #entries: (Entry<Request> | undefined)[] = [];
  /** `#head` is the oldest entry that was not replied to. No entry before `#nextAnswer` waits for a result. */
  #head = 0;
  #nextDispatch = 0;
  #nextAnswer = 0;
  #readsOut = 0;
  #writesOut = 0;
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

  push(request: Request, id: number, bytes: number, startedMs: number): void {
    const needsResult = request.kind === "read" || request.kind === "write";
    const state = needsResult ? "waiting" : "answered";
    this.#entries.push(newEntry(request, id, bytes, startedMs, state));
    this.#bytes += bytes;
  }

  /**
   * Takes what may go out now. Without `readable` no read goes, without `writable` no write. A write for which the ensemble has no
   * space is refused; where that depends on the tree, the tree is asked with the reads before the write whether it fits. Nothing
   * goes out behind a closeSession.
   */
  dispatch(options: {
    readonly readable: boolean;
    readonly writable: boolean;
    readonly admission: WriteAdmission;
  }): Run {
    const { readable, writable, admission } = options;
    const entries = this.#entries;
    const reads: TreeRead[] = [];
    const writes: ClientOperation[] = [];
    let asks = false;
    let ends = false;
    while (this.#readsOut === 0 && !ends && this.#nextDispatch < entries.length) {
      const entry = entries[this.#nextDispatch] as Entry<Request>;
      const request: Queueable = entry.request;
      if (isAnswered(entry)) {
        this.#nextDispatch += 1;
        continue;
      }
      const verdict = request.kind === "write" ? verdictOf(request.operation, admission) : "taken";
      if (verdict === "refused") {
        this.#refuse(entry, admission);
      } else if (request.kind === "read") {
        // A read sees the writes before it, also one that the tree is being asked about.
        if (this.#writesOut > 0 || !readable || asks) break;
        reads.push(request.read);
      } else if (request.kind === "write" && verdict === "asks" && entry.state !== "fitting") {
        if (this.#writesOut > 0) break;
        asks = true;
        reads.push({ kind: "growth", operation: request.operation });
      } else if (request.kind === "write") {
        if (reads.length > 0 || !writable) break;
        this.#writesOut += 1;
        writes.push(request.operation);
        ends = request.operation.kind === "closeSession";
      }
      this.#nextDispatch += 1;
    }
    this.#readsOut = reads.length === 0 ? this.#readsOut : reads.length;
    return { reads, writes };
  }

  /**
   * Takes the results of the oldest dispatched reads; those without one are dispatched again. A write that would make the tree
   * larger is refused if the ensemble still has no space for that. Returns the memory that the answers take.
   */
  answerReads(zxid: Zxid, results: readonly TreeReadResult[], admission: WriteAdmission): number {
    const bytesBefore = this.#answerBytes;
    assert(results.length <= this.#readsOut, "only reads that were asked are answered");
    const begin = this.#nextAnswer;
    let again = this.#readsOut - results.length;
    for (const result of results) {
      if (result.kind !== "growth") this.#answer("read", zxid, result);
      else if (!this.#judge(result.grows, admission)) again += 1;
    }
    this.#readsOut = 0;
    if (again > 0) this.#dispatchAgainFrom(Math.max(begin, this.#head));
    return this.#answerBytes - bytesBefore;
  }

  /** The first entry from `begin` on that has no answer is the next to be dispatched. */
  #dispatchAgainFrom(begin: number): void {
    let next = begin;
    while (isAnswered(this.#entries[next])) next += 1;
    this.#nextAnswer = next;
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
  }

  #refuse(entry: Entry<Request>, admission: WriteAdmission): void {
    assert(entry.request.kind === "write", "only writes are refused for want of space");
    entry.state = "refused";
    entry.result = { kind: "error", code: refusalCode(admission) };
    this.#refused += 1;
  }

  /** Returns the oldest dispatched entry that has no result yet, and moves past it. */
  #nextUnanswered(kind: "read" | "write"): Entry<Request> {
    while (this.#nextAnswer < this.#nextDispatch && isAnswered(this.#entries[this.#nextAnswer])) {
      this.#nextAnswer += 1;
    }
    const entry = this.#entries[this.#nextAnswer];
    assert(
      entry !== undefined && this.#nextAnswer < this.#nextDispatch,
      "every result has a request that waits for it",
    );
    assert(entry.request.kind === kind, "results come in the order of their requests");
    this.#nextAnswer += 1;
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
    if (this.#nextAnswer < this.#head) this.#nextAnswer = this.#head;
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
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as Entry<Request>;
      if (isTaken(entry)) {
        this.#forget(entry);
        taken.push(entry);
        continue;
      }
      if (index < this.#nextDispatch) dispatched += 1;
      kept.push(entry);
    }
    this.#entries = kept;
    this.#head = 0;
    this.#nextDispatch = dispatched;
    this.#nextAnswer = 0;
    return taken;
  }

  /** Puts events behind the replies that are ready to leave: those show what was before the events. */
  insertEvents(events: readonly Request[], nowMs: number): void {
    // All entries before the next answer have theirs: however many events wait already, they are not looked at again.
    let at = this.#nextAnswer > this.#head ? this.#nextAnswer : this.#head;
    while (at < this.#nextDispatch && isAnswered(this.#entries[at])) at += 1;
    // There may be more entries than a call takes arguments.
    const behind = this.#entries.splice(at);
    for (const event of events) {
      this.#entries.push(newEntry(event, EVENT_ID, 0, nowMs, "answered"));
    }
    for (const entry of behind) this.#entries.push(entry);
    this.#nextDispatch += events.length;
    this.#nextAnswer = at + events.length;
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
    this.#nextAnswer -= count;
  }
}

function isAnswered<Request extends Queueable>(entry: Entry<Request> | undefined): boolean {
  return entry !== undefined && (entry.state === "answered" || entry.state === "refused");
}

function newEntry<Request extends Queueable>(
  request: Request,
  id: number,
  bytes: number,
  startedMs: number,
  state: Entry<Request>["state"],
): Entry<Request> {
  return {
    request,
    id,
    bytes,
    startedMs,
    state,
    answerBytes: 0,
    zxid: ZXID_NONE,
    result: undefined,
  };
}
