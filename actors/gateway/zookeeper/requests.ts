/** Frames of attached connections become requests to the tree and the submitter, and their results become replies. */
import { grants, Permission } from "../../../protocol/access.ts";
import { unreachable } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import { CONNECTION_UNSENT_BYTES_SOFT_MAX } from "../../../protocol/limits.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import type { ReadResult, WatchEvent } from "../../../protocol/reads.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import type { FrameFault } from "../../../protocol/zookeeper/frames.ts";
import {
  writeHeaderReply,
  writeReadReply,
  writeRefusedMulti,
  writeSaslReply,
  writeWatchEvent,
  writeWhoAmIReply,
  writeWriteReply,
} from "../../../protocol/zookeeper/replies.ts";
import { readRequest, type Request } from "../../../protocol/zookeeper/requests.ts";
import { ZXID_NONE } from "../../../protocol/zxid.ts";
import { servedWrite } from "../acls.ts";
import { readRefusal, writeRefusal } from "../checks.ts";
import { enterClosing, servedBy } from "../attachment.ts";
import { dispatch as dispatchRequests } from "../lane.ts";
import { countAnswered } from "../metrics.ts";
import { requestBytes } from "../request-bytes.ts";
import { noteSlow } from "../slow-requests.ts";
import {
  type Answer,
  answerTo,
  authenticate,
  authRequired,
  clientInfos,
  isAuthenticated,
} from "./authentication.ts";
import { close, closeWithNote, refuse } from "./connections.ts";
import { mayAnswer } from "./grace.ts";
import {
  answerBytesLeft,
  countHeld,
  countRequests,
  mayRead,
  setUnsent,
  throttle,
  updateReading,
} from "./held.ts";
import { noteKeeper, requestOptions, writerFor } from "./keeper.ts";
import { logIn } from "./login.ts";
import {
  oversizedAnswer,
  type Oversized,
  oversizedOf,
  skipOversized,
  tooLong,
} from "./oversized.ts";
import { isReadOnly, readOnlyRequest } from "./read-only.ts";
import type { Connection, Entry, Output, State, Turn } from "./state.ts";
import { noteAnswer, operationName, PING_OPERATION } from "./statistics.ts";

/** Reads what can be read, sends on what can be sent on, replies to what is answered. */
export function advance(turn: Turn, connection: Connection): void {
  const { state } = turn;
  placeEvents(turn, connection);
  for (;;) {
    readFrames(turn, connection);
    dispatch(turn, connection);
    // The replies that leave make room for the answers of further reads.
    if (flush(turn, connection)) dispatch(turn, connection);
    if (servedBy(connection) === undefined) return;
    // Replies that needed no result made room for frames that were left over.
    if (!mayRead(state, connection)) break;
    if (!connection.frames.hasNext(state.options.packetBytesMax)) break;
  }
  countRequests(state, connection);
  updateReading(turn, connection);
  throttle(state, connection);
}

function readFrames(turn: Turn, connection: Connection): void {
  const { state } = turn;
  const { frames, queue } = connection;
  while (mayRead(state, connection)) {
    if (connection.oversized !== undefined) {
      takeOversized(turn, connection, connection.oversized);
      break;
    }
    const frame = frames.next(state.options.packetBytesMax);
    if (frame === undefined) break;
    if (frame.kind === "badLength") {
      if (!beginOversized(turn, connection, frame)) break;
      continue;
    }
    const reader = state.reader.reset(frame.bytes, frame.from, frame.to);
    const read = readRequest(reader, requestOptions(state, connection));
    noteKeeper(connection, read);
    if (read.kind === "headless") {
      refuse(turn, connection, "a frame without a request header");
      break;
    }
    const asked = isReadOnly(connection) ? readOnlyRequest(connection, read) : read;
    const request = taken(turn, connection, asked);
    if (request === undefined) {
      refuse(turn, connection, "its response to SASL's challenge cannot be read");
      break;
    }
    connection.received += 1;
    state.metrics.received += 1;
    const waits = (state.leader.kind === "lost" || state.admission !== "all") && queue.length > 0;
    if (request.kind === "ping" && waits) {
      // Without a leader, or without space, a write may wait long; the client must know meanwhile that this node is there.
      if (mayAnswer(turn, connection)) {
        writePing(state, connection, queue.length);
        countSent(state, connection);
        writeOut(turn, connection);
        continue;
      }
      // It was too late for answers, and the connection is ended.
      if (connection.phase.kind !== "attached") break;
    }
    const bytes = requestBytes(request, frame.to - frame.from);
    queue.push(request, read.xid, bytes, turn.nowMs, connection.who);
    state.heldBytes += bytes;
    if (isLast(request)) enterClosing(state.sessions, connection);
  }
  frames.settle();
}

