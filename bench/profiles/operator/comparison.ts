/** What a trial shows: for each disturbance how requests compare while the ensemble is asked and while its twin is. */
import { type HistogramCounts, LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Draw } from "../../draw.ts";
import { median } from "../../report/statistics.ts";
import { table } from "../../report/table.ts";
import { type Estimate, isBelow, medianOfRatios, type Pair, ratioOfPooled } from "./estimate.ts";
import type { Latencies } from "./slots.ts";
import type { Slot } from "./trial.ts";

/** What no disturbance may slow requests by: 10 %. */
const BOUND = 1.1;

export type MeasuredSlot = Slot & { readonly latencies: Latencies };

/** In milliseconds; 0 of nothing. */
export function meanOf({ reads, writes }: Latencies): number {
  const all = [...reads, ...writes];
  return all.length === 0 ? 0 : all.reduce((sum, latencyMs) => sum + latencyMs, 0) / all.length;
}

/** One row for each disturbance. Blocks in which one did not take place are left out. */
export function comparisonText(name: string, slots: readonly MeasuredSlot[], draw: Draw): string {
  const names = [...new Set(slots.map(({ disturbance }) => disturbance))];
  const isLoaded = slots.some(({ latencies }) => meanOf(latencies) > 0);
  const latencyHead = isLoaded ? ["reads' p50", "writes' p50", "mean", "p99"] : [];
  const head = [name, ...latencyHead, "% of a core more", "blocks"];
  const rows = names.map((each) => {
    const pairs = pairsOf(slots.filter(({ disturbance }) => disturbance === each));
    const cells = isLoaded ? latencyCells(pairs, draw) : [];
    // A second's processor time is counted in hundredths, which a median would show.
    const more = pairs.reduce(
      (sum, { asked, other }) => sum + asked.cpuPercent - other.cpuPercent,
      0,
    );
    return [
      `  ${each}`,
      ...cells,
      (more / Math.max(1, pairs.length)).toFixed(1),
      `${pairs.length}`,
    ];
  });
  return table([head, ...rows]);
}

/** The blocks in which both took place. */
function pairsOf(slots: readonly MeasuredSlot[]): readonly Pair<MeasuredSlot>[] {
  const whole = slots.filter(({ problem }) => problem === undefined);
  return whole
    .filter(({ treatment }) => treatment === "asked")
    .flatMap((asked) => {
      const other = whole.find(
        ({ treatment, block }) => treatment === "other asked" && block === asked.block,
      );
      return other === undefined ? [] : [{ asked, other }];
    });
}

function latencyCells(pairs: readonly Pair<MeasuredSlot>[], draw: Draw): readonly string[] {
  const by = <Value>(of: (latencies: Latencies) => Value): readonly Pair<Value>[] =>
    pairs.map(({ asked, other }) => ({ asked: of(asked.latencies), other: of(other.latencies) }));
  return [
    medianOfRatios(
      by(({ reads }) => median(reads)),
      draw,
    ),
    medianOfRatios(
      by(({ writes }) => median(writes)),
      draw,
    ),
    medianOfRatios(by(meanOf), draw),
    ratioOfPooled(by(countsOf), 0.99, draw),
  ].map(estimateText);
}

function countsOf({ reads, writes }: Latencies): HistogramCounts {
  const histogram = new LatencyHistogram();
  for (const latencyMs of [...reads, ...writes]) histogram.record(latencyMs * 1000);
  return histogram.counts();
}

function estimateText(estimate: Estimate | undefined): string {
  if (estimate === undefined) return "-";
  const { ratio, interval } = estimate;
  const range =
    interval === undefined ? "" : ` (${interval.low.toFixed(2)}-${interval.high.toFixed(2)})`;
  return `${ratio.toFixed(2)}${range} ${isBelow(BOUND, estimate)}`;
}
