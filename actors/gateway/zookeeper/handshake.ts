/** The handshake leads from a ConnectRequest to an attached session, or to the reason why there is none. */
import { assert } from "../../../protocol/assert.ts";
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import {
  type ConnectResponse,
  EXPIRED_RESPONSE,
  readConnectRequest,
  uncountedBytes,
  writeConnectResponse,
} from "../../../protocol/zookeeper/handshake.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { TreeReply } from "../../tree/messages.ts";
import { answerUntilMs } from "../contact.ts";
import { grantedMs } from "../gateway-state.ts";
import { checkSession, submit } from "../lane.ts";
import { closeWithNote, enterPhase, expectHandshake, refuse } from "./connections.ts";
import { keepUntilGraceEnds } from "./grace.ts";
import { noteVersion, unservedVersion } from "./keeper.ts";
import { note } from "./notes.ts";
import { tooLong } from "./oversized.ts";
import { askReadOnly, maySettle, settle } from "./read-only.ts";
import { startTouchTimer, touch } from "./touches.ts";
import { advance, countSent, writeOut } from "./requests.ts";
import { awaitToken, mayAskNow, nextInLine, startTokenTimer } from "./tokens.ts";
import type { Connection, Turn, Wish } from "./state.ts";
import { noteAnswer, SESSION_OPERATION } from "./statistics.ts";

/** Takes the first frame of a connection, once it is whole. */
export function readHandshake(turn: Turn, connection: Connection): void {
  const { state } = turn;
  const { packetBytesMax } = state.options;
  const uncounted = uncountedBytes(connection.frames.peekInt64(0));
  const frame = connection.frames.next(packetBytesMax, uncounted);
  connection.frames.settle();
  if (frame === undefined) return;
  if (frame.kind === "badLength") {
    refuse(turn, connection, `the handshake: ${tooLong(frame.length, packetBytesMax)}`);
    return;
  }
  connection.received += 1;
  state.metrics.received += 1;
  const request = readConnectRequest(state.reader.reset(frame.bytes, frame.from, frame.to));
  if (request.kind === "malformed") {
    refuse(turn, connection, `the handshake cannot be read: ${request.fault}`);
    return;
  }
  const unserved = unservedVersion(request);
  if (unserved !== undefined) {
    refuse(turn, connection, unserved);
    return;
  }
  noteVersion(connection, request);
  const wish = { ...request, timeoutMs: grantedMs(state.options, request.timeoutMs) };
  if (state.leader.kind === "known") askForSession(turn, connection, wish);
  else awaitLeader(turn, connection, wish);
}

function awaitLeader(turn: Turn, connection: Connection, wish: Wish): void {
  enterPhase(turn, connection, { kind: "awaitingLeader", wish });
  if (!keepUntilGraceEnds(turn, wish.timeoutMs)) waitedInVain(turn, connection, wish);
}

/** The client has waited long enough for a leader. It is served without one, or finds another node. */
export function waitedInVain(turn: Turn, connection: Connection, wish: Wish): void {
  if (maySettle(turn.state, wish)) askReadOnly(turn, connection, wish);
  else refuse(turn, connection, "no leader is known");
}

/** Asks for the session now, or in its turn when there are too many who do. */
export function askForSession(turn: Turn, connection: Connection, wish: Wish): void {
  if (mayAskNow(turn)) return askWithToken(turn, connection, wish);
  expectHandshake(turn, connection);
  enterPhase(turn, connection, { kind: "awaitingToken", wish });
  awaitToken(turn, connection);
  note(turn, "sessionDelayed", connection.remoteAddress, "many sessions are asked for at once");
}

/** There is another token: those who waited longest ask for their sessions. Without a leader all wait for one, and keep the tokens. */
export function serveLine(turn: Turn): void {
  const { leader, tokens } = turn.state;
  if (leader.kind === "lost") {
    for (const waiting of tokens.waiting) awaitLeader(turn, waiting, wishOf(waiting));
    return;
  }
  for (let next = nextInLine(turn); next !== undefined; next = nextInLine(turn)) {
    askWithToken(turn, next, wishOf(next));
  }
  if (tokens.waiting.size > 0) startTokenTimer(turn);
}

