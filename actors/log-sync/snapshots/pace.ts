/**
 * When a chunk that was asked for is asked for again. A chunk may be long on its way over a slow link, and asking for it too early
 * fills the link with copies of it, so the time follows what chunks have taken: only a chunk that was asked for once tells that
 * (Karn and Partridge 1987), and after a repetition the time is doubled and stays so until one does (RFC 6298, sections 3 and 5.5).
 */

/** Before anything is known of the link. */
const AGAIN_MS_MIN = 300;
const AGAIN_MS_MAX = 10_000;

export type Pace = {
  askedAtMs: number;
  againMs: number;
  /** The chunk that is waited for was asked for more than once. */
  isRepeated: boolean;
};

export function startPace(nowMs: number): Pace {
  return { askedAtMs: nowMs, againMs: AGAIN_MS_MIN, isRepeated: false };
}

/** A chunk is asked for that was not asked for before. */
export function noteAsked(pace: Pace, nowMs: number): void {
  pace.askedAtMs = nowMs;
  pace.isRepeated = false;
}

/** True: the chunk is to be asked for again now, and this counts as done. */
export function isDueAgain(pace: Pace, nowMs: number): boolean {
  if (nowMs - pace.askedAtMs < pace.againMs) return false;
  pace.askedAtMs = nowMs;
  pace.againMs = Math.min(2 * pace.againMs, AGAIN_MS_MAX);
  pace.isRepeated = true;
  return true;
}

/** The chunk that was asked for has come. */
export function noteCame(pace: Pace, nowMs: number): void {
  if (pace.isRepeated) return;
  const tookMs = nowMs - pace.askedAtMs;
  pace.againMs = Math.min(Math.max(2 * tookMs, AGAIN_MS_MIN), AGAIN_MS_MAX);
}