/** False: the request is not received any further, or its beginning has not come yet. */
function beginOversized(turn: Turn, connection: Connection, fault: FrameFault): boolean {
  const oversized = oversizedOf(fault, connection);
  if (oversized === "incomplete") return false;
  if (oversized === undefined) {
    refuse(turn, connection, tooLong(fault.length, turn.state.options.packetBytesMax));
    return false;
  }
  connection.oversized = oversized;
  return true;
}

/** Once it has come whole it is answered like any other request, behind those before it. */
function takeOversized(turn: Turn, connection: Connection, oversized: Oversized): void {
  const { state } = turn;
  if (!skipOversized(oversized, connection)) return;
  connection.oversized = undefined;
  connection.received += 1;
  state.metrics.received += 1;
  const answer = oversizedAnswer(oversized, state.options.packetBytesMax);
  const bytes = requestBytes(answer, 0);
  connection.queue.push(answer, oversized.xid, bytes, turn.nowMs, connection.who);
  state.heldBytes += bytes;
  enterClosing(state.sessions, connection);
}

/** No request behind this one is read. */
function isLast(request: Entry["request"]): boolean {
  if (isProof(request)) return request.code !== Code.ok;
  if (request.kind === "parting" || isFatal(request)) return true;
  return request.kind === "write" && request.operation.kind === "closeSession";
}

function isProof(request: Entry["request"]): request is Answer {
  return request.kind === "auth" || request.kind === "sasl";
}

/** Whether the connection is closed behind the refusal. */
function isFatal(request: Entry["request"]): boolean {
  return request.kind === "refused" && request.ends === true;
}

function fatalReason(request: Entry["request"]): string {
  const reason = request.kind === "refused" ? request.reason : undefined;
  return reason ?? "an operation that is none of ZooKeeper's";
}

/**
 * Returns the request as it is served, or its refusal; undefined if there is no answer to it. An identity that is proved is the client's
 * from here on.
 */
function taken(
  { state, randomBytes }: Pick<Turn, "state" | "randomBytes">,
  connection: Connection,
  request: Exclude<Request, { readonly kind: "headless" }>,
): Entry["request"] | undefined {
  const { authentication } = state.options;
  const { kind } = request;
  if (kind === "sasl") {
    const step = logIn(authentication, connection, request, randomBytes);
    if (step === undefined) return undefined;
    connection.login = step.login;
    connection.who = step.who;
    return step.answer;
  }
  if (kind === "auth") {
    const who = authenticate(authentication, connection.who, request);
    if (who !== undefined) connection.who = who;
    return answerTo(request, who !== undefined);
  }
  if (!isAuthenticated(authentication, connection.who)) return authRequired(request.xid);
  if (kind === "whoAmI") return { kind, infos: clientInfos(connection.who) };
  if (kind === "read") {
    const { read } = request;
    const code = readRefusal(read);
    if (code !== undefined) return { kind: "refused", xid: request.xid, code };
    if (read.kind !== "getEphemerals") return request;
    const session = servedBy(connection)?.session ?? SESSION_NONE;
    return { ...request, read: { ...read, session } };
  }
  if (kind !== "write") return request;
  const { xid, operation } = request;
  const refusal = writeRefusal(operation);
  if (refusal === undefined) {
    const served = servedWrite(operation, connection.who, authentication.schemes);
    return served === operation ? request : { ...request, operation: served };
  }
  const { code, failedAt } = refusal;
  if (operation.kind !== "multi" || failedAt === undefined) return { kind: "refused", xid, code };
  const multi = { count: operation.operations.length, failedAt };
  return { kind: "refused", xid, code, multi };
}

