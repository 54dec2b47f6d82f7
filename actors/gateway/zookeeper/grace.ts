/**
 * How long a connection is kept without a leader: less than a third of its session's timeout, since a client counts its session
 * as safe for two thirds of the timeout after the last answer, and the leader expires it a full timeout after the last touch.
 */
import { refuse } from "./connections.ts";
import type { Connection, State, Turn } from "./state.ts";

/** Sees to it that the connection is closed if no leader comes in time. */
export function keepUntilGraceEnds(turn: Turn, connection: Connection, timeoutMs: number): void {
  const { state, context, effects } = turn;
  const dueMs = state.leaderlessSinceMs + graceMs(state, timeoutMs);
  if (dueMs <= context.nowMs) {
    refuse(turn, connection, "no leader is known");
  } else if (state.graceDueMs === undefined || dueMs < state.graceDueMs) {
    state.graceDueMs = dueMs;
    effects.push({ kind: "startTimer", timer: "grace", afterMs: Math.ceil(dueMs - context.nowMs) });
  }
}

export function graceMs({ options }: State, timeoutMs: number): number {
  return Math.min(options.failoverGraceMs, Math.ceil(timeoutMs / 3) - 1);
}
