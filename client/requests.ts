/** The requests of a client: those that wait to be sent, and those that were sent and have no answer yet. */
import { Code } from "../protocol/codes.ts";
import {
  type ConnectionLossError,
  type MaybeApplied,
  OperationTimeoutError,
  type ZooidError,
} from "../protocol/errors.ts";
import { CONNECTION_REQUEST_BYTES_MAX, NATIVE_FRAME_BYTES_SOFT_MAX } from "../protocol/limits.ts";
import type { ClientItem } from "../protocol/native.ts";
import type { NativeRequest, NativeResult } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";

type Answer = { readonly zxid: Zxid; readonly result: NativeResult };

type Pending = {
  readonly id: number;
  readonly request: NativeRequest;
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ZooidError) => void;
};

/** How many requests may be under way: well below what a gateway takes of one connection (CONNECTION_REQUESTS_MAX). */
const UNDER_WAY_MAX = 2048;
const UNDER_WAY_BYTES_MAX = CONNECTION_REQUEST_BYTES_MAX / 2;
/** What a request takes in a frame beside its path and data. */
const REQUEST_BYTES = 40;

export class Requests {
  readonly #timeoutMs: number;
  #waiting: Pending[] = [];
  readonly #underWay = new Map<number, Pending>();
  #underWayBytes = 0;
  #nextId = 1;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  add(request: NativeRequest, nowMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId;
      this.#nextId += 1;
      const deadlineMs = nowMs + this.#timeoutMs;
      const bytes = bytesOf(request);
      this.#waiting.push({ id, request, bytes, deadlineMs, resolve, reject });
    });
  }

  /** Takes the next requests for one frame. From now on they are under way. */
  take(): ClientItem[] {
    const items: ClientItem[] = [];
    let bytes = 0;
    for (const pending of this.#waiting) {
      const full = items.length > 0 && bytes + pending.bytes > NATIVE_FRAME_BYTES_SOFT_MAX;
      if (full || this.#isFullWith(pending.bytes)) break;
      bytes += pending.bytes;
      this.#underWay.set(pending.id, pending);
      this.#underWayBytes += pending.bytes;
      items.push({ kind: "request", id: pending.id, request: pending.request });
    }
    this.#waiting = this.#waiting.slice(items.length);
    return items;
  }

  /** Whether the limits forbid one more request. A request is always allowed when none is under way. */
  #isFullWith(bytes: number): boolean {
    const { size } = this.#underWay;
    const overBytes = size > 0 && this.#underWayBytes + bytes > UNDER_WAY_BYTES_MAX;
    return overBytes || size >= UNDER_WAY_MAX;
  }

  /** Settles a request with its answer. The answer to a request that has timed out is ignored. */
  answer(id: number, answer: Answer): void {
    const pending = this.#underWay.get(id);
    if (pending === undefined) return;
    this.#underWay.delete(id);
    this.#underWayBytes -= pending.bytes;
    const { result } = answer;
    if (result.kind === "error" && result.code === Code.sessionMoved) {
      // The request was refused and certainly not done, so the next connection may send it again.
      this.#waiting.unshift(pending);
    } else {
      pending.resolve(answer);
    }
  }

  /** Reads that were under way go back to the front of the queue, for the next connection; writes are rejected. */
  connectionLost(error: ConnectionLossError): void {
    const again: Pending[] = [];
    for (const pending of this.#underWay.values()) {
      if (pending.request.kind === "read") again.push(pending);
      else pending.reject(error);
    }
    this.#forgetUnderWay();
    this.#waiting = [...again, ...this.#waiting];
  }

  /** Rejects requests that are out of time. Every request gets the same time, so the oldest is the first to be late. */
  expire(nowMs: number): void {
    for (const [id, pending] of this.#underWay) {
      if (pending.deadlineMs > nowMs) break;
      this.#underWay.delete(id);
      this.#underWayBytes -= pending.bytes;
      const maybeApplied = inDoubt(pending);
      pending.reject(new OperationTimeoutError(this.#timeoutMs, { maybeApplied }));
    }
    let count = 0;
    for (const pending of this.#waiting) {
      if (pending.deadlineMs > nowMs) break;
      pending.reject(new OperationTimeoutError(this.#timeoutMs));
      count += 1;
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
  }

  /** Rejects every request, with an error that says whether the request may have been done. */
  reject(makeError: (maybeApplied: MaybeApplied) => ZooidError): void {
    const [underWay, waiting] = [[...this.#underWay.values()], this.#waiting];
    this.#forgetUnderWay();
    this.#waiting = [];
    for (const pending of underWay) pending.reject(makeError(inDoubt(pending)));
    for (const pending of waiting) pending.reject(makeError("no"));
  }

  #forgetUnderWay(): void {
    this.#underWay.clear();
    this.#underWayBytes = 0;
  }
}

/** Whether a request that was sent and ends without an answer may have been done. */
function inDoubt({ request }: Pending): MaybeApplied {
  return request.kind === "write" ? "unknown" : "no";
}

/** About how many bytes the request takes in a frame. A UTF-16 unit of a path takes at most three bytes of UTF-8. */
export function bytesOf(request: NativeRequest): number {
  const asked = request.kind === "read" ? request.read : request.operation;
  const path = "path" in asked ? asked.path.length * 3 : 0;
  const data = "data" in asked ? (asked.data?.length ?? 0) : 0;
  return REQUEST_BYTES + path + data;
}