function wishOf({ phase }: Connection): Wish {
  assert(phase.kind === "awaitingToken", "who waits in line is in that phase");
  return phase.wish;
}

/** Creates a session through the log; one that is there already is attached once its password is known to be right. */
function askWithToken(turn: Turn, connection: Connection, wish: Wish): void {
  const { state, randomBytes } = turn;
  if (state.admission === "none") {
    refuse(turn, connection, NO_SPACE);
    return;
  }
  const { session, timeoutMs, password } = wish;
  if (state.sessionsFull && session === SESSION_NONE) {
    refuse(turn, connection, "no session: there are as many as this node takes");
    return;
  }
  if (session === SESSION_NONE) {
    const drawn = randomBytes(PASSWORD_BYTES);
    const operation = { kind: "createSession", timeoutMs, password: drawn } as const;
    beginSession(turn, connection, wish, { ...operation, ...addressOf(connection) });
  } else if (Number.isSafeInteger(session) && session > 0 && password.length === PASSWORD_BYTES) {
    expectHandshake(turn, connection);
    enterPhase(turn, connection, { kind: "checking", wish, sinceMs: turn.nowMs });
    checkSession(turn, connection, wish);
    startTouchTimer(turn);
  } else {
    // Such an id was never a session of this ensemble.
    answerExpired(turn, connection, wish);
  }
}

/** The tree has judged the password with which the connection asked for its session. */
export function takeChecked(
  turn: Turn,
  connection: Connection,
  verdict: Extract<TreeReply, { readonly kind: "sessionChecked" }>["verdict"],
): void {
  const { state } = turn;
  const { phase } = connection;
  if (phase.kind !== "checking") return;
  const { wish } = phase;
  const isNew = wish.session === SESSION_NONE;
  if (verdict === "unknown" && !isNew) return answerExpired(turn, connection, wish);
  if (verdict === "wrong") {
    note(turn, "wrongPassword", connection.remoteAddress, "it is not the session's");
    return answerExpired(turn, connection, wish);
  }
  if (verdict === "behind")
    return refuse(turn, connection, "this node does not know its session yet");
  if (phase.readOnly === true) return serveReadOnly(turn, connection, wish);
  if (state.leader.kind === "lost") return awaitLeader(turn, connection, wish);
  if (state.admission === "none") return refuse(turn, connection, NO_SPACE);
  if (wish.lastZxidSeen > state.zxid) askForZxid(turn, connection, wish);
  else attach(turn, connection, wish);
}

function attach(turn: Turn, connection: Connection, wish: Wish): void {
  const { timeoutMs, password } = wish;
  const session = wish.session as SessionId;
  const operation = { kind: "attachSession", session, timeoutMs, password } as const;
  beginSession(turn, connection, wish, { ...operation, ...addressOf(connection) });
}

/** With it the session's operations have the address of this connection. */
function addressOf({ who: { address } }: Connection): { readonly address?: string } {
  return address === undefined ? {} : { address };
}

function serveReadOnly(turn: Turn, connection: Connection, wish: Wish): void {
  const settled = settle(turn, connection, wish);
  if (settled === undefined) return;
  const { timeoutMs } = wish;
  noteSession(turn, connection);
  respond(turn, connection, wish, { ...settled, timeoutMs, readOnly: true });
  advance(turn, connection);
}

/**
 * The client has seen more than this replica has applied. To attach the session would take it from the connection that it has, which must not
 * be if no node has seen as much. So the log is asked first where it is, by an operation that is always refused and changes nothing:
 * session 0 there is not.
 */
function askForZxid(turn: Turn, connection: Connection, wish: Wish): void {
  const { timeoutMs, password } = wish;
  const session = SESSION_NONE as SessionId;
  const asking: Wish = { ...wish, asksForZxid: true };
  beginSession(turn, connection, asking, { kind: "attachSession", session, timeoutMs, password });
}

