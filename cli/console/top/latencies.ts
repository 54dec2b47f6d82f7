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

/** The end of a bucket over its beginning: servers count four for each power of two. */
const BUCKET_RATIO = 2 ** (1 / 4);

/** Within its bucket as if all were spread evenly there; buckets without any are not listed. Undefined: there are none. */
export function quantileOf(
  buckets: readonly (readonly [upToMs: number, count: number])[],
  quantile: number,
): number | undefined {
  const rank = quantile * buckets.reduce((total, [, count]) => total + count, 0);
  let below = 0;
  for (const [upToMs, count] of buckets) {
    if (below + count >= rank && count > 0) {
      const fromMs = upToMs / BUCKET_RATIO;
      return fromMs + ((upToMs - fromMs) * (rank - below)) / count;
    }
    below += count;
  }
  return undefined;
}
