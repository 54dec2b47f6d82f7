/**
 * Checks that a leader ends a session only when no client relies on it any more. A client may rely on it for two thirds of the timeout
 * after the server wrote the last answer, so also after the client asked. A client that counts from when it received the answer may be
 * late by as long as the answer was on its way, and by no more.
 */
import type { Holder } from "../client/environment.ts";
import { must } from "./violation.ts";

/** Called when the leader ends a session. */
export type Ended = { readonly atMs: number; readonly timeoutMs: number };

const SLACK_MS = 5;

/** Returns how many clients still rely on the session because they count from when they received the last answer. */
export function checkSessionSafety(
  holders: readonly Holder[],
  of: {
    readonly session: number;
    readonly timeoutMs: number;
    readonly nowMs: number;
    /** How far the rate of any clock is from 1. */
    readonly driftMax: number;
  },
): number {
  let outlived = 0;
  for (const { name, lastAnswer, session, clock, validForMs = 0 } of holders) {
    const isValid =
      session?.id === of.session && session.timeoutMs <= of.timeoutMs && validForMs > 0;
    must(!isValid, "session safety", () => {
      return `${name} says that its session is valid for ${validForMs.toFixed(0)} ms more, and it is ended`;
    });
    // Another client of the session may have changed its timeout since.
    if (session?.id !== of.session || lastAnswer === undefined) continue;
    const timeoutMs = Math.min(session.timeoutMs, of.timeoutMs);
    const slackMs = SLACK_MS + timeoutMs * driftShare(of.driftMax);
    const { askedMs, writtenMs, heardMs } = lastAnswer;
    const countedFrom = (fromMs: number): number =>
      fromMs + (timeoutMs * 2) / 3 / clock.rate - of.nowMs - slackMs;
    const text = (leftMs: number, what: string): string =>
      `${name} counts on session 0x${of.session.toString(16)} for ${leftMs.toFixed(0)} ms after what it ${what}, and it is ended`;
    const wasWritten = countedFrom(writtenMs);
    const wasAsked = countedFrom(askedMs);
    const wasHeard = countedFrom(heardMs);
    must(wasWritten <= 0, "session safety", () => text(wasWritten, "was answered"));
    must(wasAsked <= 0, "session safety", () => text(wasAsked, "has an answer to"));
    const onItsWayMs = heardMs - writtenMs;
    must(wasHeard <= onItsWayMs, "session safety", () => text(wasHeard - onItsWayMs, "heard"));
    if (wasHeard > 0) outlived += 1;
  }
  return outlived;
}

/**
 * An answer is received now: the session must not have ended yet, nor end within two thirds of its timeout after the answer was
 * written.
 */
export function checkAnswer(
  { name, lastAnswer, session, clock }: Holder,
  ended: Ended | undefined,
  driftMax: number,
): void {
  if (session === undefined || lastAnswer === undefined || ended === undefined) return;
  const timeoutMs = Math.min(session.timeoutMs, ended.timeoutMs);
  const slackMs = SLACK_MS + timeoutMs * driftShare(driftMax);
  const untilMs = lastAnswer.writtenMs + (timeoutMs * 2) / 3 / clock.rate;
  must(untilMs <= ended.atMs + slackMs, "session safety", () => {
    const lateMs = (untilMs - ended.atMs).toFixed(0);
    return `${name} is answered for session 0x${session.id.toString(16)}, counts on it for ${lateMs} ms too long, and it has ended`;
  });
}

/**
 * Part of a timeout by which clocks may disagree about its end: the leader's runs fast, those of the client (two thirds of
 * the timeout) and of its node (one third) slow.
 */
function driftShare(driftMax: number): number {
  return 1 / (1 - driftMax) - 1 / (1 + driftMax);
}
