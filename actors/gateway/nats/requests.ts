/**
 * A connection's requests. Writes go to the submitter at once and may be many under way; a read goes to the tree when none
 * of the connection's own earlier writes is, and what comes behind a waiting read waits with it. So each request sees
 * exactly what the connection did before it.
 */
import { unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUEST_BYTES_MAX, CONNECTION_REQUESTS_MAX } from "../../../protocol/limits.ts";
import {
  type NativeRequest,
  type NativeResult,
  requestBytes,
} from "../../../protocol/native-packing.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Written } from "../../submitter/messages.ts";
import type { TreeRead, TreeReply } from "../../tree/messages.ts";
import { end, forget, outputBytesLeft, push } from "./output.ts";
import { nativeRefusal } from "../checks.ts";
import { refusalCode, verdictOf } from "../admission.ts";
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
  if (state.requestBytes + bytes > state.options.heldBytesMax) {
    return refuseRequest(turn, connection, id, Code.throttled);
  }
  state.received += 1;
  state.requestBytes += bytes;
  connection.requestBytes += bytes;
  waiting.push({ id, request: asked, atMs: turn.nowMs, bytes, fits: false });
}

/** The answer to a request that is not taken. */
export function refuseRequest(turn: Turn, connection: Connection, id: number, code: Code): void {
  turn.state.received += 1;
  reply(turn, connection, id, turn.state.zxid, { kind: "error", code });
}

/**
 * Hands on what may go now: a run of reads, or of writes. Without room for what grows the tree it is asked with the reads whether
 * a write does.
 */
export function pump(turn: Turn, connection: Connection): void {
  const { state } = turn;
  // The tree may leave reads unanswered, which then come before all that waits.
  if (connection.phase.kind !== "open" || connection.reads.length > 0) return;
  const answerBytesMax = outputBytesLeft(state, connection);
  const run: Run = { reads: [], operations: [], asks: false };
  let count = 0;
  for (const each of connection.waiting) {
    if (!goes(turn, connection, run, each, answerBytesMax > 0)) break;
    count += 1;
  }
  if (count > 0) connection.waiting = connection.waiting.slice(count);
  handOn(turn, connection, run, answerBytesMax);
}

type Run = { readonly reads: TreeRead[]; readonly operations: Operation[]; asks: boolean };

/** Whether the request went, into the run or with a refusal. */
function goes(
  turn: Turn,
  connection: Connection,
  run: Run,
  each: Waiting,
  readable: boolean,
): boolean {
  const { phase, reads, writes } = connection;
  if (phase.kind !== "open") return false;
  if (each.request.kind === "read") {
    if (writes.length > 0 || run.asks || !readable) return false;
    run.reads.push(each.request.read);
    reads.push(each);
    return true;
  }
  const { operation } = each.request;
  const verdict = verdictOf(operation, turn.state.admission);
  if (verdict === "refused") {
    refuseForSpace(turn, connection, each);
    return true;
  }
  if (verdict === "asks" && !each.fits) {
    if (writes.length > 0) return false;
    run.asks = true;
    run.reads.push({ kind: "growth", operation });
    reads.push(each);
    return true;
  }
  if (run.reads.length > 0) return false;
  const { session, attachedAt } = phase;
  run.operations.push({ kind: "client", session, attachedAt, operation });
  writes.push(each);
  if (operation.kind === "closeSession") {
    connection.phase = { kind: "closing", session, attachedAt };
  }
  return true;
}

function refuseForSpace(turn: Turn, connection: Connection, each: Waiting): void {
  answered(turn, connection, each);
  const refused = { kind: "error", code: refusalCode(turn.state.admission) } as const;
  reply(turn, connection, each.id, turn.state.zxid, refused);
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
  const asked = connection.reads;
  connection.reads = [];
  const again: Waiting[] = [];
  for (const [index, each] of asked.entries()) {
    const result = message.results[index];
    if (result === undefined) {
      again.push(each);
    } else if (result.kind !== "growth") {
      answered(turn, connection, each);
      reply(turn, connection, each.id, message.zxid, nativeReadResult(result));
    } else if (result.grows && turn.state.admission === "noGrowth") {
      refuseForSpace(turn, connection, each);
    } else {
      again.push({ ...each, fits: !result.grows });
    }
  }
  if (again.length > 0) connection.waiting = [...again, ...connection.waiting];
  pump(turn, connection);
}

function handOn(
  { state, effects }: Turn,
  { number: client }: Connection,
  { reads, operations }: Run,
  answerBytesMax: number,
): void {
  const { name: from, options } = state;
  if (reads.length > 0) {
    const message = { kind: "read", from, client, reads, answerBytesMax } as const;
    effects.push(tell(`tree/${options.lane}`, message));
  }
  if (operations.length > 0) {
    effects.push(tell(`submitter/${options.lane}`, { kind: "write", from, client, operations }));
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
