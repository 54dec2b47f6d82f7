/** Requests of native clients are taken or refused, handed on, and answered. */
import { assert, unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUEST_BYTES_MAX, CONNECTION_REQUESTS_MAX } from "../../../protocol/limits.ts";
import {
  type NativeRequest,
  type NativeResult,
  requestBytes,
} from "../../../protocol/native-packing.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { enterClosing } from "../attachment.ts";
import { nativeRefusal } from "../checks.ts";
import { dispatch } from "../lane.ts";
import { countAnswered } from "../metrics.ts";
import { end, forget, outputBytesLeft, push } from "./output.ts";
import type { Connection, Entry, Turn } from "./state.ts";

/**
 * Takes a request. A connection that has too much under way is ended, since what NATS brings cannot be left unread. When the
 * gateway as a whole holds too much, the request alone is refused, and certainly not done.
 */
export function request(
  turn: Turn,
  connection: Connection,
  id: number,
  asked: NativeRequest,
): void {
  const { state } = turn;
  const { queue } = connection;
  const code = nativeRefusal(asked, state.options);
  if (code !== undefined) return refuseRequest(turn, connection, id, code);
  const bytes = requestBytes(asked);
  // One request alone always fits.
  const tooLarge = queue.length > 0 && queue.bytes + bytes > CONNECTION_REQUEST_BYTES_MAX;
  if (tooLarge || queue.length >= CONNECTION_REQUESTS_MAX) return end(turn, connection, "limit");
  if (state.requestBytes + bytes > state.options.heldBytesMax) {
    return refuseRequest(turn, connection, id, Code.throttled);
  }
  state.metrics.received += 1;
  state.requestBytes += bytes;
  queue.push(asked, id, bytes, turn.nowMs, connection.who);
}

/** Answers a request that is not taken. */
export function refuseRequest(turn: Turn, connection: Connection, id: number, code: Code): void {
  turn.state.metrics.received += 1;
  reply(turn, connection, id, turn.state.zxid, { kind: "error", code });
}

/** Hands on the requests that may go now. Those behind a closeSession never do. */
export function pump(turn: Turn, connection: Connection): void {
  const { state } = turn;
  if (connection.phase.kind !== "attached") return;
  const writes = dispatch(turn, connection, outputBytesLeft(state, connection), true);
  if (writes.at(-1)?.kind === "closeSession") enterClosing(state.sessions, connection);
  replyAnswered(turn, connection);
}

/** Results of requests have come. The answer to a closeSession is the last. */
export function takeAnswers(turn: Turn, connection: Connection): void {
  replyAnswered(turn, connection);
  const { phase, queue } = connection;
  if (phase.kind === "closing" && queue.writesOut === 0) forget(turn, connection);
  else pump(turn, connection);
}

/** Replies carry the client's numbers, so that they leave as they come. */
function replyAnswered(turn: Turn, connection: Connection): void {
  const { state, nowMs } = turn;
  const { queue } = connection;
  const bytesBefore = queue.bytes;
  const answered = queue.takeAnswered();
  state.requestBytes -= bytesBefore - queue.bytes;
  for (const entry of answered) {
    const result = nativeResult(entry);
    countAnswered(state.metrics, nowMs - entry.startedMs);
    const zxid = entry.state === "refused" ? state.zxid : entry.zxid;
    reply(turn, connection, entry.id, zxid, result);
    if (result.kind !== "error") continue;
    if (result.code === Code.sessionMoved) return end(turn, connection, "moved");
    if (result.code === Code.sessionExpired) return end(turn, connection, "expired");
  }
}

function reply(
  turn: Turn,
  connection: Connection,
  id: number,
  zxid: Zxid,
  result: NativeResult,
): void {
  push(turn, connection, { kind: "result", id, zxid, result }, payloadBytes(result));
}

function payloadBytes(result: NativeResult): number {
  if (result.kind === "data") return result.data?.length ?? 0;
  if (result.kind !== "children" && result.kind !== "page") return 0;
  return result.children.reduce((bytes, name) => bytes + name.length + 2, 0);
}

function nativeResult({ result }: Entry): NativeResult {
  assert(result !== undefined, "what is answered has a result");
  switch (result.kind) {
    case "error":
    case "done":
    case "created":
    case "stat":
    case "data":
    case "children":
    case "page":
      return result;
    case "multi":
    case "session":
    case "acl":
    case "listed":
    case "multiRead":
    case "paths":
    case "count":
      throw new Error(`a native client cannot have asked for a result of kind ${result.kind}`);
    default:
      return unreachable(result);
  }
}
