/**
 * What connections notice of a lost leader: nothing for a while, then they are closed. Meanwhile reads and pings are answered
 * and writes wait.
 */
import { tell } from "../../inboxes.ts";
import type { Leadership } from "../../log-sync/messages.ts";
import { close } from "./connections.ts";
import { graceMs, keepUntilGraceEnds } from "./grace.ts";
import { askForSession } from "./handshake.ts";
import { advance, answerPings } from "./requests.ts";
import type { Turn } from "./state.ts";

export function followLeadership(turn: Turn, { role }: Leadership): void {
  const { state } = turn;
  const serving = role === "following" || role === "leading";
  if (serving === state.serving) return;
  state.serving = serving;
  if (serving) resume(turn);
  else suspend(turn);
}

function suspend(turn: Turn): void {
  const { state } = turn;
  state.leaderlessSinceMs = turn.context.nowMs;
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
  const { state, context, effects } = turn;
  state.graceDueMs = undefined;
  if (state.serving) return;
  const waitedMs = context.nowMs - state.leaderlessSinceMs;
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
  effects.push({ kind: "log", level: "warn", event: "closedWithoutLeader", detail });
}

/** Tells the heartbeat actor soon which sessions have been heard of. Without a leader nobody could use it: it waits. */
export function startTouchTimer({ state, effects }: Turn): void {
  if (state.touchTimerRuns || !state.serving || state.touched.size === 0) return;
  state.touchTimerRuns = true;
  const afterMs = Math.min(TOUCH_INTERVAL_MS, state.options.minSessionTimeoutMs / 8);
  effects.push({ kind: "startTimer", timer: "touch", afterMs: Math.max(1, Math.floor(afterMs)) });
}

const TOUCH_INTERVAL_MS = 250;

export function flushTouched({ state, effects }: Turn): void {
  state.touchTimerRuns = false;
  if (!state.serving || state.touched.size === 0) return;
  effects.push(tell("heartbeat", { kind: "touched", sessions: [...state.touched] }));
  state.touched.clear();
}
