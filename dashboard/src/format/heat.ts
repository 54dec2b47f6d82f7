/** How long requests took lately, as a map of times and as numbers. */

export type HeatScale = {
  readonly columnMs: number;
  readonly columns: number;
  readonly kinds: readonly string[];
  /** The longest time of each bucket, in milliseconds. */
  readonly upToMs: readonly number[];
};

/** The column 0 is the latest. */
export type HeatCell = readonly [column: number, kind: number, bucket: number, count: number];

/** A field of the map. `level`: from 1 to LEVELS, by the logarithm of the count. */
export type HeatField = {
  readonly column: number;
  readonly bucket: number;
  readonly count: number;
  readonly level: number;
};

export const LEVELS = 5;

/** `kind` undefined: all of them. */
export function fieldsOf(
  cells: readonly HeatCell[],
  kind: number | undefined,
): readonly HeatField[] {
  const counts = new Map<string, { column: number; bucket: number; count: number }>();
  for (const [column, each, bucket, count] of cells) {
    if (kind !== undefined && each !== kind) continue;
    const key = `${column} ${bucket}`;
    const field = counts.get(key) ?? { column, bucket, count: 0 };
    field.count += count;
    counts.set(key, field);
  }
  const most = Math.max(1, ...[...counts.values()].map(({ count }) => count));
  return [...counts.values()].map((field) => ({ ...field, level: levelOf(field.count, most) }));
}

export function levelOf(count: number, most: number): number {
  const share = most === 1 ? 1 : Math.log(count) / Math.log(most);
  return 1 + Math.round(share * (LEVELS - 1));
}

export type KindFigures = {
  readonly kind: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
};

/** One entry for each kind that was asked for, the most frequent first. Times are upper bounds, of a bucket that begins at 0.7 of them. */
export function figuresOf(
  cells: readonly HeatCell[],
  { kinds, upToMs }: HeatScale,
): readonly KindFigures[] {
  return kinds
    .map((kind, number) => {
      const counts = upToMs.map(() => 0);
      for (const [, each, bucket, count] of cells) {
        if (each === number) counts[bucket] = (counts[bucket] ?? 0) + count;
      }
      const count = counts.reduce((sum, each) => sum + each, 0);
      const at = (quantile: number): number => upToMs[bucketAt(counts, count * quantile)] ?? 0;
      return { kind, count, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1) };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

export function bucketAt(counts: readonly number[], rank: number): number {
  let seen = 0;
  return counts.findIndex((count) => {
    seen += count;
    return seen >= rank && seen > 0;
  });
}