/** `zxid` is that of the operation which was refused: this replica has applied all before it. */
function takeZxid(turn: Turn, connection: Connection, wish: Wish, zxid: Zxid): void {
  const { asksForZxid: _, ...asked } = wish;
  if (wish.lastZxidSeen > zxid) refuseAhead(turn, connection, wish);
  else if (turn.state.leader.kind === "lost") awaitLeader(turn, connection, asked);
  else attach(turn, connection, asked);
}

function refuseAhead(turn: Turn, connection: Connection, { lastZxidSeen }: Wish): void {
  const seen = formatZxid(lastZxidSeen as Zxid);
  refuse(turn, connection, `the client has seen ${seen}, which this ensemble does not have`);
}

const NO_SPACE = "no session: no space on the disk";

function beginSession(turn: Turn, connection: Connection, wish: Wish, operation: Operation): void {
  // The leader counts from when it applies the operation, or from later.
  connection.leaderHeardMs = turn.nowMs;
  enterPhase(turn, connection, { kind: "attaching", wish, supersededAt: 0 });
  submit(turn, connection, operation);
}

/** The connection's createSession or attachSession has come back. */
export function finishHandshake(
  turn: Turn,
  connection: Connection,
  result: OperationResult,
  zxid: Zxid,
): void {
  const { phase } = connection;
  if (phase.kind !== "attaching") return;
  const { wish } = phase;
  if (wish.asksForZxid === true) {
    takeZxid(turn, connection, wish, zxid);
    return;
  }
  if (result.kind === "error" && result.code === Code.sessionExpired) {
    answerExpired(turn, connection, wish);
    return;
  }
  if (result.kind !== "session") {
    const code = result.kind === "error" ? result.code : Code.systemError;
    refuse(turn, connection, `no session: error ${code}`);
    return;
  }
  const { session, attachedAt, timeoutMs, password } = result;
  if (wish.lastZxidSeen > zxid) {
    if (wish.session === SESSION_NONE) {
      const operation = { kind: "closeSession" } as const;
      submit(turn, connection, { kind: "client", session, attachedAt, operation });
    }
    refuseAhead(turn, connection, wish);
    return;
  }
  if (phase.supersededAt > attachedAt) {
    closeMoved(turn, connection);
    return;
  }
  if (turn.nowMs > answerUntilMs(connection.leaderHeardMs, timeoutMs)) {
    refuse(turn, connection, "its session took too long");
    return;
  }
  const earlier = turn.state.sessions.holders.get(session);
  if (earlier !== undefined) closeMoved(turn, earlier);
  enterPhase(turn, connection, { kind: "attached", session, attachedAt, timeoutMs });
  connection.repliedZxid = attachedAt;
  // The leader is told of the session again, so that its first ping, a third of the timeout from now, need not wait.
  touch(turn, session);
  noteSession(turn, connection);
  respond(turn, connection, wish, { timeoutMs, session, password });
  advance(turn, connection);
}

/** For `cons`, the handshake is a request of its own: the client's first. */
function noteSession({ nowMs }: Turn, { statistics, repliedZxid: zxid }: Connection): void {
  const operation = SESSION_OPERATION;
  noteAnswer(statistics, { operation, xid: 0, zxid, startedMs: nowMs, nowMs });
}

/** Tells the client that its session is over, or never was, and closes the connection. */
export function answerExpired(turn: Turn, connection: Connection, wish: Wish): void {
  respond(turn, connection, wish, EXPIRED_RESPONSE);
  closeWithNote(turn, connection, "sessionExpired", "the client's session is unknown here");
}

function respond(turn: Turn, connection: Connection, wish: Wish, response: ConnectResponse): void {
  const { state } = turn;
  writeConnectResponse(state.writer, response, wish);
  countSent(state, connection);
  writeOut(turn, connection);
}

export function closeMoved(turn: Turn, connection: Connection): void {
  closeWithNote(turn, connection, "sessionMoved", "its session is attached elsewhere");
}

export function closeExpired(turn: Turn, connection: Connection): void {
  const unread = connection.unsentBytes > 0 && connection.paused;
  const reason = unread
    ? "its session expired: it does not read its replies"
    : "its session expired";
  closeWithNote(turn, connection, "sessionExpired", reason);
}
