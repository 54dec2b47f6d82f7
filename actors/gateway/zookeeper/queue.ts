/**
 * The requests of one connection, from arrival to reply. Replies leave in request order. Requests are dispatched in that order
 * too: a read waits for the results of the writes before it, and a write for those of the reads before it, so that a session
 * reads its own earlier writes and never its own later ones (ZooKeeper's CommitProcessor keeps the same rule). The tree may
 * answer fewer reads than it was asked; the others are dispatched again.
 */
import { assert } from "../../../protocol/assert.ts";
import type { ClientOperation, OperationResult } from "../../../protocol/operations.ts";
import { answerBytes, type ReadResult, type WatchEvent } from "../../../protocol/reads.ts";
import type { Request } from "../../../protocol/zookeeper/requests.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import type { TreeRead, TreeReadResult } from "../../tree/messages.ts";
import { refusalCode, verdictOf } from "../admission.ts";

export type Answerable =
  | Exclude<Request, { readonly kind: "headless" }>
  | { readonly kind: "event"; readonly event: WatchEvent };

export type Entry = {
  request: Answerable;
  /** That the request takes. */
  readonly bytes: number;
  /** That its answer takes, once there is one. */
  answerBytes: number;
  readonly startedMs: number;
  answered: boolean;
  /** A write that the tree has said not to make it larger. */
  fits: boolean;
  /** Of the result, when there is one. */
  zxid: Zxid;
  result: ReadResult | OperationResult | undefined;
};

/** Entries already replied to that stay in front before the array is cut. */
const REPLIED_MAX = 1024;

export class RequestQueue {
  #entries: Entry[] = [];
  /** The oldest not replied to; the next to dispatch; none before it waits for a result. */
  #head = 0;
  #nextDispatch = 0;
  #nextAnswer = 0;
  #readsOut = 0;
  #writesOut = 0;
  #bytes = 0;
  #answerBytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Of all waiting requests. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the answers to reads that wait to be written. */
  get answerBytes(): number {
    return this.#answerBytes;
  }

  /** Whether a request waits for its dispatch. */
  get undispatched(): boolean {
    return this.#nextDispatch < this.#entries.length;
  }

  push(request: Answerable, bytes: number, startedMs: number, zxid: Zxid): void {
    const answered = request.kind !== "read" && request.kind !== "write";
    const result = undefined;
    const fits = false;
    this.#entries.push({ request, bytes, answerBytes: 0, startedMs, answered, fits, zxid, result });
    this.#bytes += bytes;
  }

