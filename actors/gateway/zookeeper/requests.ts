/** Requests of attached connections: from frames to the tree and the submitter, and from results to replies. */
import { unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_UNSENT_BYTES_SOFT_MAX, PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import type { TreeReadResult } from "../../tree/messages.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeRefusedMulti,
  writeWatchEvent,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest, type Request } from "../../../protocol/zookeeper/requests.ts";
import { readRefusal, servedWrite, writeRefusal } from "../checks.ts";
import { tell } from "../../inboxes.ts";
import { requestBytes } from "../request-bytes.ts";
import { close, closeWithNote, refuse } from "./connections.ts";
import { mayAnswer } from "./grace.ts";
import { answerBytesLeft, countHeld, holdBack, mayRead, setUnsent, updateReading } from "./held.ts";
import type { Entry } from "./queue.ts";
import type { Connection, Output, State, Turn } from "./state.ts";

/** Reads what can be read, sends on what can be sent on, replies to what is answered. */
export function advance(turn: Turn, connection: Connection): void {
  const { state } = turn;
  for (;;) {
    readFrames(turn, connection);
    dispatch(turn, connection);
    // What leaves makes room for the answers of further reads.
    if (flush(turn, connection)) dispatch(turn, connection);
    if (connection.phase.kind !== "attached") return;
    // Replies that needed no result made room for frames that were left over.
    if (!mayRead(state, connection) || !connection.frames.hasNext(PACKET_BYTES_MAX)) break;
  }
  updateReading(turn, connection);
  holdBack(state, connection);
}

function readFrames(turn: Turn, connection: Connection): void {
  const { state } = turn;
  const { frames, queue } = connection;
  while (connection.phase.kind === "attached" && mayRead(state, connection)) {
    const frame = frames.next(PACKET_BYTES_MAX);
    if (frame === undefined) break;
    if (frame.kind === "badLength") {
      refuse(turn, connection, badLengthReason(frame.length));
      break;
    }
    const request = taken(readRequest(state.reader.reset(frame.bytes, frame.from, frame.to)));
    if (request.kind === "headless") {
      refuse(turn, connection, "a frame without a request header");
      break;
    }
    connection.received += 1;
    state.received += 1;
    const waits = (!state.serving || state.admission !== "all") && queue.length > 0;
    if (request.kind === "ping" && waits) {
      // Without a leader, or without room, a write may wait long; the client must know meanwhile that this node is there.
      if (mayAnswer(turn, connection)) {
        writeHeaderReply(state.writer, Xid.ping, state.zxid, Code.ok);
        countSent(state, connection);
        writeOut(turn, connection);
        continue;
      }
      // It was too late for answers, and the connection is ended.
      if (connection.phase.kind !== "attached") break;
    }
    const bytes = requestBytes(request, frame.to - frame.from);
    queue.push(request, bytes, turn.nowMs, state.zxid);
    state.heldBytes += bytes;
    if (isLast(request)) connection.ending = true;
  }
  frames.settle();
}

/** What comes behind it is not read. */
function isLast(request: Request): boolean {
  if (request.kind === "auth") return true;
  return request.kind === "write" && request.operation.kind === "closeSession";
}

/** The request, or its refusal. */
function taken(request: Request): Request {
  const { kind } = request;
  if (kind === "read") {
    const code = readRefusal(request.read);
    return code === undefined ? request : { kind: "refused", xid: request.xid, code };
  }
  if (kind !== "write") return request;
  const { xid, operation } = request;
  const refusal = writeRefusal(operation);
  if (refusal === undefined) {
    const served = servedWrite(operation);
    return served === operation ? request : { ...request, operation: served };
  }
  const { code, failedAt } = refusal;
  if (operation.kind !== "multi" || failedAt === undefined) return { kind: "refused", xid, code };
  const multi = { count: operation.operations.length, failedAt };
  return { kind: "refused", xid, code, multi };
}

export function badLengthReason(length: number): string {
  return `a frame of ${length} bytes; at most ${PACKET_BYTES_MAX} are taken`;
}

function dispatch({ state, effects }: Turn, connection: Connection): void {
  const { phase, number: client, queue } = connection;
  if (phase.kind !== "attached" || !queue.undispatched) return;
  const { serving: writable, admission, name: from } = state;
  const answerBytesMax = answerBytesLeft(state, connection);
  const { reads, writes } = queue.dispatch({ readable: answerBytesMax > 0, writable, admission });
  if (reads.length > 0) {
    const message = { kind: "read", from, client, reads, answerBytesMax } as const;
    effects.push(tell(`tree/${state.lane}`, message));
  }
  if (writes.length > 0) {
    const { session, attachedAt } = phase;
    const operations = writes.map(
      (operation): Operation => ({ kind: "client", session, attachedAt, operation }),
    );
    effects.push(tell(`submitter/${state.lane}`, { kind: "write", from, client, operations }));
  }
}

