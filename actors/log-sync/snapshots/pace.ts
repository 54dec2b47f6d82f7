/**
 * When a chunk that was asked for is asked for again. A chunk may be long on its way over a slow link, and asking for it too early
 * fills the link with copies of it, so the time follows what chunks have taken. Only a chunk that was asked for once tells that
 * (Karn and Partridge 1987); after a repetition the time is doubled and stays so until one does (RFC 6298, sections 3 and 5.5).
 */

/** Before anything is known of the link. */
const AGAIN_MS_MIN = 300;
const AGAIN_MS_MAX = 10_000;

export type Pace = {
  /** When the chunk was asked for, the last time if more than once; undefined if it was not. */
  askedAtMs: number | undefined;
  againMs: number;
  isRepeated: boolean;
};

export function startPace(): Pace {
  return { askedAtMs: undefined, againMs: AGAIN_MS_MIN, isRepeated: false };
}

/** Whether the chunk is to be asked for now, for the first time or again. */
export function isDue({ askedAtMs, againMs }: Pace, nowMs: number): boolean {
  return askedAtMs === undefined || nowMs - askedAtMs >= againMs;
}

export function noteAsked(pace: Pace, nowMs: number): void {
  pace.isRepeated = pace.askedAtMs !== undefined;
  if (pace.isRepeated) pace.againMs = Math.min(2 * pace.againMs, AGAIN_MS_MAX);
  pace.askedAtMs = nowMs;
}

/** The chunk has come. */
export function noteCame(pace: Pace, nowMs: number): void {
  const { askedAtMs, isRepeated } = pace;
  if (askedAtMs !== undefined && !isRepeated) {
    pace.againMs = Math.min(Math.max(2 * (nowMs - askedAtMs), AGAIN_MS_MIN), AGAIN_MS_MAX);
  }
  pace.askedAtMs = undefined;
}

/** The leader that was asked leads no more. */
export function forgetAsked(pace: Pace): void {
  pace.askedAtMs = undefined;
}
