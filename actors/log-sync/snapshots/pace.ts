/**
 * When a follower asks for a chunk again. A chunk may take long over a slow link, and to ask again too early would fill the link with
 * copies of it. So the time depends on how long chunks have taken. Only a chunk that was asked for once is measured (Karn and Partridge
 * 1987). After a repetition the time is doubled, and stays so until the next measurement (RFC 6298, sections 3 and 5.5).
 */

/** Milliseconds after which the first chunk is asked for again, and the least that is ever waited. */
const AGAIN_MS_MIN = 300;
const AGAIN_MS_MAX = 10_000;

export type Pace = {
  /** When the chunk was last asked for. */
  askedAtMs: number;
  /** Milliseconds after which a chunk is asked for again. */
  againMs: number;
  /** Whether the chunk was asked for more than once. */
  isRepeated: boolean;
};

export function startPace(nowMs: number): Pace {
  return { askedAtMs: nowMs, againMs: AGAIN_MS_MIN, isRepeated: false };
}

/** Must be called when a chunk is asked for the first time. */
export function noteAsked(pace: Pace, nowMs: number): void {
  pace.askedAtMs = nowMs;
  pace.isRepeated = false;
}

/** Returns true if the chunk must be asked for again now. The caller does that: it is noted as done. */
export function isDueAgain(pace: Pace, nowMs: number): boolean {
  if (nowMs - pace.askedAtMs < pace.againMs) return false;
  pace.askedAtMs = nowMs;
  pace.againMs = Math.min(2 * pace.againMs, AGAIN_MS_MAX);
  pace.isRepeated = true;
  return true;
}

/** Must be called when the chunk that was asked for has come. */
export function noteCame(pace: Pace, nowMs: number): void {
  if (pace.isRepeated) return;
  const tookMs = nowMs - pace.askedAtMs;
  pace.againMs = Math.min(Math.max(2 * tookMs, AGAIN_MS_MIN), AGAIN_MS_MAX);
}
