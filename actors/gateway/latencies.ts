/** Counts how many answers took how long, by four buckets for each power of two from a sixteenth of a millisecond on. */

const BUCKETS_PER_POWER = 4;
const BUCKETS_PER_MS = 16;
/** Up to 70 minutes. Longer ones are in the last bucket. */
const BUCKETS = 104;

export function newLatencies(): Float64Array {
  return new Float64Array(BUCKETS);
}

export function countLatency(latencies: Float64Array, tookMs: number): void {
  const index = bucketOf(tookMs, BUCKETS_PER_POWER, BUCKETS);
  latencies[index] = (latencies[index] ?? 0) + 1;
}

/** Which of so many buckets holds the time, with some of them for each power of two. The last holds what is longer, too. */
export function bucketOf(tookMs: number, perPower: number, buckets: number): number {
  const bucket = Math.ceil(perPower * Math.log2(Math.max(tookMs, 0) * BUCKETS_PER_MS));
  return Math.min(Math.max(bucket, 0), buckets - 1);
}

/** The longest time of each bucket that is not empty, in milliseconds, with its count. */
export function listedLatencies(
  latencies: Float64Array,
): readonly (readonly [upToMs: number, count: number])[] {
  return [...latencies].flatMap((count, index) =>
    count === 0 ? [] : [[2 ** (index / BUCKETS_PER_POWER) / BUCKETS_PER_MS, count] as const],
  );
}
