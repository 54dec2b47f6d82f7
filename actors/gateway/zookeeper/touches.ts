/** The heartbeat actor is told which sessions have been heard of: together, and not more often than needed. */
import type { SessionId } from "../../../protocol/ids.ts";
import { tellTouched, touchesMs } from "../contact.ts";
import type { Turn } from "./state.ts";

/** The session's client is alive. */
export function touch(turn: Turn, session: SessionId): void {
  turn.state.contact.touched.add(session);
  startTouchTimer(turn);
}

/** Starts the timer if there is something to tell. While no leader is known nobody could use the news, so it waits. */
export function startTouchTimer({ state, effects }: Turn): void {
  const { touched, probing } = state.contact;
  if (state.touchTimerRuns || state.leader.kind === "lost") return;
  if (touched.size === 0 && !probing) return;
  state.touchTimerRuns = true;
  const afterMs = touchesMs(state.options.minSessionTimeoutMs);
  effects.push({ kind: "startTimer", timer: "touch", afterMs });
}

export function flushTouched({ state, effects, nowMs }: Turn): void {
  state.touchTimerRuns = false;
  if (state.leader.kind === "lost") return;
  effects.push(...tellTouched(state.contact, state.name, nowMs));
}
