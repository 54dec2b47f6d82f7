/**
 * Whether a cost grows as the input does. Times are compared at n and at 64n: linear is 64, the square 4096, and what a busy
 * machine adds to one of them lies in between. The least of several times is taken, since others only ever add to one.
 */

export const FACTOR = 64;
export const RATIO_MAX = 1000;
const RUNS_MIN = 2;
const RUNS_MAX = 20;
/** Below it a time says nothing. */
const LEAST_MS = 0.05;

export type Growth = { readonly ratio: number; readonly text: string };

/** `costMs`: how long an input of that size takes. */
export function growthOf(costMs: (size: number) => number, size: number): Growth {
  let one = Number.POSITIVE_INFINITY;
  let more = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS_MAX; run += 1) {
    one = Math.max(Math.min(one, costMs(size)), LEAST_MS);
    more = Math.min(more, costMs(FACTOR * size));
    if (run >= RUNS_MIN && more < RATIO_MAX * one) break;
  }
  const text = `${one.toFixed(2)} ms, ${FACTOR} times as much: ${more.toFixed(2)} ms`;
  return { ratio: more / one, text };
}

export function timed(work: () => void): number {
  const beforeMs = performance.now();
  work();
  return performance.now() - beforeMs;
}
