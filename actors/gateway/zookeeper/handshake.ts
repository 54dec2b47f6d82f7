/** From a ConnectRequest to an attached session, or to the reason why not. */
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { Code } from "../../../protocol/codes.ts";
import { HANDSHAKE_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import {
  type ConnectRequest,
  type ConnectResponse,
  EXPIRED_RESPONSE,
  readConnectRequest,
  writeConnectResponse,
} from "../../../protocol/zookeeper/handshake.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { SessionChanges, TreeReply } from "../../tree/messages.ts";
import { answerUntilMs, isOfNoEpoch } from "../contact.ts";
import { closeWithNote, enter, expectHandshake, refuse } from "./connections.ts";
import { keepUntilGraceEnds } from "./grace.ts";
import { note } from "./notes.ts";
import { startTouchTimer } from "./touches.ts";
import { advance, badLengthReason, countSent, writeOut } from "./requests.ts";
import type { Connection, Phase, State, Turn } from "./state.ts";

/** Takes the first frame of a connection, once it is whole. */
export function readHandshake(turn: Turn, connection: Connection): void {
  const { state } = turn;
  const frame = connection.frames.next(HANDSHAKE_BYTES_MAX);
  connection.frames.settle();
  if (frame === undefined) return;
  if (frame.kind === "badLength") {
    refuse(turn, connection, `the handshake: ${badLengthReason(frame.length)}`);
    return;
  }
  connection.received += 1;
  state.received += 1;
  const request = readConnectRequest(state.reader.reset(frame.bytes, frame.from, frame.to));
  if (request.kind === "malformed") {
    refuse(turn, connection, `the handshake cannot be read: ${request.fault}`);
    return;
  }
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = state.options;
  const timeoutMs = Math.min(Math.max(request.timeoutMs, minSessionTimeoutMs), maxSessionTimeoutMs);
  if (state.serving) {
    askForSession(turn, connection, request, timeoutMs);
  } else {
    enter(turn, connection, { kind: "held", request, timeoutMs });
    keepUntilGraceEnds(turn, connection, timeoutMs);
  }
}

/** Creates a session through the log; one that is there already is attached once its password is known to be right. */
export function askForSession(
  turn: Turn,
  connection: Connection,
  request: ConnectRequest,
  timeoutMs: number,
): void {
  const { state, nowMs, randomBytes } = turn;
  if (state.admission === "none") {
    refuse(turn, connection, "no session: no room on the disk");
    return;
  }
  const { session, password } = request;
  if (state.sessionsFull && session === SESSION_NONE) {
    refuse(turn, connection, "no session: there are as many as this node takes");
    return;
  }
  if (session === SESSION_NONE) {
    const operation = {
      kind: "createSession",
      timeoutMs,
      password: randomBytes(PASSWORD_BYTES),
    } as const;
    beginSession(turn, connection, { request, timeoutMs, operation });
  } else if (Number.isSafeInteger(session) && session > 0 && password.length === PASSWORD_BYTES) {
    const { phase } = connection;
    const deadlineMs =
      phase.kind === "opened" ? phase.deadlineMs : expectHandshake(turn, connection);
    const sinceMs = nowMs;
    enter(turn, connection, { kind: "checking", request, timeoutMs, deadlineMs, sinceMs });
    if (isOfNoEpoch(session as SessionId, state.epoch)) {
      state.contact.probing = true;
      startTouchTimer(turn);
    }
    const [from, client] = [state.name, connection.number];
    const check = { kind: "checkSession", from, client, session: session as SessionId } as const;
    turn.effects.push(tell(`tree/${state.lane}`, { ...check, password }));
  } else {
    answerExpired(turn, connection, request); // never a session of this ensemble
  }
}

/** What this lane's replica knows of the session that a connection asked for. */
export function takeChecked(
  turn: Turn,
  connection: Connection,
  verdict: Extract<TreeReply, { readonly kind: "sessionChecked" }>["verdict"],
): void {
  const { state } = turn;
  const { phase } = connection;
  if (phase.kind !== "checking") return;
  const { request, timeoutMs } = phase;
  if (verdict === "unknown") return answerExpired(turn, connection, request);
  if (verdict === "wrong") {
    note(turn, "wrongPassword", connection.remoteAddress, "it is not the session's");
    return answerExpired(turn, connection, request);
  }
  if (verdict === "behind")
    return refuse(turn, connection, "this node does not know its session yet");
  if (!state.serving) {
    enter(turn, connection, { kind: "held", request, timeoutMs });
    return keepUntilGraceEnds(turn, connection, timeoutMs);
  }
  if (state.admission === "none")
    return refuse(turn, connection, "no session: no room on the disk");
  const session = request.session as SessionId;
  const attaching = state.attaching.get(session) ?? new Set();
  state.attaching.set(session, attaching.add(connection));
  const operation = {
    kind: "attachSession",
    session,
    timeoutMs,
    password: request.password,
  } as const;
  beginSession(turn, connection, { request, timeoutMs, operation });
}

/** The leader had a quorum at this time or later: sessions of later epochs that were asked for before it are none. */
export function refuseImpossibleSessions(turn: Turn, untilMs: number): void {
  const { state } = turn;
  for (const connection of state.opened) {
    const { phase } = connection;
    if (phase.kind !== "checking" || phase.sinceMs > untilMs) continue;
    if (!isOfNoEpoch(phase.request.session as SessionId, state.epoch)) continue;
    answerExpired(turn, connection, phase.request);
  }
}

function beginSession(
  turn: Turn,
  connection: Connection,
  of: {
    readonly request: ConnectRequest;
    readonly timeoutMs: number;
    readonly operation: Operation;
  },
): void {
  const { request, timeoutMs, operation } = of;
  // The leader counts from when it applies the operation, or from later.
  connection.heardMs = turn.nowMs;
  enter(turn, connection, { kind: "connecting", request, timeoutMs, supersededAt: 0 });
  submit(turn, connection, operation);
}

function submit({ state, effects }: Turn, connection: Connection, operation: Operation): void {
  const client = connection.number;
  const operations = [operation];
  effects.push(
    tell(`submitter/${state.lane}`, { kind: "write", from: state.name, client, operations }),
  );
}

/** The result of createSession or attachSession. */
export function finishHandshake(
  turn: Turn,
  connection: Connection,
  phase: Extract<Phase, { readonly kind: "connecting" }>,
  zxid: Zxid,
  result: OperationResult,
): void {
  const { request } = phase;
  if (result.kind === "error" && result.code === Code.sessionExpired) {
    answerExpired(turn, connection, request);
    return;
  }
  if (result.kind !== "session") {
    const code = result.kind === "error" ? result.code : Code.systemError;
    refuse(turn, connection, `no session: error ${code}`);
    return;
  }
  const { session, attachedAt, timeoutMs, password } = result;
  if (request.lastZxidSeen > zxid) {
    if (request.session === SESSION_NONE) {
      const operation = { kind: "closeSession" } as const;
      submit(turn, connection, { kind: "client", session, attachedAt, operation });
    }
    const seen = formatZxid(request.lastZxidSeen as Zxid);
    refuse(turn, connection, `the client has seen ${seen}, which this ensemble does not have`);
    return;
  }
  if (phase.supersededAt > attachedAt) {
    closeMoved(turn, connection);
    return;
  }
  if (turn.nowMs > answerUntilMs(connection.heardMs, timeoutMs)) {
    refuse(turn, connection, "its session took too long");
    return;
  }
  const earlier = turn.state.sessions.get(session);
  if (earlier !== undefined) closeMoved(turn, earlier);
  enter(turn, connection, { kind: "attached", session, attachedAt, timeoutMs });
  connection.repliedZxid = attachedAt;
  turn.state.sessions.set(session, connection);
  // Told anew, so that its first ping, a third of the timeout from now, need not wait.
  turn.state.contact.touched.add(session);
  startTouchTimer(turn);
  respond(turn, connection, request, { timeoutMs, session, password });
  advance(turn, connection);
}

function answerExpired(turn: Turn, connection: Connection, request: ConnectRequest): void {
  respond(turn, connection, request, EXPIRED_RESPONSE);
  closeWithNote(turn, connection, "sessionExpired", "the client's session is unknown here");
}

function respond(
  turn: Turn,
  connection: Connection,
  request: ConnectRequest,
  response: ConnectResponse,
): void {
  const { state } = turn;
  writeConnectResponse(state.writer, response, request.hasReadOnly);
  countSent(state, connection);
  writeOut(turn, connection);
}

/** Closes connections whose session has been attached elsewhere, or is no more. */
export function followSessions(turn: Turn, changes: SessionChanges): void {
  const { sessions } = turn.state;
  for (const { session, attachedAt } of changes.attached) {
    const holder = sessions.get(session);
    if (holder?.phase.kind === "attached" && holder.phase.attachedAt < attachedAt) {
      closeMoved(turn, holder);
    }
    supersede(turn.state, session, attachedAt);
  }
  for (const session of changes.closed) {
    const holder = sessions.get(session);
    // The reply to the client's own closeSession is still to come; it closes the connection.
    if (holder !== undefined && !holder.ending) closeExpired(turn, holder);
    supersede(turn.state, session, Number.POSITIVE_INFINITY);
  }
}

/** A result that is under way may be older than this change. */
function supersede({ attaching }: State, session: SessionId, at: number): void {
  for (const { phase } of attaching.get(session) ?? []) {
    if (phase.kind === "connecting" && at > phase.supersededAt) phase.supersededAt = at;
  }
}

function closeMoved(turn: Turn, connection: Connection): void {
  closeWithNote(turn, connection, "sessionMoved", "its session is attached elsewhere");
}

function closeExpired(turn: Turn, connection: Connection): void {
  const unread = connection.unsentBytes > 0 && connection.paused;
  const reason = unread
    ? "its session expired: it does not read its replies"
    : "its session expired";
  closeWithNote(turn, connection, "sessionExpired", reason);
}
