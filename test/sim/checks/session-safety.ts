/** A session is ended by the leader only when no client counts on it any more. */
import { must } from "./violation.ts";

type Holder = {
  readonly name: string;
  readonly session: { readonly id: number; readonly timeoutMs: number } | undefined;
  /** Until when it may count on its session, by its own clock. */
  readonly safeUntilMs: number | undefined;
};

const SLACK_MS = 5;

/** `driftMax`: of the rates of all clocks, from 1. */
export function checkSessionSafety(
  holders: readonly Holder[],
  session: number,
  nowMs: number,
  driftMax: number,
): void {
  for (const { name, safeUntilMs, session: own } of holders) {
    if (own?.id !== session || safeUntilMs === undefined) continue;
    const slackMs = SLACK_MS + own.timeoutMs * driftShare(driftMax);
    const leftMs = safeUntilMs - nowMs;
    must(leftMs <= slackMs, "session safety", () => {
      return `${name} counts on session 0x${session.toString(16)} for ${leftMs.toFixed(0)} ms, and it is ended`;
    });
  }
}

/**
 * Part of a timeout by which clocks may disagree about its end: the leader's runs fast, those of the client (two thirds of
 * the timeout) and of its node (one third) slow.
 */
function driftShare(driftMax: number): number {
  return 1 / (1 - driftMax) - 1 / (1 + driftMax);
}
