/**
 * A connection's requests. Writes go to the submitter at once and may be many under way; a read goes to the tree when none
 * of the connection's own earlier writes is, and what comes behind a waiting read waits with it. So each request sees
 * exactly what the connection did before it.
 */
import { unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  CONNECTION_REQUEST_BYTES_MAX,
  CONNECTION_REQUESTS_MAX,
  GATEWAY_HELD_BYTES_MAX,
} from "../../../protocol/limits.ts";
import {
  type NativeRequest,
  type NativeResult,
  requestBytes,
} from "../../../protocol/native-packing.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { Read, ReadResult } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Written } from "../../submitter/messages.ts";
import type { TreeReply } from "../../tree/messages.ts";
import { end, forget, push } from "./output.ts";
import { nativeRefusal } from "../checks.ts";
import { isRefused } from "../room.ts";
import type { Connection, Turn, UnderWay, Waiting } from "./state.ts";

/**
 * A connection that has too much under way is ended: what NATS brings cannot be left unread. When the gateway as a whole holds too
 * much the request alone is refused, for certain not done.
 */
export function request(
  turn: Turn,
  connection: Connection,
  id: number,
  asked: NativeRequest,
): void {
  const { state } = turn;
  const { waiting, writes, reads } = connection;
  const code = nativeRefusal(asked);
  if (code !== undefined) return refuseRequest(turn, connection, id, code);
  const count = waiting.length + writes.length + reads.length;
  const bytes = requestBytes(asked);
  // One request alone always fits.
  const tooLarge = count > 0 && connection.requestBytes + bytes > CONNECTION_REQUEST_BYTES_MAX;
  if (tooLarge || count >= CONNECTION_REQUESTS_MAX) return end(turn, connection, "limit");
  if (state.requestBytes + bytes > GATEWAY_HELD_BYTES_MAX) {
    return refuseRequest(turn, connection, id, Code.throttled);
  }
  state.received += 1;
  state.requestBytes += bytes;
  connection.requestBytes += bytes;
  waiting.push({ id, request: asked, atMs: turn.nowMs, bytes });
}

/** The answer to a request that is not taken. */
export function refuseRequest(turn: Turn, connection: Connection, id: number, code: Code): void {
  turn.state.received += 1;
  reply(turn, connection, id, turn.state.zxid, { kind: "error", code });
}

/** Hands on what may go now. */
export function pump(turn: Turn, connection: Connection): void {
  const { phase, waiting } = connection;
  if (phase.kind === "checking" || phase.kind === "opening" || waiting.length === 0) return;
  const reads: Read[] = [];
  const operations: Operation[] = [];
  let count = 0;
  for (const each of waiting) {
    if (!mayGo(connection, each)) break;
    count += 1;
    const underWay: UnderWay = { id: each.id, atMs: each.atMs, bytes: each.bytes };
    if (each.request.kind === "read") {
      reads.push(each.request.read);
      connection.reads.push(underWay);
      continue;
    }
    const { session, attachedAt } = phase;
    const { operation } = each.request;
    if (isRefused(operation, turn.state.room)) {
      answered(turn, connection, each);
      const refused = { kind: "error", code: Code.notReadOnly } as const;
      reply(turn, connection, each.id, turn.state.zxid, refused);
      continue;
    }
    operations.push({ kind: "client", session, attachedAt, operation });
    connection.writes.push(underWay);
    if (operation.kind === "closeSession") {
      connection.phase = { kind: "closing", session, attachedAt };
    }
  }
  connection.waiting = count === waiting.length ? [] : waiting.slice(count);
  handOn(turn, connection, reads, operations);
}

export function writtenCame(turn: Turn, connection: Connection, message: Written): void {
  const done = connection.writes.splice(0, message.results.length);
  for (const [index, asked] of done.entries()) {
    const result = message.results[index];
    const zxid = message.zxids[index];
    if (result === undefined || zxid === undefined) break;
    answered(turn, connection, asked);
    if (zxid > turn.state.zxid) turn.state.zxid = zxid;
    reply(turn, connection, asked.id, zxid, nativeResult(result));
    if (isError(result, Code.sessionMoved)) return end(turn, connection, "moved");
    if (isError(result, Code.sessionExpired)) return end(turn, connection, "expired");
  }
  if (connection.phase.kind === "closing" && connection.writes.length === 0) {
    forget(turn, connection);
    return;
  }
  pump(turn, connection);
}

export function readDoneCame(
  turn: Turn,
  message: Extract<TreeReply, { readonly kind: "readDone" }>,
): void {
  if (message.zxid > turn.state.zxid) turn.state.zxid = message.zxid;
  const connection = turn.state.connections.get(message.client);
  if (connection === undefined) return;
  const done = connection.reads.splice(0, message.results.length);
  for (const [index, asked] of done.entries()) {
    const result = message.results[index];
    if (result === undefined) break;
    answered(turn, connection, asked);
    reply(turn, connection, asked.id, message.zxid, nativeReadResult(result));
  }
}

function handOn(
  { state, effects }: Turn,
  { number: client }: Connection,
  reads: readonly Read[],
  operations: readonly Operation[],
): void {
  const { name: from, options } = state;
  // Reads first: they come before the writes in the queue, and the tree takes them before it can apply those.
  if (reads.length > 0) {
    const answerBytesMax = Number.POSITIVE_INFINITY;
    effects.push(
      tell(`tree/${options.lane}`, { kind: "read", from, client, reads, answerBytesMax }),
    );
  }
  if (operations.length > 0) {
    effects.push(tell(`submitter/${options.lane}`, { kind: "write", from, client, operations }));
  }
}

function mayGo(connection: Connection, { request: asked }: Waiting): boolean {
  if (connection.phase.kind === "closing") return false;
  return asked.kind === "write" || connection.writes.length === 0;
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
  if (result.kind !== "children") return 0;
  return result.children.reduce((bytes, name) => bytes + name.length + 2, 0);
}

function isError(result: OperationResult, code: Code): boolean {
  return result.kind === "error" && result.code === code;
}

function nativeResult(result: OperationResult): NativeResult {
  switch (result.kind) {
    case "error":
    case "done":
    case "created":
    case "stat":
      return result;
    case "multi":
    case "session":
      throw new Error(`a native client cannot have asked for a result of kind ${result.kind}`);
    default:
      return unreachable(result);
  }
}

function nativeReadResult(result: ReadResult): NativeResult {
  if (result.kind === "acl") throw new Error("a native client cannot have asked for an ACL");
  return result;
}

/** The request holds nothing any more. */
function answered({ state, nowMs }: Turn, connection: Connection, { atMs, bytes }: UnderWay): void {
  const { latency } = state;
  state.requestBytes -= bytes;
  connection.requestBytes -= bytes;
  const tookMs = nowMs - atMs;
  latency.minMs = latency.count === 0 ? tookMs : Math.min(latency.minMs, tookMs);
  latency.maxMs = Math.max(latency.maxMs, tookMs);
  latency.totalMs += tookMs;
  latency.count += 1;
}
