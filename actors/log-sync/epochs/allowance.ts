/** By how much the known epoch may still be raised by the word of peers (`epochs.ts`). It refills with time. */

/** Epochs above the known one that are believed at once: more elections than a node misses. */
const ALLOWANCE_MAX = 4096;
/** Elections are far rarer; all epochs together last for more than two hours at this rate. */
const ALLOWANCE_PER_MS = 256 / 1000;

export type EpochAllowance = {
  left: number;
  atMs: number;
  /** When a refusal was last logged. */
  toldAtMs: number;
};

export function newAllowance(): EpochAllowance {
  return { left: ALLOWANCE_MAX, atMs: 0, toldAtMs: Number.NEGATIVE_INFINITY };
}

/** As much of `wanted` as is left. */
export function takeAllowance(allowance: EpochAllowance, wanted: number, nowMs: number): number {
  const refilled = allowance.left + Math.max(0, nowMs - allowance.atMs) * ALLOWANCE_PER_MS;
  const left = Math.min(ALLOWANCE_MAX, refilled);
  const taken = Math.min(wanted, Math.floor(left));
  allowance.left = left - taken;
  allowance.atMs = nowMs;
  return taken;
}
