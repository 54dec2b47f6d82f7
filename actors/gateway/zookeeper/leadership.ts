/**
 * Connections notice nothing of a lost leader for a while, then they are closed. Meanwhile reads and pings are answered and writes
 * wait.
 */
import { logEvent } from "../../log-event.ts";
import { servedBy } from "../attachment.ts";
import { withheldUntilMs } from "../contact.ts";
import { close, refuse } from "./connections.ts";
import { keepUntilGraceEnds, wakeAt } from "./grace.ts";
import { askForSession } from "./handshake.ts";
import { askReadOnly, endReadOnly, endSilent, maySettle } from "./read-only.ts";
import { advance, answerPings } from "./requests.ts";
import { startTouchTimer } from "./touches.ts";
import type { Connection, Phase, Turn } from "./state.ts";

/** The leader was found or lost, or the ensemble does not take all writes any more. */
export function led(turn: Turn, leader: "found" | "lost" | "same", isShort: boolean): void {
  if (leader === "found") resume(turn);
  else if (leader === "lost") suspend(turn);
  if (isShort) runShort(turn);
}

/** Writes that wait here are refused; those handed on may wait for long, so pings are answered before them. */
function runShort(turn: Turn): void {
  for (const connection of turn.state.connections.values()) {
    if (servedBy(connection) === undefined) continue;
    answerPings(turn, connection);
    if (servedBy(connection) !== undefined) advance(turn, connection);
  }
}

function suspend(turn: Turn): void {
  for (const connection of turn.state.connections.values()) {
    const { phase } = connection;
    if (servedBy(connection) !== undefined) answerPings(turn, connection);
    const timeoutMs = graceTimeoutMs(phase);
    if (timeoutMs !== undefined && !keepUntilGraceEnds(turn, timeoutMs))
      refuse(turn, connection, "no leader is known");
  }
}

function resume(turn: Turn): void {
  const { state, effects } = turn;
  if (state.due.grace !== undefined) effects.push({ kind: "stopTimer", timer: "grace" });
  state.due.grace = undefined;
  endReadOnly(turn);
  for (const connection of state.connections.values()) {
    const { phase } = connection;
    if (phase.kind === "awaitingLeader") askForSession(turn, connection, phase.wish);
    else if (servedBy(connection) !== undefined) advance(turn, connection);
  }
  startTouchTimer(turn);
}

/** Returns the session timeout of a connection that is kept for a while without a leader; undefined for others. */
function graceTimeoutMs(phase: Phase): number | undefined {
  switch (phase.kind) {
    case "attached":
    case "closing":
      return phase.readOnly === undefined ? phase.timeoutMs : undefined;
    case "attaching":
    case "awaitingLeader":
      return phase.wish.timeoutMs;
    default:
      return undefined;
  }
}

/** Closes the connections whose time is up, or serves them without a leader, and waits for the next. */
export function endGrace(turn: Turn): void {
  const { state, nowMs, effects } = turn;
  state.due.grace = undefined;
  if (state.leader.kind === "known") return;
  const waitedMs = nowMs - state.leader.sinceMs;
  let closed = 0;
  for (const connection of state.connections.values()) {
    const { phase } = connection;
    const timeoutMs = graceTimeoutMs(phase);
    if (timeoutMs === undefined) {
      if (servedBy(connection) !== undefined) endSilent(turn, connection);
    } else if (keepUntilGraceEnds(turn, timeoutMs)) {
      continue;
    } else if (phase.kind === "awaitingLeader" && maySettle(state, phase.wish)) {
      askReadOnly(turn, connection, phase.wish);
    } else {
      close(turn, connection);
      closed += 1;
    }
  }
  if (closed === 0) return;
  const detail = { connections: closed, waitedMs: Math.round(waitedMs) };
  effects.push(logEvent("closedWithoutLeader", detail));
}

/** The leader has heard of the connection's session: the answers that waited for that leave. */
export function released(turn: Turn, connection: Connection): void {
  // A ping that came too early to be answered stands behind writes by now.
  if (turn.state.admission !== "all") answerPings(turn, connection);
  advance(turn, connection);
}

/** Closes the connections whose answers have been withheld for too long. */
export function endWithheld(turn: Turn): void {
  const { state, nowMs, effects } = turn;
  state.due.withheld = undefined;
  let closed = 0;
  for (const connection of state.sessions.withheld) {
    const served = servedBy(connection);
    if (served === undefined) continue;
    const dueMs = withheldUntilMs(connection.leaderHeardMs, served.timeoutMs);
    if (dueMs <= nowMs) {
      close(turn, connection);
      closed += 1;
    } else {
      wakeAt(turn, "withheld", dueMs);
    }
  }
  if (closed === 0) return;
  const detail = { connections: closed };
  effects.push(logEvent("closedOutOfContact", detail));
}
