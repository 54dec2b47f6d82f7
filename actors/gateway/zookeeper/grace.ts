/** A connection is kept for a while without a leader, and for a while when its answers are withheld; see ../contact.ts. */
import { servedBy } from "../attachment.ts";
import { answerUntilMs, graceMs, withheldUntilMs } from "../contact.ts";
import { refuse } from "./connections.ts";
import type { Connection, Turn } from "./state.ts";

/** Sees to it that the grace ends for the connection if no leader comes in time. False: it is over. */
export function keepUntilGraceEnds(turn: Turn, timeoutMs: number): boolean {
  const { state, nowMs } = turn;
  if (state.leader.kind === "known") return true;
  const dueMs = state.leader.sinceMs + graceMs(state.options.failoverGraceMs, timeoutMs, 0);
  if (dueMs <= nowMs) return false;
  wakeAt(turn, "grace", dueMs);
  return true;
}

/**
 * Says whether an answer may leave. If not, the connection is kept for a while, for news of the leader; its client hears nothing
 * meanwhile.
 */
export function mayAnswer(turn: Turn, connection: Connection): boolean {
  const { state, nowMs } = turn;
  const { leaderHeardMs } = connection;
  const served = servedBy(connection);
  if (served === undefined) return false;
  if (nowMs <= answerUntilMs(leaderHeardMs, served.timeoutMs)) return true;
  const dueMs = withheldUntilMs(leaderHeardMs, served.timeoutMs);
  if (dueMs <= nowMs) {
    refuse(turn, connection, "the leader may no longer count on its session");
    return false;
  }
  state.sessions.withheld.add(connection);
  wakeAt(turn, "withheld", dueMs);
  return false;
}

/** Starts the timer, unless it fires before that anyway. */
export function wakeAt(
  { state, nowMs, effects }: Turn,
  timer: "grace" | "withheld",
  dueMs: number,
): void {
  const runsUntilMs = state.due[timer];
  if (runsUntilMs !== undefined && runsUntilMs <= dueMs) return;
  state.due[timer] = dueMs;
  effects.push({ kind: "startTimer", timer, afterMs: Math.max(1, Math.ceil(dueMs - nowMs)) });
}
