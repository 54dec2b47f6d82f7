/** The requests of a client: those that wait to be sent, and those that were sent and have no answer yet. */
import { Code } from "../../protocol/codes.ts";
import type { MaybeApplied } from "../../protocol/errors.ts";
import {
  CONNECTION_REQUEST_BYTES_MAX,
  NATIVE_FRAME_BYTES_SOFT_MAX,
} from "../../protocol/limits.ts";
import type { ClientItem } from "../../protocol/native.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import type { Answer, Failure, SessionEffect } from "./messages.ts";

type Pending = {
  readonly id: number;
  readonly request: NativeRequest;
  readonly bytes: number;
  readonly deadlineMs: number;
};

export type Requests = {
  readonly timeoutMs: number;
  waiting: Pending[];
  readonly underWay: Map<number, Pending>;
  underWayBytes: number;
};

/** Where requests are settled. */
type Effects = SessionEffect[];

/** How many requests may be under way: well below what a gateway takes of one connection (CONNECTION_REQUESTS_MAX). */
const UNDER_WAY_MAX = 2048;
const UNDER_WAY_BYTES_MAX = CONNECTION_REQUEST_BYTES_MAX / 2;
/** What a request takes in a frame beside its path and data. */
const REQUEST_BYTES = 40;

export function newRequests(timeoutMs: number): Requests {
  return { timeoutMs, waiting: [], underWay: new Map(), underWayBytes: 0 };
}

export function addRequest(
  requests: Requests,
  { id, request }: { readonly id: number; readonly request: NativeRequest },
  nowMs: number,
): void {
  const deadlineMs = nowMs + requests.timeoutMs;
  const pending = { id, request, bytes: bytesOf(request), deadlineMs };
  requests.waiting.push(pending);
}

/** Whether the request has not been settled. */
export function isPending({ waiting, underWay }: Requests, id: number): boolean {
  return underWay.has(id) || waiting.some((pending) => pending.id === id);
}

/** Takes the next requests for one frame. From now on they are under way. */
export function takeRequests(requests: Requests): ClientItem[] {
  const items: ClientItem[] = [];
  let bytes = 0;
  for (const pending of requests.waiting) {
    const full = items.length > 0 && bytes + pending.bytes > NATIVE_FRAME_BYTES_SOFT_MAX;
    if (full || isFullWith(requests, pending.bytes)) break;
    bytes += pending.bytes;
    requests.underWay.set(pending.id, pending);
    requests.underWayBytes += pending.bytes;
    items.push({ kind: "request", id: pending.id, request: pending.request });
  }
  if (items.length > 0) requests.waiting = requests.waiting.slice(items.length);
  return items;
}

/** Whether the limits forbid one more request. A request is always allowed when none is under way. */
function isFullWith({ underWay, underWayBytes }: Requests, bytes: number): boolean {
  const overBytes = underWay.size > 0 && underWayBytes + bytes > UNDER_WAY_BYTES_MAX;
  return overBytes || underWay.size >= UNDER_WAY_MAX;
}

/** Settles a request with its answer. The answer to a request that has timed out is ignored. */
export function answerRequest(
  requests: Requests,
  { id, zxid, result }: Answer & { readonly id: number },
  effects: Effects,
): void {
  const pending = requests.underWay.get(id);
  if (pending === undefined) return;
  requests.underWay.delete(id);
  requests.underWayBytes -= pending.bytes;
  if (result.kind === "error" && result.code === Code.sessionMoved) {
    // The request was refused and certainly not done, so the next connection may send it again.
    requests.waiting.unshift(pending);
  } else {
    effects.push({ kind: "settle", id, outcome: { kind: "answered", answer: { zxid, result } } });
  }
}

/** Reads that were under way go back to the front of the queue, for the next connection; writes fail. */
export function loseConnection(requests: Requests, reason: string, effects: Effects): void {
  const again: Pending[] = [];
  for (const pending of requests.underWay.values()) {
    if (pending.request.kind === "read") again.push(pending);
    else fail(pending, { kind: "connectionLost", reason }, inDoubt(pending), effects);
  }
  forgetUnderWay(requests);
  requests.waiting = [...again, ...requests.waiting];
}

/** Fails requests that are out of time. Every request gets the same time, so the oldest is the first to be late. */
export function expireRequests(requests: Requests, nowMs: number, effects: Effects): void {
  const failure: Failure = { kind: "timedOut", timeoutMs: requests.timeoutMs };
  for (const [id, pending] of requests.underWay) {
    if (pending.deadlineMs > nowMs) break;
    requests.underWay.delete(id);
    requests.underWayBytes -= pending.bytes;
    fail(pending, failure, inDoubt(pending), effects);
  }
  let count = 0;
  for (const pending of requests.waiting) {
    if (pending.deadlineMs > nowMs) break;
    fail(pending, failure, "no", effects);
    count += 1;
  }
  if (count > 0) requests.waiting = requests.waiting.slice(count);
}

/** The session has ended, and with it every request. */
export function failRequests(requests: Requests, failure: Failure, effects: Effects): void {
  for (const pending of requests.underWay.values()) {
    fail(pending, failure, inDoubt(pending), effects);
  }
  for (const pending of requests.waiting) fail(pending, failure, "no", effects);
  forgetUnderWay(requests);
  requests.waiting = [];
}

function fail(
  { id }: Pending,
  failure: Failure,
  maybeApplied: MaybeApplied,
  effects: Effects,
): void {
  effects.push({ kind: "settle", id, outcome: { kind: "failed", failure, maybeApplied } });
}

function forgetUnderWay(requests: Requests): void {
  requests.underWay.clear();
  requests.underWayBytes = 0;
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
