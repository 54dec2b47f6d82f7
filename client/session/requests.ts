/** The requests of a client: those that wait to be sent, and those that were sent and have no answer yet. */
import { Code } from "../../protocol/codes.ts";
import type { MaybeApplied } from "../../protocol/errors.ts";
import {
  CONNECTION_REQUEST_BYTES_MAX,
  NATIVE_FRAME_BYTES_SOFT_MAX,
} from "../../protocol/limits.ts";
import type { ClientItem } from "../../protocol/native.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import { frameBytes, requestBytes } from "../../protocol/native-size.ts";
import type { Answer, Failure, SessionEffect, SessionMessage } from "./messages.ts";

export { frameBytes as bytesOf } from "../../protocol/native-size.ts";

type Pending = {
  readonly id: number;
  readonly request: NativeRequest;
  /** What it takes in a frame, and in the memory of a gateway. */
  readonly bytes: number;
  readonly heldBytes: number;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  /** It was sent on this connection or an earlier one. */
  sent: boolean;
  /** Its caller waits no longer. What was sent is counted until its gateway answers it, or its connection is lost. */
  settled: boolean;
};

export type Requests = {
  /** The time of a request that has none of its own. */
  readonly timeoutMs: number;
  waiting: Pending[];
  readonly underWay: Map<number, Pending>;
  underWayBytes: number;
  /** No request is late before this time. */
  lateFromMs: number;
  /** The number of the last request that was added. */
  last: number;
  /** On this connection it was said that answers are waited for to none up to this number. */
  saidAnswered: number;
};

/** Where requests are settled. */
type Effects = SessionEffect[];

/** How many requests may be under way: well below what a gateway takes of one connection (CONNECTION_REQUESTS_MAX). */
const UNDER_WAY_MAX = 2048;
const UNDER_WAY_BYTES_MAX = (CONNECTION_REQUEST_BYTES_MAX / 4) * 3;

export function newRequests(timeoutMs: number): Requests {
  return {
    timeoutMs,
    waiting: [],
    underWay: new Map(),
    underWayBytes: 0,
    lateFromMs: Infinity,
    last: 0,
    saidAnswered: 0,
  };
}

export function addRequest(
  requests: Requests,
  {
    id,
    request,
    timeoutMs = requests.timeoutMs,
  }: Pick<Extract<SessionMessage, { kind: "request" }>, "id" | "request" | "timeoutMs">,
  nowMs: number,
): void {
  const deadlineMs = nowMs + timeoutMs;
  const [bytes, heldBytes] = [frameBytes(request), requestBytes(request)];
  const about = { id, request, bytes, heldBytes, timeoutMs, deadlineMs };
  requests.waiting.push({ ...about, sent: false, settled: false });
  requests.last = id;
  requests.lateFromMs = Math.min(requests.lateFromMs, deadlineMs);
}

/** Whether the request has not been settled. */
export function isPending({ waiting, underWay }: Requests, id: number): boolean {
  const pending = underWay.get(id) ?? waiting.find((each) => each.id === id);
  return pending !== undefined && !pending.settled;
}

