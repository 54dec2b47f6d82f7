/**
 * A log-linear histogram of latencies, which takes little memory. Below 256 µs each microsecond has a bucket of its own; above, each
 * power of two is divided into 128 equal buckets, so that a percentile is wrong by less than 1 %.
 */
const LINEAR_BITS = 7;
const BUCKETS_PER_POWER = 1 << LINEAR_BITS;
/** About 35 minutes. Longer latencies are counted in the last bucket. */
const LATENCY_US_MAX: number = 2 ** 31 - 1;
const BUCKET_COUNT: number = bucketOf(LATENCY_US_MAX) + 1;

/** The number and count of each bucket that is not empty. Processes exchange this. */
export type HistogramCounts = readonly (readonly [bucket: number, count: number])[];

export class LatencyHistogram {
  readonly #counts: Float64Array = new Float64Array(BUCKET_COUNT);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  record(latencyUs: number): void {
    const bucket = bucketOf(latencyUs < LATENCY_US_MAX ? latencyUs | 0 : LATENCY_US_MAX);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /**
   * Returns the smallest latency, in microseconds, that `fraction` (0 to 1) of the samples do not exceed; 0 if there are no
   * samples.
   */
  percentileUs(fraction: number): number {
    const rank = Math.max(1, Math.ceil(fraction * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return middleUsOf(bucket);
    }
    return 0;
  }

  counts(): HistogramCounts {
    const counts: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries()) {
      if (count > 0) counts.push([bucket, count]);
    }
    return counts;
  }

  add(counts: HistogramCounts): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#total += count;
    }
  }
}

function bucketOf(latencyUs: number): number {
  const value = latencyUs < 0 ? 0 : latencyUs;
  if (value < 2 * BUCKETS_PER_POWER) return value;
  const shift = 31 - Math.clz32(value) - LINEAR_BITS;
  return shift * BUCKETS_PER_POWER + (value >>> shift);
}

function middleUsOf(bucket: number): number {
  if (bucket < 2 * BUCKETS_PER_POWER) return bucket;
  const shift = Math.floor(bucket / BUCKETS_PER_POWER) - 1;
  const lowest = (bucket - shift * BUCKETS_PER_POWER) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}
