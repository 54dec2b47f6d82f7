/** How connections of native clients begin and end: handshake, sessions, silence, a leader that stays away. */
import { logEvent } from "../../log-event.ts";
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { NATIVE_CONNECTIONS_MAX } from "../../../protocol/limits.ts";
import { type ClientItem, NATIVE_VERSION } from "../../../protocol/native.ts";
import type { Operation, OperationResult } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { Written } from "../../submitter/messages.ts";
import type { SessionChanges, TreeReply } from "../../tree/messages.ts";
import type { LeaderHeard } from "../../heartbeat/messages.ts";
import { isOfNoEpoch, takeHeard, tellTouched, waitUntilMs } from "../contact.ts";
import { forgive, mustWait } from "./offenders.ts";
import { end, flush, forget, push, refuse } from "./output.ts";
import { pump } from "./requests.ts";
import type { Connection, State, Turn } from "./state.ts";

/** How often silence and grace times are looked at. */
export const TICK_MS = 200;

export function open(
  turn: Turn,
  inbox: string,
  item: Extract<ClientItem, { readonly kind: "open" }>,
): void {
  const { state, effects, nowMs } = turn;
  if (item.version !== NATIVE_VERSION) return refuse(turn, inbox, "version");
  if (item.password.length !== PASSWORD_BYTES) return refuse(turn, inbox, "badFrame");
  if (!state.serving || state.admission === "none") return refuse(turn, inbox, "noLeader");
  if (state.connections.size >= NATIVE_CONNECTIONS_MAX) return refuse(turn, inbox, "limit");
  if (mustWait(state.offenders, item.session, nowMs)) return refuse(turn, inbox, "limit");
  if (state.sessionsFull && item.session === SESSION_NONE) return refuse(turn, inbox, "limit");
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = state.options.timeouts;
  const timeoutMs = Math.min(Math.max(item.timeoutMs, minSessionTimeoutMs), maxSessionTimeoutMs);
  const connection = newConnection(state.nextConnection, inbox, timeoutMs, item.session, nowMs);
  state.nextConnection += 1;
  state.connections.set(connection.number, connection);
  state.byInbox.set(inbox, connection);
  const { session, password } = item;
  if (session === SESSION_NONE) {
    const random = turn.randomBytes(PASSWORD_BYTES);
    submit(turn, connection, { kind: "createSession", timeoutMs, password: random });
    return;
  }
  // Nothing happens to the session, nor to its connection, before the password is known to be right.
  connection.phase = { kind: "checking", session, password, sinceMs: nowMs };
  if (isOfNoEpoch(session, state.epoch)) {
    state.contact.probing = true;
    state.impossible.add(connection);
  }
  const [from, client] = [state.name, connection.number];
  const check = { kind: "checkSession", from, client, session, password } as const;
  effects.push(tell(`tree/${state.options.lane}`, check));
}

function submit({ state, effects }: Turn, connection: Connection, operation: Operation): void {
  const [from, client] = [state.name, connection.number];
  const write = { kind: "write", from, client, operations: [operation] } as const;
  effects.push(tell(`submitter/${state.options.lane}`, write));
}

/** What this lane's replica knows of the session that a connection asked for. */
export function checkedCame(
  turn: Turn,
  message: Extract<TreeReply, { readonly kind: "sessionChecked" }>,
): void {
  const { state } = turn;
  const connection = state.connections.get(message.client);
  if (connection?.phase.kind !== "checking") return;
  const { session, password } = connection.phase;
  const { verdict } = message;
  if (verdict === "wrong") state.wrongPasswords += 1;
  if (verdict === "wrong" || verdict === "unknown") return end(turn, connection, "expired");
  if (verdict === "behind" || !state.serving || state.admission === "none") {
    return end(turn, connection, "noLeader");
  }
  connection.phase = { kind: "opening", session, supersededAt: 0 };
  takeSession(turn, session, connection);
  const { timeoutMs } = connection;
  submit(turn, connection, { kind: "attachSession", session, timeoutMs, password });
}

/** Once in a while, with how many there were. */
export function noteWrongPasswords({ state, effects }: Turn): void {
  const times = state.wrongPasswords;
  if (times === 0) return;
  state.wrongPasswords = 0;
  const detail = { times, hint: "a client asked for a session with a password that is not its" };
  effects.push(logEvent("wrongPassword", detail));
}

