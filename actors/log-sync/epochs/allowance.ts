/** By how much messages of peers may still raise the epoch that this node knows (`believed.ts`). The allowance refills with time. */

/** How far above the known epoch an epoch is believed at once. A node that was away has hardly missed this many elections. */
const ALLOWANCE_MAX = 4096;
/** How fast the allowance refills. Elections are far rarer. At this rate all 2^21 epochs last for more than two hours. */
const ALLOWANCE_PER_MS = 256 / 1000;

export type EpochAllowance = {
  left: number;
  atMs: number;
  /** When a refusal was last logged. */
  loggedAtMs: number;
};

export function newAllowance(): EpochAllowance {
  return { left: ALLOWANCE_MAX, atMs: 0, loggedAtMs: Number.NEGATIVE_INFINITY };
}

/** Takes `wanted` from the allowance, or what is left of it, and returns how much that is. */
export function takeAllowance(allowance: EpochAllowance, wanted: number, nowMs: number): number {
  const refilled = allowance.left + Math.max(0, nowMs - allowance.atMs) * ALLOWANCE_PER_MS;
  const left = Math.min(ALLOWANCE_MAX, refilled);
  const taken = Math.min(wanted, Math.floor(left));
  allowance.left = left - taken;
  allowance.atMs = nowMs;
  return taken;
}