function dispatch(turn: Turn, connection: Connection): void {
  const answerBytesMax = answerBytesLeft(turn.state, connection);
  const writable = turn.state.leader.kind === "known";
  dispatchRequests(turn, connection, answerBytesMax, writable);
}

/**
 * Writes the replies that may leave, as one effect, as far as the client takes them. True if one left and the connection goes
 * on.
 */
function flush(turn: Turn, connection: Connection): boolean {
  const { state } = turn;
  const { queue } = connection;
  const { writer } = state;
  if (queue.ready() === undefined) return false;
  if (!mayAnswer(turn, connection)) return false;
  let last: Entry | undefined;
  while (connection.unsentBytes + writer.length < CONNECTION_UNSENT_BYTES_SOFT_MAX) {
    const entry = queue.ready();
    if (entry === undefined) break;
    writeReply(state, connection, entry);
    countSent(state, connection);
    if (entry.request.kind !== "event") countReply(turn, connection, entry);
    state.heldBytes -= entry.bytes + entry.answerBytes;
    queue.shift();
    if (endsConnection(entry)) {
      last = entry;
      break;
    }
  }
  const wrote = writer.length > 0;
  writeOut(turn, connection);
  if (last !== undefined && isProof(last.request)) {
    const { reason = "it has not authenticated" } = last.request;
    closeWithNote(turn, connection, "connectionRefused", reason);
  } else if (last !== undefined && isFatal(last.request)) {
    closeWithNote(turn, connection, "connectionRefused", fatalReason(last.request));
  } else if (last !== undefined) {
    close(turn, connection);
  }
  return wrote && last === undefined;
}

function countReply(turn: Turn, connection: Connection, entry: Entry): void {
  const { state, nowMs } = turn;
  const { request, id: xid, startedMs } = entry;
  const zxid = entry.result === undefined ? connection.repliedZxid : entry.zxid;
  const operation =
    request.kind === "ping"
      ? PING_OPERATION
      : operationName("opCode" in request ? request.opCode : 0);
  noteAnswer(connection.statistics, { operation, xid, zxid, startedMs, nowMs });
  const isSlow = countAnswered(state.metrics, entry, nowMs);
  if (isSlow) noteSlow(turn, connection, entry, connection.remoteAddress);
}

