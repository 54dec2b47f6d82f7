/**
 * The tree-apply pool alone: no disk, no network, no log. Every lane is a one-thread piscina pool with a full replica, gets
 * every committed batch and applies it; reads are answered in the lanes and so add up.
 */
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Piscina } from "piscina";
import { BenchError, UsageError } from "./failure.ts";
import { integerOption } from "./options.ts";
import { makeRecords, type MadeRecords } from "./records.ts";
import { count, machine, table, writeJsonFile } from "./report.ts";
import type { Screen } from "./screen.ts";
import type { ReadRequest } from "./tree-apply-lane.ts";

const BATCH_SIZES = [1, 4, 16, 64, 256, 1024];
/** Batches on their way to one lane: enough to hide the hop, as a node keeps several under way. */
const TASKS_IN_FLIGHT = 4;
/** A bound on the time that small batches take: each costs a hop to every lane. */
const BATCHES_MAX = 20_000;
/** Of the batches, applied before the clock starts. */
const WARM_UP_FRACTION = 0.2;

export const TREE_APPLY_HELP: string = `Usage: npm run bench -- tree-apply [options]

  --lanes N          measure 1 to N lanes (default: the machine's processors)
  --batch-sizes LIST operations in one batch (default ${BATCH_SIZES.join(",")})
  --operations N     applied for each figure, fewer with small batches (default 200000)
  --znodes N         znodes of the tree (default 1000)
  --value-bytes N    bytes of each value (default 128)
  --read-seconds N   reading time for each figure (default 1)
  --json FILE        where the figures go (default: bench/results/tree-apply-<time>.json)
  --help             this text
`;

export type TreeApplyOptions = {
  readonly lanes: number;
  readonly batchSizes: readonly number[];
  readonly operations: number;
  readonly znodes: number;
  readonly valueBytes: number;
  readonly readSeconds: number;
  readonly json: string | undefined;
  readonly help: boolean;
};

export type TreeApplyFigure = {
  readonly lanes: number;
  readonly batchSize: number;
  /** Operations that all lanes have applied, hop included. */
  readonly appliedPerSecond: number;
  /** Microseconds of one lane for one operation, without the hop. */
  readonly laneUsPerOperation: number;
  /** Of all lanes together; as many reads a message as the batch size. */
  readonly readsPerSecond: number;
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
    readSeconds: integer("read-seconds", 1, 3600),
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
        "read-seconds": string,
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
  { lanes, batchSize }: { readonly lanes: number; readonly batchSize: number },
): Promise<TreeApplyFigure> {
  const { operations, znodes, valueBytes, readSeconds } = options;
  const batches = Math.min(BATCHES_MAX, Math.max(5, Math.floor(operations / batchSize)));
  const load = { operation: "setData", batches, operationsPerBatch: batchSize } as const;
  const records = makeRecords({ lanes, znodes, valueBytes, ...load });
  const pools = Array.from({ length: lanes }, openPool);
  try {
    await setUp(pools, records);
    const warmUp = Math.floor(batches * WARM_UP_FRACTION);
    await applyAll(pools, records.batches.slice(0, warmUp));
    const startMs = performance.now();
    const laneMs = await applyAll(pools, records.batches.slice(warmUp));
    const elapsedMs = performance.now() - startMs;
    await sameDigest(pools);
    const applied = (batches - warmUp) * batchSize;
    const request: ReadRequest = { seconds: readSeconds, readsPerMessage: batchSize, znodes };
    const reads: number[] = await Promise.all(
      pools.map((pool) => pool.run(request, { name: "read" })),
    );
    return {
      lanes,
      batchSize,
      appliedPerSecond: (applied / elapsedMs) * 1000,
      laneUsPerOperation: (laneMs / lanes / applied) * 1000,
      readsPerSecond: reads.reduce((sum, each) => sum + each, 0),
    };
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

function openPool(): Piscina {
  return new Piscina({
    filename: fileURLToPath(new URL("./tree-apply-lane.ts", import.meta.url)),
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: TASKS_IN_FLIGHT,
  });
}

async function setUp(pools: readonly Piscina[], records: MadeRecords): Promise<void> {
  await Promise.all(
    pools.map(async (pool, index) => {
      await pool.run({ lane: index + 1 }, { name: "open" });
      await pool.run({ records: records.setUp }, { name: "apply" });
    }),
  );
}

/** Every batch to every lane, in order. Returns the milliseconds that all lanes together spent in the tree. */
async function applyAll(
  pools: readonly Piscina[],
  batches: readonly Uint8Array[],
): Promise<number> {
  let totalMs = 0;
  await Promise.all(
    pools.map(async (pool) => {
      const underWay: Promise<number>[] = [];
      for (const batch of batches) {
        if (underWay.length === TASKS_IN_FLIGHT) totalMs += (await underWay.shift()) ?? 0;
        underWay.push(pool.run({ records: [batch] }, { name: "apply" }));
      }
      for (const done of underWay) totalMs += await done;
    }),
  );
  return totalMs;
}

/** A fast lane that computes something else is worth nothing. */
async function sameDigest(pools: readonly Piscina[]): Promise<void> {
  const digests: string[] = await Promise.all(
    pools.map((pool) => pool.run(undefined, { name: "digest" })),
  );
  if (new Set(digests).size > 1) {
    throw new BenchError(`the lanes' trees differ: ${digests.join(" ")}`);
  }
}

function figuresText(figures: readonly TreeApplyFigure[]): string {
  const head = ["lanes", "batch", "applied operations/s", "lane us/operation", "reads/s"];
  const rows = figures.map((figure) => [
    `${figure.lanes}`,
    `${figure.batchSize}`,
    count(figure.appliedPerSecond),
    figure.laneUsPerOperation.toFixed(2),
    count(figure.readsPerSecond),
  ]);
  return table([head, ...rows]);
}
