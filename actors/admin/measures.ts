/** What is made of measurements: of all threads together, and estimates from the buckets of a histogram. */
import type { HistogramReport, MeasuresReport } from "./messages.ts";

/** The histogram of a measure, of all threads together. Undefined: nothing was measured. */
export function histogramOf(
  reports: readonly MeasuresReport[],
  measure: string,
): HistogramReport | undefined {
  return together(
    reports.flatMap(({ histograms }) =>
      histograms.flatMap(([name, histogram]) => (name === measure ? [histogram] : [])),
    ),
  );
}

/** Undefined: nothing is measured. */
export function counterOf(reports: readonly MeasuresReport[], counted: string): number | undefined {
  if (reports.length === 0) return undefined;
  let total = 0;
  for (const { counters } of reports) {
    for (const [name, count] of counters) if (name === counted) total += count;
  }
  return total;
}

/** They have the same bounds. */
function together(reports: readonly HistogramReport[]): HistogramReport | undefined {
  const [first, ...others] = reports;
  if (first === undefined) return undefined;
  return others.reduce(
    (sum, each) => ({
      bounds: sum.bounds,
      counts: sum.counts.map((count, index) => count + (each.counts[index] ?? 0)),
      sum: sum.sum + each.sum,
      min: Math.min(sum.min, each.min),
      max: Math.max(sum.max, each.max),
    }),
    first,
  );
}

export function countOf({ counts }: HistogramReport): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Estimated within its bucket, as Prometheus' `histogram_quantile` does; never above the largest value. 0 of no values. */
export function quantileOf(report: HistogramReport, quantile: number): number {
  const { bounds, counts, max } = report;
  const rank = quantile * countOf(report);
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const from = index === 0 ? 0 : (bounds[index - 1] ?? 0);
      const to = Math.min(bounds[index] ?? max, max);
      return from + (Math.max(to - from, 0) * (rank - below)) / count;
    }
    below += count;
  }
  return 0;
}
