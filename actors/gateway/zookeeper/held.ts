/**
 * The gateway holds memory for its connections: requests until they are answered, answers until they are written, and what is
 * written until the client takes it. A connection at a limit is not read and none of its reads is begun, so that a client that does
 * not take its answers costs a bounded amount; the connection goes on when the client has taken some.
 */
import {
  CONNECTION_ANSWER_BYTES_SOFT_MAX,
  CONNECTION_REQUEST_BYTES_MAX,
  CONNECTION_REQUESTS_MAX,
  CONNECTION_UNSENT_BYTES_SOFT_MAX,
} from "../../../protocol/limits.ts";
import type { Connection, State, Turn } from "./state.ts";

/** The runtime sends `drained` only after more than this was written; see `ConnectionMessage`. */
const DRAINED_BYTES_MIN = 256 * 1024;

/** Says whether the gateway may hold more for a connection that already has something waiting. */
function mayHoldMore({ heldBytes, options }: State): boolean {
  return heldBytes < options.heldBytesMax;
}

/** Says whether the connection's next frame may be taken in. */
export function mayRead(state: State, connection: Connection): boolean {
  const { phase, queue, unsentBytes } = connection;
  return (
    phase.kind === "attached" &&
    queue.length < CONNECTION_REQUESTS_MAX &&
    queue.bytes < CONNECTION_REQUEST_BYTES_MAX &&
    unsentBytes < CONNECTION_UNSENT_BYTES_SOFT_MAX &&
    (queue.length === 0 || (mayHoldMore(state) && mayTakeMore(state, connection)))
  );
}

/** Says whether there are fewer requests waiting than all connections together may have. Source: globalOutstandingLimit. */
function mayTakeMore(
  { requests, options }: State,
  { queue, countedRequests }: Connection,
): boolean {
  return requests - countedRequests + queue.length < options.requestsMax;
}

/** Counts the connection's requests among those of all, unless they wait for its own client to take answers: it must not hold others up. */
export function countRequests(state: State, connection: Connection): void {
  const { queue, unsentBytes } = connection;
  const count = unsentBytes < CONNECTION_UNSENT_BYTES_SOFT_MAX ? queue.length : 0;
  state.requests += count - connection.countedRequests;
  connection.countedRequests = count;
}

/** Returns how many bytes of answers the connection's next reads may make; one answer may be larger. With 0 no read is begun. */
export function answerBytesLeft(state: State, { queue, unsentBytes }: Connection): number {
  const left = CONNECTION_ANSWER_BYTES_SOFT_MAX - queue.answerBytes;
  if (left <= 0) return 0;
  if (mayHoldMore(state)) return left;
  // A client that takes its answers gets one at a time.
  return queue.answerBytes === 0 && unsentBytes <= DRAINED_BYTES_MIN ? 1 : 0;
}

/** Calls what changes the bytes in the connection's queue, and counts them. */
export function countHeld<Result>(
  state: State,
  { queue }: Connection,
  change: () => Result,
): Result {
  const before = queue.bytes + queue.answerBytes;
  const result = change();
  state.heldBytes += queue.bytes + queue.answerBytes - before;
  return result;
}

/** `bytes` are written and not known to be taken. They do not count while they are too few for a `drained` to come. */
export function setUnsent(state: State, connection: Connection, bytes: number): void {
  state.heldBytes += countedUnsent(bytes) - countedUnsent(connection.unsentBytes);
  connection.unsentBytes = bytes;
}

function countedUnsent(bytes: number): number {
  return bytes > DRAINED_BYTES_MIN ? bytes : 0;
}

/** The connection is closed: nothing waits for it any more. */
export function forgetHeld(state: State, connection: Connection): void {
  const { queue } = connection;
  setUnsent(state, connection, 0);
  state.heldBytes -= queue.bytes + queue.answerBytes;
  state.requests -= connection.countedRequests;
  connection.countedRequests = 0;
  state.throttled.delete(connection);
}

/** Stops reading a client at its limits and goes on well below them, so that it does not flap. */
export function updateReading({ state, effects }: Turn, connection: Connection): void {
  const { queue, number } = connection;
  const reads = mayRead(state, connection) || connection.phase.kind === "closing";
  if (!reads && !connection.paused) {
    connection.paused = true;
    effects.push({ kind: "pauseReading", connection: number });
  } else if (
    reads &&
    connection.paused &&
    queue.length <= CONNECTION_REQUESTS_MAX / 2 &&
    queue.bytes <= CONNECTION_REQUEST_BYTES_MAX / 2
  ) {
    connection.paused = false;
    effects.push({ kind: "resumeReading", connection: number });
  }
}

/** Remembers that the connection waits because the gateway holds too much for all, or too many requests. */
export function throttle(state: State, connection: Connection): void {
  if (mayHoldMore(state) && mayTakeMore(state, connection)) return;
  if (connection.paused || connection.queue.undispatched) state.throttled.add(connection);
}

/** Returns the connections that waited because the gateway held too much, once it holds half of that. */
export function takeUnthrottled(state: State): readonly Connection[] {
  const { heldBytes, requests, options } = state;
  if (state.throttled.size === 0 || heldBytes > options.heldBytesMax / 2) return [];
  if (requests > options.requestsMax / 2) return [];
  const released = [...state.throttled];
  state.throttled.clear();
  return released;
}
