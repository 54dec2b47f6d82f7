/**
 * Checks that a cost grows linearly with the input. It compares times at n and at 64n: linear growth makes them differ by 64, quadratic
 * growth by 4096, and what a busy machine adds lies in between, once the time in which it does something else is left out (`timed`). The
 * least of several times is used, since other work only adds to one.
 */

export const FACTOR = 64;
export const RATIO_MAX = 1000;
const RUNS_MIN = 2;
const RUNS_MAX = 20;
/** Shorter times are too inexact to compare. */
const LEAST_MS = 0.05;

export type Growth = { readonly ratio: number; readonly text: string };

/** `costMs` returns how long an input of that size takes. */
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

/** Systems count a thread's time of the processor by ticks, of so many milliseconds at most. */
const TICK_MS = 10;

/** How many milliseconds it takes, without most of those in which the machine does something else: a long one is interrupted often. */
export function timed(work: () => void): number {
  const beforeMs = performance.now();
  const before = process.threadCpuUsage();
  work();
  const used = process.threadCpuUsage(before);
  return Math.min(performance.now() - beforeMs, (used.user + used.system) / 1000 + TICK_MS);
}
