/**
 * How two treatments compare, over blocks that each hold both, with an interval of confidence. The interval is a bootstrap's: blocks are drawn
 * with replacement, as many as there are, again and again, and of what comes out the middle 95 % are told. Blocks are drawn and not
 * requests: requests of one block see the same machine, so they are not independent.
 */
import { type HistogramCounts, LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Draw } from "../../draw.ts";
import { median } from "../../report/statistics.ts";

export type Estimate = {
  readonly ratio: number;
  /** 95 % of confidence; undefined if there are too few blocks. */
  readonly interval: { readonly low: number; readonly high: number } | undefined;
};

/** What was measured in one block: `asked` as a multiple of `other` is asked for. */
export type Pair<Value> = { readonly asked: Value; readonly other: Value };

const DRAWS = 2000;
const TAIL = 0.025;
/** All of five blocks lie on the same side of the true median in one of sixteen trials: no interval of theirs has a confidence of 95 %. */
const BLOCKS_LEAST = 6;

/** The median of the blocks' ratios. Undefined if there is no block. */
export function medianOfRatios(pairs: readonly Pair<number>[], draw: Draw): Estimate | undefined {
  const ratios = pairs
    .filter(({ asked, other }) => asked > 0 && other > 0)
    .map(({ asked, other }) => asked / other);
  return estimate(ratios, median, draw);
}

/** The ratio of percentiles of all blocks together: one block has too few requests for a percentile near the end. */
export function ratioOfPooled(
  pairs: readonly Pair<HistogramCounts>[],
  fraction: number,
  draw: Draw,
): Estimate | undefined {
  const percentile = (all: readonly HistogramCounts[]): number => {
    const histogram = new LatencyHistogram();
    for (const counts of all) histogram.add(counts);
    return histogram.percentileUs(fraction);
  };
  const full = pairs.filter(({ asked, other }) => asked.length > 0 && other.length > 0);
  const ratioOf = (some: readonly Pair<HistogramCounts>[]): number =>
    percentile(some.map(({ asked }) => asked)) / percentile(some.map(({ other }) => other));
  return estimate(full, ratioOf, draw);
}

function estimate<Block>(
  blocks: readonly Block[],
  ratioOf: (some: readonly Block[]) => number,
  draw: Draw,
): Estimate | undefined {
  if (blocks.length === 0) return undefined;
  const ratio = ratioOf(blocks);
  if (blocks.length < BLOCKS_LEAST) return { ratio, interval: undefined };
  const drawn = Array.from({ length: DRAWS }, () =>
    ratioOf(blocks.map(() => blocks[Math.floor(draw() * blocks.length)] as Block)),
  ).toSorted((a, b) => a - b);
  const at = (fraction: number): number => drawn[Math.floor(fraction * (DRAWS - 1))] ?? ratio;
  return { ratio, interval: { low: at(TAIL), high: at(1 - TAIL) } };
}

export type Verdict = "yes" | "no" | "not decided";

/** Whether the ratio is below a bound: decided if the whole interval is on one side of it. */
export function isBelow(bound: number, { interval }: Estimate): Verdict {
  if (interval === undefined) return "not decided";
  if (interval.high < bound) return "yes";
  return interval.low > bound ? "no" : "not decided";
}
