/** How long requests took by where they went: of several nodes together, as numbers and as a strip of the map. */
import { bucketAt, levelOf } from "./heat.ts";

/** How many took as long as a bucket says, of paths that begin so. Empty: all others. */
export type Prefix = {
  readonly prefix: string;
  readonly counts: readonly (readonly [bucket: number, count: number])[];
};

export type PrefixRow = {
  /** Empty: all others. */
  readonly prefix: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
  /** By bucket, those that are not zero. `level`: by the logarithm of the count. */
  readonly fields: readonly {
    readonly bucket: number;
    readonly count: number;
    readonly level: number;
  }[];
};

/** The most frequent first, up to so many. */
export function prefixRows(
  prefixes: readonly Prefix[],
  upToMs: readonly number[],
  rowsMax: number,
): readonly PrefixRow[] {
  const all = new Map<string, number[]>();
  for (const { prefix, counts } of prefixes) {
    const sum = all.get(prefix) ?? upToMs.map(() => 0);
    for (const [bucket, count] of counts) sum[bucket] = (sum[bucket] ?? 0) + count;
    all.set(prefix, sum);
  }
  const most = Math.max(1, ...[...all.values()].flat());
  return [...all]
    .map(([prefix, counts]) => rowOf(prefix, counts, upToMs, most))
    .sort((a, b) => b.count - a.count)
    .slice(0, rowsMax);
}

function rowOf(
  prefix: string,
  counts: readonly number[],
  upToMs: readonly number[],
  most: number,
): PrefixRow {
  const count = counts.reduce((sum, each) => sum + each, 0);
  const at = (quantile: number): number => upToMs[bucketAt(counts, count * quantile)] ?? 0;
  const fields = counts.flatMap((each, bucket) =>
    each === 0 ? [] : [{ bucket, count: each, level: levelOf(each, most) }],
  );
  return { prefix, count, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1), fields };
}