/** The result of the connection's createSession or attachSession. */
export function openedCame(turn: Turn, connection: Connection, message: Written): void {
  const result: OperationResult | undefined = message.results[0];
  const { phase } = connection;
  if (phase.kind !== "opening" || result?.kind !== "session") {
    return end(turn, connection, "expired");
  }
  const { session, password, timeoutMs, attachedAt } = result;
  if (phase.supersededAt > attachedAt) return end(turn, connection, "moved");
  connection.phase = { kind: "open", session, attachedAt };
  turn.state.bySession.set(session, connection);
  turn.state.contact.touched.add(session);
  if (attachedAt > turn.state.zxid) turn.state.zxid = attachedAt;
  const { server, lane } = turn.state.options;
  const zxid = turn.state.zxid;
  push(turn, connection, { kind: "opened", session, password, timeoutMs, server, lane, zxid }, 0);
}

export function sessionsChanged(turn: Turn, message: SessionChanges): void {
  const { bySession } = turn.state;
  for (const { session, attachedAt } of message.attached) {
    const connection = bySession.get(session);
    if (connection !== undefined) supersede(turn, connection, attachedAt);
  }
  for (const session of message.closed) {
    const connection = bySession.get(session);
    if (connection === undefined) continue;
    // The answer to the client's own closeSession is on its way.
    if (connection.phase.kind === "open") end(turn, connection, "expired");
    else if (connection.phase.kind === "opening") connection.phase.supersededAt = Infinity;
  }
}

/** Ends who has been silent for a session's time, or without a leader for too long; reports the others as alive. */
export function tick(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  for (const connection of state.connections.values()) {
    const { timeoutMs, heardAtMs, leaderHeardMs } = connection;
    const isLeaderless =
      !state.serving && nowMs - state.leaderlessSinceMs >= graceMs(state, timeoutMs);
    const isHeld =
      state.held.has(connection) && nowMs + TICK_MS > waitUntilMs(leaderHeardMs, timeoutMs);
    if (nowMs - heardAtMs > timeoutMs) forget(turn, connection);
    else if (isLeaderless || isHeld) end(turn, connection, "noLeader");
    // The gateway may have held too much for all.
    else if (connection.waiting.length > 0) pump(turn, connection);
  }
  forgive(state.offenders, nowMs);
  effects.push(...tellTouched(state.contact, state.name, nowMs));
}

/** The leader has heard of sessions: what waited for that leaves. */
export function leaderHeard(turn: Turn, { turns }: LeaderHeard): void {
  const { state } = turn;
  const untilMs = takeHeard(state.contact, turns[state.name], (session, atMs) => {
    const connection = state.bySession.get(session);
    if (connection === undefined || connection.leaderHeardMs >= atMs) return;
    connection.leaderHeardMs = atMs;
    if (state.held.delete(connection)) flush(turn, connection);
  });
  for (const connection of state.impossible) {
    const { phase } = connection;
    if (phase.kind !== "checking" || !isOfNoEpoch(phase.session, state.epoch)) {
      state.impossible.delete(connection);
    } else if (phase.sinceMs <= untilMs) {
      end(turn, connection, "expired");
    }
  }
}

/** The replica went on from a snapshot: what the connections wait for is gone. Their clients attach again. */
export function closeAll(turn: Turn, event: "closedForSnapshot" | "closedAfterFailure"): void {
  const connections = [...turn.state.connections.values()];
  for (const connection of connections) end(turn, connection, "unknown");
  const detail = { connections: connections.length };
  turn.effects.push(logEvent(event, detail));
}

/** Before a third of the session's time has passed, so that a client never counts on a session that the leader ends. */
function graceMs(state: State, timeoutMs: number): number {
  return Math.min(state.options.failoverGraceMs, timeoutMs / 3 - TICK_MS);
}

function supersede(turn: Turn, connection: Connection, attachedAt: Zxid): void {
  const { phase } = connection;
  if (phase.kind === "opening") {
    phase.supersededAt = Math.max(phase.supersededAt, attachedAt);
  } else if ("attachedAt" in phase && attachedAt > phase.attachedAt) {
    end(turn, connection, "moved");
  }
}

/** A session has one connection: an older one here ends. */
function takeSession(turn: Turn, session: SessionId, connection: Connection): void {
  const before = turn.state.bySession.get(session);
  if (before !== undefined) end(turn, before, "moved");
  turn.state.bySession.set(session, connection);
}

function newConnection(
  number: number,
  inbox: string,
  timeoutMs: number,
  session: SessionId,
  nowMs: number,
): Connection {
  return {
    number,
    inbox,
    timeoutMs,
    phase: { kind: "opening", session, supersededAt: 0 },
    heardAtMs: nowMs,
    leaderHeardMs: nowMs,
    received: 0,
    sent: 0,
    waiting: [],
    writes: [],
    reads: [],
    requestBytes: 0,
    out: [],
    outBytes: 0,
    untaken: [],
    untakenBytes: 0,
    streams: new Map(),
    treeStreams: new Map(),
  };
}
