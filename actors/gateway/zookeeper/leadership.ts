/**
 * What connections notice of a lost leader: nothing for a while, then they are closed. Meanwhile reads and pings are answered
 * and writes wait.
 */
import { logEvent } from "../../log-event.ts";
import type { LeaderHeard } from "../../heartbeat/messages.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import { takeHeard, waitUntilMs } from "../contact.ts";
import { close } from "./connections.ts";
import { graceMs, keepUntilGraceEnds, startWaitingTimer } from "./grace.ts";
import { askForSession, refuseImpossibleSessions } from "./handshake.ts";
import { advance, answerPings } from "./requests.ts";
import { startTouchTimer } from "./touches.ts";
import type { Turn } from "./state.ts";

export function followLeadership(turn: Turn, { role, admission, epoch }: Leadership): void {
  const { state } = turn;
  const serving = role === "following" || role === "leading";
  const isShort = admission !== "all" && admission !== state.admission;
  state.admission = admission;
  state.epoch = epoch;
  if (serving !== state.serving) {
    state.serving = serving;
    if (serving) resume(turn);
    else suspend(turn);
  }
  if (isShort) runShort(turn);
}

/** Writes that wait here are refused; those handed on may wait for long, so pings are answered before them. */
function runShort(turn: Turn): void {
  for (const connection of turn.state.connections.values()) {
    if (connection.phase.kind !== "attached") continue;
    answerPings(turn, connection);
    if (connection.phase.kind === "attached") advance(turn, connection);
  }
}

function suspend(turn: Turn): void {
  const { state } = turn;
  state.leaderlessSinceMs = turn.nowMs;
  for (const connection of state.connections.values()) {
    const { phase } = connection;
    if (phase.kind === "attached") answerPings(turn, connection);
    if (phase.kind === "attached" || phase.kind === "connecting") {
      keepUntilGraceEnds(turn, connection, phase.timeoutMs);
    }
  }
}

function resume(turn: Turn): void {
  const { state, effects } = turn;
  if (state.graceDueMs !== undefined) effects.push({ kind: "stopTimer", timer: "grace" });
  state.graceDueMs = undefined;
  for (const connection of state.connections.values()) {
    const { phase } = connection;
    if (phase.kind === "held") askForSession(turn, connection, phase.request, phase.timeoutMs);
    else if (phase.kind === "attached") advance(turn, connection);
  }
  startTouchTimer(turn);
}

/** Closes the connections whose time is up, and waits for the next. */
export function endGrace(turn: Turn): void {
  const { state, nowMs, effects } = turn;
  state.graceDueMs = undefined;
  if (state.serving) return;
  const waitedMs = nowMs - state.leaderlessSinceMs;
  let closed = 0;
  for (const connection of state.connections.values()) {
    const { phase } = connection;
    if (phase.kind !== "attached" && phase.kind !== "connecting" && phase.kind !== "held") continue;
    if (waitedMs >= graceMs(state, phase.timeoutMs)) {
      close(turn, connection);
      closed += 1;
    } else {
      keepUntilGraceEnds(turn, connection, phase.timeoutMs);
    }
  }
  if (closed === 0) return;
  const detail = { connections: closed, waitedMs: Math.round(waitedMs) };
  effects.push(logEvent("closedWithoutLeader", detail));
}

/** The leader has heard of sessions: what waited for that leaves. */
export function followHeard(turn: Turn, { turns }: LeaderHeard): void {
  const { state } = turn;
  const untilMs = takeHeard(state.contact, turns[state.name], (session, atMs) => {
    const connection = state.sessions.get(session);
    if (connection === undefined || connection.heardMs >= atMs) return;
    connection.heardMs = atMs;
    if (!state.waiting.delete(connection)) return;
    // A ping that came too early to be answered stands behind writes by now.
    if (state.admission !== "all") answerPings(turn, connection);
    advance(turn, connection);
  });
  refuseImpossibleSessions(turn, untilMs);
}

/** Closes the connections whose answers have waited for too long. */
export function endWaiting(turn: Turn): void {
  const { state, nowMs, effects } = turn;
  state.waitingDueMs = undefined;
  let closed = 0;
  for (const connection of state.waiting) {
    const { phase, heardMs } = connection;
    if (phase.kind !== "attached") continue;
    const dueMs = waitUntilMs(heardMs, phase.timeoutMs);
    if (dueMs <= nowMs) {
      close(turn, connection);
      closed += 1;
    } else {
      startWaitingTimer(turn, dueMs);
    }
  }
  if (closed === 0) return;
  const detail = { connections: closed };
  effects.push(logEvent("closedOutOfContact", detail));
}
