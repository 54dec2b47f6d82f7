/** Connections of native clients begin with a handshake, and end by silence, with their session, or when a leader stays away. */
import { logEvent } from "../../log-event.ts";
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { NATIVE_CONNECTIONS_MAX } from "../../../protocol/limits.ts";
import { type ClientItem, NATIVE_VERSION } from "../../../protocol/native.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import type { TreeReply } from "../../tree/messages.ts";
import { enter, timeoutMsOf } from "../attachment.ts";
import { graceMs, tellTouched, touchesMs, withheldUntilMs } from "../contact.ts";
import { withDigest } from "../digests.ts";
import { grantedMs } from "../gateway-state.ts";
import { checkSession, submit } from "../lane.ts";
import { forgive, mustWait } from "./offenders.ts";
import { end, forget, push, refuse } from "./output.ts";
import { keepsInVain, logAnswered, pump } from "./requests.ts";
import { type Connection, type NatsGatewayOptions, newConnection, type Turn } from "./state.ts";

const TICK_MS = 200;

/** Silence and grace times are looked at, and touched sessions told of, once in this many milliseconds. */
export function tickMs({ minSessionTimeoutMs }: NatsGatewayOptions): number {
  return Math.min(TICK_MS, touchesMs(minSessionTimeoutMs));
}

export function open(
  turn: Turn,
  inbox: string,
  item: Extract<ClientItem, { readonly kind: "open" }>,
): void {
  const { state, nowMs } = turn;
  const { session, password } = item;
  if (item.version !== NATIVE_VERSION) return refuse(turn, inbox, "version");
  if (password.length !== PASSWORD_BYTES) return refuse(turn, inbox, "badFrame");
  if (state.isRetiring) return refuse(turn, inbox, "stopping");
  if (state.leader.kind === "lost" || state.admission === "none") {
    return refuse(turn, inbox, "noLeader");
  }
  if (state.connections.size >= NATIVE_CONNECTIONS_MAX) return refuse(turn, inbox, "limit");
  if (mustWait(state.offenders, session, nowMs)) return refuse(turn, inbox, "limit");
  if (state.sessionsFull && session === SESSION_NONE) return refuse(turn, inbox, "limit");
  const timeoutMs = grantedMs(state.options, item.timeoutMs);
  const wish = { session, password, timeoutMs };
  const isNew = session === SESSION_NONE;
  const phase: Connection["phase"] = isNew
    ? { kind: "attaching", wish, supersededAt: 0 }
    : { kind: "checking", wish, sinceMs: nowMs };
  const { nextConnection: number, who } = state;
  const connection = newConnection(number, { inbox, who, phase }, nowMs);
  state.nextConnection += 1;
  state.connections.set(connection.number, connection);
  state.byInbox.set(inbox, connection);
  if (!isNew) return checkSession(turn, connection, wish);
  const drawn = turn.randomBytes(PASSWORD_BYTES);
  submit(turn, connection, { kind: "createSession", timeoutMs, password: drawn });
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
  if (verdict === "wrong") state.wrongPasswords += 1;
  if (verdict === "wrong" || verdict === "unknown") return end(turn, connection, "expired");
  if (verdict === "behind" || state.leader.kind === "lost" || state.admission === "none") {
    return end(turn, connection, "noLeader");
  }
  const { timeoutMs, password } = wish;
  const session = wish.session as SessionId;
  endOthers(turn, session);
  enter(state.sessions, connection, { kind: "attaching", wish, supersededAt: 0 });
  submit(turn, connection, { kind: "attachSession", session, timeoutMs, password });
}

/** A session has one native connection here: one that came before ends as soon as the password of a later one is right. */
function endOthers(turn: Turn, session: SessionId): void {
  const { holders, attaching } = turn.state.sessions;
  const holder = holders.get(session);
  if (holder !== undefined) end(turn, holder, "moved");
  for (const other of attaching.get(session) ?? []) end(turn, other, "moved");
}

/** The client proves an identity, or is told that it does not. */
export function prove(
  turn: Turn,
  connection: Connection,
  { data }: Extract<ClientItem, { readonly kind: "auth" }>,
): void {
  const who = withDigest(turn.state.options.digests, connection.who, data);
  if (who === undefined) end(turn, connection, "authFailed");
  else connection.who = who;
}

/** Logs once in a while how many wrong passwords there were. */
export function noteWrongPasswords({ state, effects }: Turn): void {
  const times = state.wrongPasswords;
  if (times === 0) return;
  state.wrongPasswords = 0;
  const detail = { times, hint: "a client asked for a session with a password that is not its" };
  effects.push(logEvent("wrongPassword", detail));
}

/** The connection's createSession or attachSession has come back. */
export function finishOpening(turn: Turn, connection: Connection, result: OperationResult): void {
  const { state } = turn;
  const { phase } = connection;
  if (phase.kind !== "attaching" || result.kind !== "session") {
    return end(turn, connection, "expired");
  }
  const { session, password, timeoutMs, attachedAt, requests } = result;
  if (phase.supersededAt > attachedAt) return end(turn, connection, "moved");
  enter(state.sessions, connection, { kind: "attached", session, attachedAt, timeoutMs });
  if (requests !== undefined) {
    const kept = new Map(requests.kept.map((each) => [each.number, each] as const));
    connection.before = { last: requests.last, kept };
    connection.lastWrite = requests.last;
    connection.keptAtMost = requests.kept.length;
  }
  state.contact.touched.add(session);
  const { server, lane } = state.options;
  const { zxid } = state;
  push(turn, connection, { kind: "opened", session, password, timeoutMs, server, lane, zxid }, 0);
}

/** Ends who has been silent for a session's time, or without a leader for too long; reports the others as alive. */
export function tick(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  for (const connection of state.connections.values()) {
    const { phase, clientHeardMs } = connection;
    if (phase.kind === "ended") continue;
    const timeoutMs = timeoutMsOf(phase);
    if (nowMs - clientHeardMs > timeoutMs) forget(turn, connection);
    else if (isLeaderless(turn, timeoutMs) || isWithheldTooLong(turn, connection, timeoutMs)) {
      end(turn, connection, "noLeader");
    } else if (keepsInVain(connection)) logAnswered(turn, connection);
    // The requests may have waited because the gateway held too much for all.
    else if (connection.queue.undispatched) pump(turn, connection);
  }
  forgive(state.offenders, nowMs);
  effects.push(...tellTouched(state.contact, state.name, nowMs));
}

function isLeaderless({ state, nowMs }: Turn, timeoutMs: number): boolean {
  const { leader, options } = state;
  if (leader.kind === "known") return false;
  return nowMs - leader.sinceMs >= graceMs(options.failoverGraceMs, timeoutMs, tickMs(options));
}

function isWithheldTooLong(turn: Turn, connection: Connection, timeoutMs: number): boolean {
  const { state, nowMs } = turn;
  if (!state.sessions.withheld.has(connection)) return false;
  return nowMs + tickMs(state.options) > withheldUntilMs(connection.leaderHeardMs, timeoutMs);
}