/** Results of reads have come. */
export function takeReads(
  turn: Turn,
  connection: Connection,
  zxid: Zxid,
  results: readonly TreeReadResult[],
): void {
  turn.state.heldBytes += connection.queue.answerReads(zxid, results);
  advance(turn, connection);
}

/**
 * Writes the replies that may leave, as one effect, as far as the client takes them. True if one left and the connection goes
 * on.
 */
function flush(turn: Turn, connection: Connection): boolean {
  const { state } = turn;
  const { queue } = connection;
  const { writer } = state;
  if (connection.phase.kind !== "attached" || queue.ready() === undefined) return false;
  if (!mayAnswer(turn, connection)) return false;
  let last: Entry | undefined;
  while (connection.unsentBytes + writer.length < CONNECTION_UNSENT_BYTES_SOFT_MAX) {
    const entry = queue.ready();
    if (entry === undefined) break;
    writeReply(state, connection, entry);
    countSent(state, connection);
    if (entry.request.kind !== "event") countLatency(state, turn.nowMs - entry.startedMs);
    state.heldBytes -= entry.bytes + entry.answerBytes;
    queue.shift();
    if (endsConnection(entry)) {
      last = entry;
      break;
    }
  }
  const wrote = writer.length > 0;
  writeOut(turn, connection);
  if (last?.request.kind === "auth") {
    const reason = `it authenticates (scheme "${last.request.scheme.slice(0, SCHEME_SHOWN_MAX)}"), which is not served`;
    closeWithNote(turn, connection, "connectionRefused", reason);
  } else if (last !== undefined) {
    close(turn, connection);
  }
  return wrote && last === undefined;
}

/** Of what a client names as its scheme. */
const SCHEME_SHOWN_MAX = 32;

function writeReply({ writer, zxid }: State, connection: Connection, entry: Entry): void {
  const { request } = entry;
  if (entry.result !== undefined) connection.repliedZxid = entry.zxid;
  switch (request.kind) {
    case "ping":
      writeHeaderReply(writer, Xid.ping, zxid, Code.ok);
      return;
    case "refused": {
      const { xid, code, multi } = request;
      if (multi === undefined) writeHeaderReply(writer, xid, connection.repliedZxid, code);
      else writeRefusedMulti(writer, { xid, zxid: connection.repliedZxid, code, multi });
      return;
    }
    case "auth":
      writeHeaderReply(writer, request.xid, connection.repliedZxid, Code.authFailed);
      return;
    case "event":
      writeWatchEvent(writer, request.event);
      return;
    case "read":
      // The queue matches results with requests of their own kind.
      writeReadReply(writer, request.xid, entry.zxid, request.opCode, entry.result as ReadResult);
      return;
    case "write": {
      const { xid, opCode, operation } = request;
      const result = entry.result as OperationResult;
      writeWriteReply(writer, xid, entry.zxid, opCode, operation, result);
      return;
    }
    default:
      unreachable(request);
  }
}

/** A closed session has no further replies; one that has moved or expired has no business here. */
function endsConnection({ request, result }: Entry): boolean {
  if (request.kind === "auth") return true;
  if (request.kind !== "write") return false;
  if (request.opCode === OpCode.closeSession) return true;
  return (
    result?.kind === "error" &&
    (result.code === Code.sessionMoved || result.code === Code.sessionExpired)
  );
}

/** What the writer holds, as one effect. */
export function writeOut(turn: Output, connection: Connection): void {
  const { writer } = turn.state;
  if (writer.length === 0) return;
  const bytes = writer.take();
  setUnsent(turn.state, connection, connection.unsentBytes + bytes.length);
  turn.effects.push({ kind: "write", connection: connection.number, bytes });
}

/** Watch events leave at once, or behind the replies that wait for the client to take earlier ones. */
export function sendEvents(
  turn: Turn,
  connection: Connection,
  events: Parameters<Connection["queue"]["insertEvents"]>[0],
): void {
  const { state } = turn;
  if (connection.queue.ready() !== undefined || !mayAnswer(turn, connection)) {
    connection.queue.insertEvents(events, turn.nowMs);
    advance(turn, connection);
    return;
  }
  for (const event of events) {
    writeWatchEvent(state.writer, event);
    countSent(state, connection);
  }
  writeOut(turn, connection);
}

/** Pings that wait behind writes, when it is not known when those will be answered. */
export function answerPings(turn: Turn, connection: Connection): void {
  const { state } = turn;
  if (!mayAnswer(turn, connection)) return;
  const pings = countHeld(state, connection, () => connection.queue.takePings());
  for (let index = 0; index < pings; index += 1) {
    writeHeaderReply(state.writer, Xid.ping, state.zxid, Code.ok);
    countSent(state, connection);
  }
  writeOut(turn, connection);
}

export function countSent(state: State, connection: Connection): void {
  state.sent += 1;
  connection.sent += 1;
}

function countLatency({ latency }: State, tookMs: number): void {
  latency.min = latency.count === 0 || tookMs < latency.min ? tookMs : latency.min;
  latency.max = tookMs > latency.max ? tookMs : latency.max;
  latency.count += 1;
  latency.total += tookMs;
}