function writeReply(state: State, connection: Connection, entry: Entry): void {
  const writer = writerFor(state, connection);
  const { request, id: xid } = entry;
  if (entry.state === "refused") {
    const { code } = entry.result as Extract<OperationResult, { readonly kind: "error" }>;
    writeHeaderReply(writer, xid, connection.repliedZxid, code);
    return;
  }
  if (entry.result !== undefined) connection.repliedZxid = entry.zxid;
  switch (request.kind) {
    case "ping":
      writePing(state, connection, connection.queue.length - 1);
      return;
    case "refused": {
      const { code, multi } = request;
      if (multi === undefined) writeHeaderReply(writer, xid, connection.repliedZxid, code);
      else writeRefusedMulti(writer, { xid, zxid: connection.repliedZxid, code, multi });
      return;
    }
    case "auth":
      // As in ZooKeeper, the answer belongs to no transaction.
      writeHeaderReply(writer, xid, ZXID_NONE, request.code);
      return;
    case "sasl":
      writeSaslReply(writer, xid, request.code, request.token);
      return;
    case "whoAmI":
      writeWhoAmIReply(writer, xid, connection.repliedZxid, request.infos);
      return;
    case "parting":
      writeHeaderReply(writer, xid, connection.repliedZxid, Code.ok);
      return;
    case "event":
      writeWatchEvent(writer, request.event);
      return;
    case "read":
      // The queue matches results with requests of their own kind.
      writeReadReply(writer, xid, entry.zxid, request.opCode, entry.result as ReadResult);
      return;
    case "write": {
      const { opCode, operation } = request;
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
  if (isProof(request)) return request.code !== Code.ok;
  if (request.kind === "parting" || isFatal(request)) return true;
  if (request.kind !== "write") return false;
  if (request.opCode === OpCode.closeSession) return true;
  return (
    result?.kind === "error" &&
    (result.code === Code.sessionMoved || result.code === Code.sessionExpired)
  );
}

/** Sends what the writer holds, as one effect. */
export function writeOut(turn: Output, connection: Connection): void {
  const { writer } = turn.state;
  if (writer.length === 0) return;
  const bytes = writer.take();
  setUnsent(turn.state, connection, connection.unsentBytes + bytes.length);
  turn.effects.push({ kind: "write", connection: connection.number, bytes });
}

/**
 * A client hears of its own writes and of events in the order of their zxids, as ZooKeeper's do. The results of writes go through the
 * submitter: those that were applied before the change of an event come after it in the same turn of the loop. So events for a
 * connection that has writes under way are held until its end.
 */
export function sendEvents(turn: Turn, connection: Connection, all: readonly WatchEvent[]): void {
  const events = all.filter(({ acl }) => maySee(connection, acl));
  if (events.length === 0) return;
  if (connection.queue.writesOut === 0 && connection.heldEvents.length === 0) {
    writeEvents(turn, connection, events);
    return;
  }
  for (const event of events) connection.heldEvents.push(event);
  turn.state.holding.add(connection);
  turn.effects.push({ kind: "endOfTurn" });
}

/** Events that are held stand before the first result of their zxid or a later one. */
function placeEvents({ state, nowMs }: Turn, connection: Connection): void {
  const { heldEvents, queue } = connection;
  if (heldEvents.length === 0) return;
  const placed = queue.insertInOrder(
    heldEvents.map((event) => ({ request: { kind: "event", event }, zxid: event.zxid })),
    nowMs,
  );
  connection.heldEvents = heldEvents.slice(placed);
  if (connection.heldEvents.length === 0) state.holding.delete(connection);
}

/** All results of this turn of the loop have come. */
export function releaseEvents(turn: Turn): void {
  const { holding } = turn.state;
  for (const connection of holding) {
    holding.delete(connection);
    const events = connection.heldEvents;
    connection.heldEvents = [];
    if (servedBy(connection) !== undefined) writeEvents(turn, connection, events);
  }
}

/** Watch events leave at once, or behind the replies that wait for the client to take earlier ones, or for a write before them. */
function writeEvents(turn: Turn, connection: Connection, events: readonly WatchEvent[]): void {
  const { state } = turn;
  if (connection.queue.holdsAnswers || !mayAnswer(turn, connection)) {
    const entries = events.map((event) => ({ kind: "event", event }) as const);
    connection.queue.insertEvents(entries, turn.nowMs);
    advance(turn, connection);
    return;
  }
  const writer = writerFor(state, connection);
  for (const event of events) {
    writeWatchEvent(writer, event);
    countSent(state, connection);
  }
  writeOut(turn, connection);
}

/** Whoever may not read a znode hears nothing of it, although the watch has fired. Source: NIOServerCnxn.process. */
function maySee({ who }: Connection, acl: WatchEvent["acl"]): boolean {
  return acl === undefined || grants(acl, Permission.read, who);
}

/** Answers pings that wait behind writes, when it is not known when those will be answered. */
export function answerPings(turn: Turn, connection: Connection): void {
  const { state } = turn;
  if (!mayAnswer(turn, connection)) return;
  const pings = countHeld(state, connection, () => connection.queue.take(isPing));
  for (let left = pings.length; left > 0; left -= 1) {
    writePing(state, connection, connection.queue.length);
    countSent(state, connection);
  }
  countRequests(state, connection);
  writeOut(turn, connection);
}

/**
 * With `others` requests in the queue, whose replies may show earlier zxids than the latest, or with events that are held, a ping shows
 * none that is new.
 */
function writePing(state: State, connection: Connection, others: number): void {
  const { zxid } = state;
  const writer = writerFor(state, connection);
  const isLatest = others === 0 && connection.heldEvents.length === 0;
  if (isLatest && zxid > connection.repliedZxid) connection.repliedZxid = zxid;
  writeHeaderReply(writer, Xid.ping, connection.repliedZxid, Code.ok);
}

function isPing({ request }: Entry): boolean {
  return request.kind === "ping";
}

export function countSent(state: State, connection: Connection): void {
  state.metrics.sent += 1;
  connection.sent += 1;
}
