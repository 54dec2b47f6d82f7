/** Tells the heartbeat actor which sessions have been heard of: together, and not more often than needed. */
import { tellTouched } from "../contact.ts";
import type { Turn } from "./state.ts";

/** Tells the heartbeat actor soon which sessions have been heard of. Without a leader nobody could use it: it waits. */
export function startTouchTimer({ state, effects }: Turn): void {
  const { touched, probing } = state.contact;
  if (state.touchTimerRuns || !state.serving || (touched.size === 0 && !probing)) return;
  state.touchTimerRuns = true;
  const afterMs = Math.min(TOUCH_INTERVAL_MS, state.options.minSessionTimeoutMs / 8);
  effects.push({ kind: "startTimer", timer: "touch", afterMs: Math.max(1, Math.floor(afterMs)) });
}

const TOUCH_INTERVAL_MS = 250;

export function flushTouched({ state, effects, nowMs }: Turn): void {
  state.touchTimerRuns = false;
  if (state.serving) effects.push(...tellTouched(state.contact, state.name, nowMs));
}
