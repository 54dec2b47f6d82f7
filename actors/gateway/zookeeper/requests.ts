/** Requests of attached connections: from frames to the tree and the submitter, and from results to replies. */
import { unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  CONNECTION_REQUEST_BYTES_MAX,
  CONNECTION_REQUESTS_MAX,
  CONNECTION_UNSENT_BYTES_SOFT_MAX,
  GATEWAY_REQUEST_BYTES_MAX,
  PACKET_BYTES_MAX,
} from "../../../protocol/limits.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeWatchEvent,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest } from "../../../protocol/zookeeper/requests.ts";
import { tell } from "../../inboxes.ts";
import { close, refuse } from "./connections.ts";
import { mayAnswer } from "./grace.ts";
import type { Entry } from "./queue.ts";
import type { Connection, Output, State, Turn } from "./state.ts";

/** Reads what can be read, sends on what can be sent on, replies to what is answered. */
export function advance(turn: Turn, connection: Connection): void {
  for (;;) {
    readFrames(turn, connection);
    dispatch(turn, connection);
    flush(turn, connection);
    // Replies that needed no result made room for frames that were left over.
    if (connection.phase.kind !== "attached") return;
    if (!mayRead(turn.state, connection) || !connection.frames.hasNext(PACKET_BYTES_MAX)) break;
  }
  updateReading(turn, connection);
  releaseHeldBack(turn);
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
    const request = readRequest(state.reader.reset(frame.bytes, frame.from, frame.to));
    if (request.kind === "headless") {
      refuse(turn, connection, "a frame without a request header");
      break;
    }
    connection.received += 1;
    state.received += 1;
    const waits = (!state.serving || state.room !== "enough") && queue.length > 0;
    if (request.kind === "ping" && waits && mayAnswer(turn, connection)) {
      // Without a leader, or without room, a write may wait long; the client must know meanwhile that this node is there.
      writeHeaderReply(state.writer, Xid.ping, state.zxid, Code.ok);
      countSent(state, connection);
      writeOut(turn, connection);
      continue;
    }
    const bytes = frame.to - frame.from;
    queue.push(request, bytes, turn.context.nowMs, state.zxid);
    state.requestBytes += bytes;
    if (request.kind === "write" && request.operation.kind === "closeSession") {
      connection.ending = true;
    }
  }
  frames.settle();
}

export function badLengthReason(length: number): string {
  return `a frame of ${length} bytes; at most ${PACKET_BYTES_MAX} are taken`;
}

function mayRead(state: State, { queue, unsentBytes, ending }: Connection): boolean {
  return (
    !ending &&
    queue.length < CONNECTION_REQUESTS_MAX &&
    queue.bytes < CONNECTION_REQUEST_BYTES_MAX &&
    unsentBytes < CONNECTION_UNSENT_BYTES_SOFT_MAX &&
    (state.requestBytes < GATEWAY_REQUEST_BYTES_MAX || queue.length === 0)
  );
}

function dispatch({ state, effects }: Turn, connection: Connection): void {
  const { phase, number: client } = connection;
  if (phase.kind !== "attached") return;
  const { reads, writes } = connection.queue.dispatch(state.serving, state.room);
  if (reads.length > 0) {
    effects.push(tell(`tree/${state.lane}`, { kind: "read", from: state.name, client, reads }));
  }
  if (writes.length > 0) {
    const { session, attachedAt } = phase;
    const operations = writes.map(
      (operation): Operation => ({ kind: "client", session, attachedAt, operation }),
    );
    effects.push(
      tell(`submitter/${state.lane}`, { kind: "write", from: state.name, client, operations }),
    );
  }
}

/** Writes the replies that may leave, as one effect, as far as the client takes them. */
function flush(turn: Turn, connection: Connection): void {
  const { state } = turn;
  const { queue } = connection;
  const { writer } = state;
  if (connection.phase.kind !== "attached" || queue.ready() === undefined) return;
  if (!mayAnswer(turn, connection)) return;
  let last: Entry | undefined;
  while (connection.unsentBytes + writer.length < CONNECTION_UNSENT_BYTES_SOFT_MAX) {
    const entry = queue.ready();
    if (entry === undefined) break;
    writeReply(state, connection, entry);
    countSent(state, connection);
    if (entry.request.kind !== "event") countLatency(state, turn.context.nowMs - entry.startedMs);
    state.requestBytes -= entry.bytes;
    queue.shift();
    if (endsConnection(entry)) {
      last = entry;
      break;
    }
  }
  writeOut(turn, connection);
  if (last !== undefined) close(turn, connection);
}

function writeReply({ writer, zxid }: State, connection: Connection, entry: Entry): void {
  const { request } = entry;
  if (entry.result !== undefined) connection.repliedZxid = entry.zxid;
  switch (request.kind) {
    case "ping":
      writeHeaderReply(writer, Xid.ping, zxid, Code.ok);
      return;
    case "refused":
      writeHeaderReply(writer, request.xid, connection.repliedZxid, request.code);
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
  connection.unsentBytes += bytes.length;
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
    connection.queue.insertEvents(events, turn.context.nowMs);
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
  const bytesBefore = connection.queue.bytes;
  const pings = connection.queue.takePings();
  state.requestBytes -= bytesBefore - connection.queue.bytes;
  for (let index = 0; index < pings; index += 1) {
    writeHeaderReply(state.writer, Xid.ping, state.zxid, Code.ok);
    countSent(state, connection);
  }
  writeOut(turn, connection);
}

/** Stops reading a client at its limits and goes on well below them, so that it does not flap. */
function updateReading(turn: Turn, connection: Connection): void {
  const { state, effects } = turn;
  const { queue, number } = connection;
  const reads = mayRead(state, connection) || connection.ending;
  if (!reads && !connection.paused) {
    connection.paused = true;
    effects.push({ kind: "pauseReading", connection: number });
    if (state.requestBytes >= GATEWAY_REQUEST_BYTES_MAX) state.heldBack.add(connection);
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

/** Those that were not read because the gateway had too much waiting, once it has half of that. */
function releaseHeldBack(turn: Turn): void {
  const { heldBack, requestBytes } = turn.state;
  if (heldBack.size === 0 || requestBytes > GATEWAY_REQUEST_BYTES_MAX / 2) return;
  const released = [...heldBack];
  heldBack.clear();
  for (const connection of released) advance(turn, connection);
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