/** Takes the next requests for one frame. From now on they are under way. */
export function takeRequests(requests: Requests): ClientItem[] {
  const items: ClientItem[] = [];
  let bytes = 0;
  for (const pending of requests.waiting) {
    const full = items.length > 0 && bytes + pending.bytes > NATIVE_FRAME_BYTES_SOFT_MAX;
    if (full || isFullWith(requests, pending.heldBytes)) break;
    bytes += pending.bytes;
    pending.sent = true;
    requests.underWay.set(pending.id, pending);
    requests.underWayBytes += pending.heldBytes;
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

/** Settles a request with its answer. The answer to a request that has timed out or was cancelled is ignored. */
export function answerRequest(
  requests: Requests,
  { id, zxid, result }: Answer & { readonly id: number },
  effects: Effects,
): void {
  const pending = requests.underWay.get(id);
  if (pending === undefined) return;
  // The session is attached elsewhere: the gateway ends this connection, and the request goes with all others to the next.
  if (result.kind === "error" && result.code === Code.sessionMoved) return;
  requests.underWay.delete(id);
  requests.underWayBytes -= pending.heldBytes;
  if (pending.settled) return;
  pending.settled = true;
  effects.push({ kind: "settle", id, outcome: { kind: "answered", answer: { zxid, result } } });
}

/**
 * What was under way goes back to the front of the queue, for the next connection, in its order. A write that was done is not done again:
 * it has its number still, and is answered with what it came to. The end of the session alone is not asked for again.
 */
export function loseConnection(requests: Requests): void {
  const again = [...requests.underWay.values()].filter(
    ({ settled, request }) => !settled && !endsSession(request),
  );
  forgetUnderWay(requests);
  requests.waiting = [...again, ...requests.waiting];
  requests.saidAnswered = 0;
}

function endsSession(request: NativeRequest): boolean {
  return request.kind === "write" && request.operation.kind === "closeSession";
}

/**
 * Says that no answers are waited for up to the number before the oldest request that has none, if that was not said. Requests that wait
 * are behind all that are under way.
 */
export function takeAnswered(requests: Requests): ClientItem[] {
  const { underWay, waiting, last } = requests;
  let oldest = waiting[0]?.id ?? last + 1;
  for (const { id, settled } of underWay.values()) {
    if (settled) continue;
    oldest = id;
    break;
  }
  if (oldest - 1 <= requests.saidAnswered) return [];
  requests.saidAnswered = oldest - 1;
  return [{ kind: "answered", number: oldest - 1 }];
}

/** Fails requests that are out of time. */
export function expireRequests(requests: Requests, nowMs: number, effects: Effects): void {
  if (nowMs < requests.lateFromMs) return;
  let lateFromMs = Infinity;
  for (const pending of requests.underWay.values()) {
    if (pending.settled) continue;
    if (pending.deadlineMs > nowMs) lateFromMs = Math.min(lateFromMs, pending.deadlineMs);
    else fail(pending, lateness(pending), inDoubt(pending), effects);
  }
  const kept: Pending[] = [];
  for (const pending of requests.waiting) {
    if (pending.deadlineMs > nowMs) {
      lateFromMs = Math.min(lateFromMs, pending.deadlineMs);
      kept.push(pending);
    } else fail(pending, lateness(pending), inDoubt(pending), effects);
  }
  if (kept.length < requests.waiting.length) requests.waiting = kept;
  requests.lateFromMs = lateFromMs;
}

/** Its caller waits no longer for the request. One that was not sent is not done. */
export function cancelRequest(requests: Requests, id: number, effects: Effects): void {
  const failure: Failure = { kind: "cancelled" };
  const sent = requests.underWay.get(id);
  if (sent !== undefined) {
    if (!sent.settled) fail(sent, failure, inDoubt(sent), effects);
    return;
  }
  const at = requests.waiting.findIndex((pending) => pending.id === id);
  const [waiting] = at < 0 ? [] : requests.waiting.splice(at, 1);
  if (waiting !== undefined) fail(waiting, failure, inDoubt(waiting), effects);
}

/** The session has ended, and with it every request. */
export function failRequests(requests: Requests, failure: Failure, effects: Effects): void {
  for (const pending of requests.underWay.values()) {
    if (!pending.settled) fail(pending, failure, inDoubt(pending), effects);
  }
  for (const pending of requests.waiting) fail(pending, failure, inDoubt(pending), effects);
  forgetUnderWay(requests);
  requests.waiting = [];
}

function fail(
  pending: Pending,
  failure: Failure,
  maybeApplied: MaybeApplied,
  effects: Effects,
): void {
  const { id } = pending;
  pending.settled = true;
  effects.push({ kind: "settle", id, outcome: { kind: "failed", failure, maybeApplied } });
}

function lateness({ timeoutMs }: Pending): Failure {
  return { kind: "timedOut", timeoutMs };
}

function forgetUnderWay(requests: Requests): void {
  requests.underWay.clear();
  requests.underWayBytes = 0;
}

/** Whether a request that ends without an answer may have been done: only a write that was sent, on whatever connection. */
function inDoubt({ request, sent }: Pending): MaybeApplied {
  return sent && request.kind === "write" ? "unknown" : "no";
}