  /**
   * What may go out now: a run of reads or a run of writes. Without `readable` no read goes, without `writable` no write; without
   * room it is refused, or the tree is asked with the reads before it whether it fits.
   */
  dispatch(options: {
    readonly readable: boolean;
    readonly writable: boolean;
    readonly admission: WriteAdmission;
  }): { readonly reads: readonly TreeRead[]; readonly writes: readonly ClientOperation[] } {
    const { readable, writable, admission } = options;
    const entries = this.#entries;
    const reads: TreeRead[] = [];
    const writes: ClientOperation[] = [];
    let asks = false;
    while (this.#readsOut === 0 && this.#nextDispatch < entries.length) {
      const entry = entries[this.#nextDispatch] as Entry;
      const { request } = entry;
      const verdict = request.kind === "write" ? verdictOf(request.operation, admission) : "taken";
      if (verdict === "refused") {
        refuse(entry, admission);
      } else if (request.kind === "read") {
        // A read sees the writes before it, also one of which the tree is still asked.
        if (this.#writesOut > 0 || !readable || asks) break;
        reads.push(request.read);
      } else if (request.kind === "write" && verdict === "asks" && !entry.fits) {
        if (this.#writesOut > 0) break;
        asks = true;
        reads.push({ kind: "growth", operation: request.operation });
      } else if (request.kind === "write") {
        if (reads.length > 0 || !writable) break;
        this.#writesOut += 1;
        writes.push(request.operation);
      }
      this.#nextDispatch += 1;
    }
    this.#readsOut = reads.length === 0 ? this.#readsOut : reads.length;
    return { reads, writes };
  }

  /** Results of the oldest dispatched reads. Those without one are to be dispatched again. Returns what the answers take. */
  answerReads(zxid: Zxid, results: readonly TreeReadResult[]): number {
    const bytesBefore = this.#answerBytes;
    assert(results.length <= this.#readsOut, "only reads that were asked are answered");
    const begin = this.#nextAnswer;
    let fitting = 0;
    for (const result of results) {
      if (result.kind !== "growth") this.#answer("read", zxid, result);
      else if (!this.#judge(result.grows)) fitting += 1;
    }
    const left = this.#readsOut - results.length + fitting;
    this.#readsOut = 0;
    if (left > 0) this.#dispatchAgainFrom(Math.max(begin, this.#head));
    return this.#answerBytes - bytesBefore;
  }

  /** From the first entry there that has no answer. */
  #dispatchAgainFrom(begin: number): void {
    let next = begin;
    while (this.#entries[next]?.answered === true) next += 1;
    this.#nextAnswer = next;
    this.#nextDispatch = next;
  }

  /** The tree's word on the next write that it was asked of. True when it is refused; else it is dispatched again, as it is. */
  #judge(grows: boolean): boolean {
    const entry = this.#nextUnanswered("write");
    entry.fits = !grows;
    if (grows) refuse(entry, "noGrowth");
    return grows;
  }

  /** Results of the oldest dispatched writes. */
  answerWrites(zxids: readonly Zxid[], results: readonly OperationResult[]): void {
    assert(zxids.length === results.length, "every result of a write has its zxid");
    results.forEach((result, index) => {
      this.#answer("write", zxids[index] as Zxid, result);
      this.#writesOut -= 1;
    });
  }

  #answer(kind: "read" | "write", zxid: Zxid, result: ReadResult | OperationResult): void {
    const entry = this.#nextUnanswered(kind);
    entry.answered = true;
    entry.zxid = zxid;
    entry.result = result;
    if (kind === "write") return;
    entry.answerBytes = answerBytes(result as ReadResult);
    this.#answerBytes += entry.answerBytes;
  }

  /** The oldest dispatched entry without a result that was not given out before. */
  #nextUnanswered(kind: "read" | "write"): Entry {
    let entry = this.#entries[this.#nextAnswer];
    while (this.#nextAnswer < this.#nextDispatch && entry?.answered === true) {
      this.#nextAnswer += 1;
      entry = this.#entries[this.#nextAnswer];
    }
    assert(
      entry !== undefined && this.#nextAnswer < this.#nextDispatch,
      "every result has a request that waits for it",
    );
    assert(entry.request.kind === kind, "results come in the order of their requests");
    this.#nextAnswer += 1;
    return entry;
  }

  /** The oldest entry, if its reply may leave. */
  ready(): Entry | undefined {
    const entry = this.#entries[this.#head];
    return entry !== undefined && entry.answered && this.#head < this.#nextDispatch
      ? entry
      : undefined;
  }

  /** Takes the entry that `ready` gave. */
  shift(): void {
    const entry = this.#entries[this.#head] as Entry;
    this.#bytes -= entry.bytes;
    this.#answerBytes -= entry.answerBytes;
    this.#head += 1;
    if (this.#nextAnswer < this.#head) this.#nextAnswer = this.#head;
    if (this.#head === this.#entries.length) this.#cut(this.#entries.length);
    else if (this.#head > REPLIED_MAX && this.#head * 2 > this.#entries.length)
      this.#cut(this.#head);
  }

  /** Watch events behind the replies that are ready to leave: they show what was before the events. */
  insertEvents(events: readonly WatchEvent[], nowMs: number): void {
    // All entries before the next answer have theirs: however many events wait already, they are not looked at again.
    let at = this.#nextAnswer > this.#head ? this.#nextAnswer : this.#head;
    while (at < this.#nextDispatch && this.#entries[at]?.answered === true) at += 1;
    const inserted = events.map((event): Entry => {
      const request = { kind: "event", event } as const;
      return {
        request,
        bytes: 0,
        answerBytes: 0,
        startedMs: nowMs,
        answered: true,
        fits: false,
        zxid: event.zxid,
        result: undefined,
      };
    });
    // Not as arguments of a call, of which there may not be so many.
    const behind = this.#entries.splice(at);
    for (const entry of inserted) this.#entries.push(entry);
    for (const entry of behind) this.#entries.push(entry);
    this.#nextDispatch += inserted.length;
    this.#nextAnswer = at + inserted.length;
  }

  /** Takes the pings out of their order and says how many there were. */
  takePings(): number {
    const kept: Entry[] = [];
    let pings = 0;
    let dispatched = 0;
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as Entry;
      if (entry.request.kind === "ping") {
        pings += 1;
        this.#bytes -= entry.bytes;
        continue;
      }
      if (index < this.#nextDispatch) dispatched += 1;
      kept.push(entry);
    }
    this.#entries = kept;
    this.#head = 0;
    this.#nextDispatch = dispatched;
    this.#nextAnswer = 0;
    return pings;
  }

  #cut(count: number): void {
    this.#entries = count === this.#entries.length ? [] : this.#entries.slice(count);
    this.#head -= count;
    this.#nextDispatch -= count;
    this.#nextAnswer -= count;
  }
}

function refuse(entry: Entry, admission: WriteAdmission): void {
  const { request } = entry;
  assert(request.kind === "write", "only writes are refused for want of room");
  entry.request = { kind: "refused", xid: request.xid, code: refusalCode(admission) };
  entry.answered = true;
}
