/** Whether the goals of the dashboard are kept. It is shown, and nothing fails by it: a busy machine exceeds them. */
import type { Measurement, MetricName } from "../../report/measurement.ts";
import { median } from "../../report/statistics.ts";
import { number, table } from "../../report/table.ts";
import type { Goals } from "./cases.ts";

const GOALS: readonly (readonly [keyof Goals & MetricName, what: string])[] = [
  ["firstPaintMs", "first paint"],
  ["shownMs", "shown"],
];

/** One row for each goal of each case, in the order in which they were first measured. */
export function goalsText(
  measurements: readonly Measurement[],
  goalsOf: ReadonlyMap<string, Goals>,
): string {
  const rows = [...goalsOf].flatMap(([name, goals]) =>
    GOALS.flatMap(([metric, what]) => {
      const goal = goals[metric];
      const values = measurements
        .filter((each) => each.name === name)
        .flatMap(({ metrics }) => metrics[metric] ?? []);
      if (goal === undefined || values.length === 0) return [];
      const [half, most] = [median(values), percentile(values, 0.9)];
      const cells = [half, most, Math.max(...values), goal].map((ms) => number(ms, 0));
      return [[`  ${name}: ${what}`, ...cells, keptText(goal, { half, most })]];
    }),
  );
  const head = ["goals, ms", "median", "p90", "most", "goal", "kept"];
  return table([head, ...rows]);
}

function keptText(
  goal: number,
  { half, most }: { readonly half: number; readonly most: number },
): string {
  if (most <= goal) return "yes";
  return half <= goal ? "by the median alone" : "no";
}

/** The least of the values that so large a share of them does not exceed; 0 if there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
