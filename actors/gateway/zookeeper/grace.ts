/**
 * How long a connection is kept without a leader (less than a third of its session's timeout), and how long one whose answers
 * wait because the leader may not have heard of its session; see ../contact.ts.
 */
import { answerUntilMs, waitUntilMs } from "../contact.ts";
import { refuse } from "./connections.ts";
import type { Connection, State, Turn } from "./state.ts";

/** Sees to it that the connection is closed if no leader comes in time. */
export function keepUntilGraceEnds(turn: Turn, connection: Connection, timeoutMs: number): void {
  const { state, nowMs, effects } = turn;
  const dueMs = state.leaderlessSinceMs + graceMs(state, timeoutMs);
  if (dueMs <= nowMs) {
    refuse(turn, connection, "no leader is known");
  } else if (state.graceDueMs === undefined || dueMs < state.graceDueMs) {
    state.graceDueMs = dueMs;
    effects.push({ kind: "startTimer", timer: "grace", afterMs: Math.ceil(dueMs - nowMs) });
  }
}

export function graceMs({ options }: State, timeoutMs: number): number {
  return Math.min(options.failoverGraceMs, Math.ceil(timeoutMs / 3) - 1);
}

/**
 * Whether an answer may leave. If not, the connection is kept for a while, for news of the leader; its client hears nothing
 * meanwhile.
 */
export function mayAnswer(turn: Turn, connection: Connection): boolean {
  const { state, nowMs } = turn;
  const { phase, heardMs } = connection;
  if (phase.kind !== "attached") return false;
  if (nowMs <= answerUntilMs(heardMs, phase.timeoutMs)) return true;
  const dueMs = waitUntilMs(heardMs, phase.timeoutMs);
  if (dueMs <= nowMs) {
    refuse(turn, connection, "the leader may no longer count on its session");
    return false;
  }
  state.waiting.add(connection);
  startWaitingTimer(turn, dueMs);
  return false;
}

export function startWaitingTimer({ state, nowMs, effects }: Turn, dueMs: number): void {
  if (state.waitingDueMs !== undefined && state.waitingDueMs <= dueMs) return;
  state.waitingDueMs = dueMs;
  const afterMs = Math.max(1, Math.ceil(dueMs - nowMs));
  effects.push({ kind: "startTimer", timer: "waiting", afterMs });
}
