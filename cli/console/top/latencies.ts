/** Latencies of a stretch of time, from what servers count since they have started, or by buckets. */

export type Counted = { readonly count: number; readonly total: number };

/** The mean of what came between the two. Undefined: nothing did, or it began again from nothing. */
export function meanBetween(
  before: Counted | undefined,
  now: Counted | undefined,
): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  const count = now.count - before.count;
  return count <= 0 ? undefined : Math.max(0, (now.total - before.total) / count);
}

/** Within its bucket as if all were spread evenly there. Undefined: there are none. */
export function quantileOf(
  buckets: readonly (readonly [upToMs: number, count: number])[],
  quantile: number,
): number | undefined {
  const rank = quantile * buckets.reduce((total, [, count]) => total + count, 0);
  let below = 0;
  let fromMs = 0;
  for (const [upToMs, count] of buckets) {
    if (below + count >= rank && count > 0) {
      return fromMs + ((upToMs - fromMs) * (rank - below)) / count;
    }
    below += count;
    fromMs = upToMs;
  }
  return undefined;
}
