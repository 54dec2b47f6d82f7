/**
 * The tree lanes alone: no disk, no network, no log. Each is a node's own tree lane, a worker thread that piscina launches and pins,
 * and gets its committed batches as letters over the port that a node uses.
 */
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { TreeMetrics } from "../actors/tree/messages.ts";
import { BenchError, UsageError } from "./failure.ts";
import { integerOption } from "./options.ts";
import { makeRecords } from "./records.ts";
import { count, machine, table, writeJsonFile } from "./report.ts";
import type { Screen } from "./screen.ts";
import { BenchLane } from "./tree-lane.ts";

const BATCH_SIZES = [1, 4, 16, 64, 256, 1024];
/** Batches on their way to the lanes: enough to hide the hop, as a node keeps several under way. */
const BATCHES_IN_FLIGHT = 4;
/** A bound on the time that small batches take: each costs a hop to every lane. */
const BATCHES_MAX = 20_000;
/** Of the batches, applied before the clock starts. */
const WARM_UP_FRACTION = 0.2;
const HOPS = 2_000;

export const TREE_APPLY_HELP: string = `Usage: npm run bench -- tree-apply [options]

  --lanes N          measure 1 to N lanes (default: the machine's processors)
  --batch-sizes LIST operations in one batch (default ${BATCH_SIZES.join(",")})
  --operations N     applied for each figure, fewer with small batches (default 200000)
  --znodes N         znodes of the tree (default 1000)
  --value-bytes N    bytes of each value (default 128)
  --json FILE        where the figures go (default: bench/results/tree-apply-<time>.json)
  --help             this text
`;

export type TreeApplyOptions = {
  readonly lanes: number;
  readonly batchSizes: readonly number[];
  readonly operations: number;
  readonly znodes: number;
  readonly valueBytes: number;
  readonly json: string | undefined;
  readonly help: boolean;
};

export type TreeApplyFigure = {
  readonly lanes: number;
  readonly batchSize: number;
  /** Operations that all lanes have applied. */
  readonly appliedPerSecond: number;
  /** Microseconds from handing a lane a batch to knowing that it has applied it, one batch at a time. */
  readonly batchUs: number;
  /** The same without a batch: to the lane and back. */
  readonly hopUs: number;
};

/** Throws a `UsageError`. */
export function parseTreeApplyOptions(args: readonly string[]): TreeApplyOptions {
  const values = parsed(args);
  const problems: string[] = [];
  const integer = (name: string, fallback: number, max: number): number =>
    integerOption(values[name], { name, fallback, min: 1, max }, problems);
  const batchSizes = String(values["batch-sizes"] ?? BATCH_SIZES.join(","))
    .split(",")
    .map((text) =>
      integerOption(text, { name: "batch-sizes", fallback: 1, min: 1, max: 1024 }, problems),
    );
  const options: TreeApplyOptions = {
    lanes: integer("lanes", availableParallelism(), 64),
    batchSizes,
    operations: integer("operations", 200_000, 10_000_000),
    znodes: integer("znodes", 1000, 1_000_000),
    valueBytes: integer("value-bytes", 128, 2048),
    json: values["json"] === undefined ? undefined : String(values["json"]),
    help: values["help"] === true,
  };
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

function parsed(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const string = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        lanes: string,
        "batch-sizes": string,
        operations: string,
        znodes: string,
        "value-bytes": string,
        json: string,
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export async function treeApply(
  options: TreeApplyOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = new Date().toISOString();
  const figures: TreeApplyFigure[] = [];
  for (let lanes = 1; lanes <= options.lanes; lanes += 1) {
    for (const batchSize of options.batchSizes) {
      signal.throwIfAborted();
      screen.status(`${lanes} of ${options.lanes} lanes, batches of ${batchSize}`);
      figures.push(await measure(options, { lanes, batchSize }));
    }
  }
  screen.print(figuresText(figures));
  const file = options.json ?? `bench/results/tree-apply-${startedAt.replaceAll(":", "-")}.json`;
  await writeJsonFile(file, { startedAt, machine: machine(), options, figures });
  screen.print(`figures: ${file}`);
}

async function measure(
  options: TreeApplyOptions,
  { lanes: laneCount, batchSize }: { readonly lanes: number; readonly batchSize: number },
): Promise<TreeApplyFigure> {
  const { operations, znodes, valueBytes } = options;
  const batches = Math.min(BATCHES_MAX, Math.max(10, Math.floor(operations / batchSize)));
  const load = { operation: "setData", batches, operationsPerBatch: batchSize } as const;
  const records = makeRecords({ lanes: laneCount, znodes, valueBytes, ...load });
  const numbers = Array.from({ length: laneCount }, (_, index) => index + 1);
  const lanes = await Promise.all(numbers.map((number) => BenchLane.start(number, laneCount)));
  try {
    await applyAll(lanes, records.setUp);
    const warmUp = Math.floor(batches * WARM_UP_FRACTION);
    const single = Math.min(HOPS, warmUp);
    await applyAll(lanes, records.batches.slice(0, warmUp));
    const throughput = records.batches.slice(warmUp, batches - single);
    const startMs = performance.now();
    await applyAll(lanes, throughput);
    const elapsedMs = performance.now() - startMs;
    const batchUs = await timeEach(lanes, records.batches.slice(batches - single));
    const hopUs = await timeEach(
      lanes,
      Array.from({ length: HOPS }, () => undefined),
    );
    checkEqual(await Promise.all(lanes.map((lane) => lane.metrics())));
    const applied = throughput.length * batchSize;
    return {
      lanes: laneCount,
      batchSize,
      appliedPerSecond: (applied / elapsedMs) * 1000,
      batchUs,
      hopUs,
    };
  } finally {
    await Promise.all(lanes.map((lane) => lane.stop()));
  }
}

/** Every batch to every lane, in order. */
async function applyAll(
  lanes: readonly BenchLane[],
  batches: readonly Uint8Array[],
): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (const batch of batches) {
    if (underWay.length === BATCHES_IN_FLIGHT) await underWay.shift();
    underWay.push(Promise.all(lanes.map((lane) => lane.apply([batch]))));
  }
  await Promise.all(underWay);
}

/** Microseconds for each, one after the other; without a batch only the way to the lanes and back. */
async function timeEach(
  lanes: readonly BenchLane[],
  batches: readonly (Uint8Array | undefined)[],
): Promise<number> {
  const startMs = performance.now();
  for (const batch of batches) {
    await Promise.all(
      lanes.map((lane) => (batch === undefined ? lane.metrics() : lane.apply([batch]))),
    );
  }
  return ((performance.now() - startMs) / batches.length) * 1000;
}

/** A fast lane that computes something else is worth nothing. */
function checkEqual(lanes: readonly TreeMetrics[]): void {
  const trees = lanes.map(({ zxid, znodes, dataBytes, sessions }) =>
    [zxid, znodes, dataBytes, sessions].join(" "),
  );
  if (new Set(trees).size > 1) throw new BenchError(`the lanes' trees differ: ${trees.join(", ")}`);
}

function figuresText(figures: readonly TreeApplyFigure[]): string {
  const head = ["lanes", "batch", "applied operations/s", "us/batch alone", "us/hop"];
  const rows = figures.map((figure) => [
    `${figure.lanes}`,
    `${figure.batchSize}`,
    count(figure.appliedPerSecond),
    figure.batchUs.toFixed(1),
    figure.hopUs.toFixed(1),
  ]);
  return table([head, ...rows]);
}
