/**
 * `npm run bench -- tree-apply` measures tree lanes alone, without disk, network and log. They are a node's own lanes: worker threads
 * that piscina launches and pins (`runtime/lanes/lane.ts`). They get committed batches as letters, over the port that a node uses.
 */
import { availableParallelism, cpus } from "node:os";
import { performance } from "node:perf_hooks";
import type { TreeMetrics } from "../../actors/tree/messages.ts";
import { BenchError } from "../failure.ts";
import { makeRecords } from "../lanes/records.ts";
import { BenchLane } from "../lanes/tree-lane.ts";
import type { ProfileContext } from "./profile.ts";

const ZNODES = 1000;
/** How many batches are on their way to the lanes: enough to hide the hop, as in a node, which has several under way. */
const BATCHES_IN_FLIGHT = 4;
/** The most batches. It bounds the time for small batches, each of which costs a hop to every lane. */
const BATCHES_MAX = 20_000;
/** The fraction of the batches that are applied before the measurement begins. */
const WARM_UP_FRACTION = 0.2;
const HOPS = 2_000;
/** From this part of the ideal speed-up on, lanes are said to scale. */
const SCALES_FROM = 0.8;
/** From this part of its time on, a thread or the machine is said to be busy. */
const BUSY_FROM = 0.85;

type Applied = {
  readonly lanes: number;
  readonly batchSize: number;
  /** Operations applied per second by every lane: each lane applies all of them. */
  readonly appliedPerSecond: number;
  /** Microseconds from posting a batch to the lanes until the main thread knows that all have applied it, one batch at a time. */
  readonly batchUs: number;
  /** Microseconds for a letter to every lane and an answer back, without a batch. */
  readonly hopUs: number;
  /** Which part of the measured time the main thread worked, and all processors did. */
  readonly mainBusy: number;
  readonly processorsBusy: number;
  /** Which part of the time the machine's processors worked, for whomever; 0 where the system does not tell. */
  readonly machineBusy: number;
};

export async function treeApply({
  options,
  screen,
  signal,
  record,
}: ProfileContext): Promise<void> {
  const alone = new Map<number, number>();
  const limits: string[] = [];
  for (let lanes = 1; lanes <= options.lanes; lanes += 1) {
    for (const batchSize of options.batchSizes) {
      signal.throwIfAborted();
      screen.status(`${lanes} of ${options.lanes} lanes, batches of ${batchSize}`);
      const result = await measure(
        { ...options, znodes: options.znodes ?? ZNODES },
        { lanes, batchSize },
      );
      const inAll = result.appliedPerSecond * lanes;
      if (lanes === 1) alone.set(batchSize, inAll);
      const speedUp = inAll / (alone.get(batchSize) ?? inAll);
      if (lanes > 1) limits.push(limitText({ ...result, lanes, batchSize, speedUp }));
      record({
        profile: "tree-apply",
        name: `${lanes} ${lanes === 1 ? "lane" : "lanes"}, batches of ${batchSize}`,
        target: "zooid's lanes",
        round: 1,
        metrics: {
          operationsPerSecond: result.appliedPerSecond,
          speedUp,
          batchUs: result.batchUs,
          hopUs: result.hopUs,
        },
        points: [{ plot: `tree-apply, batches of ${batchSize}`, axis: "lanes", x: lanes }],
      });
    }
  }
  screen.print(limits.join(""));
}

type Limited = Applied & { readonly speedUp: number };

/** Says how far the work of all lanes together has grown beyond that of one lane, and what stops it. */
export function limitText({
  lanes,
  batchSize,
  speedUp,
  mainBusy,
  machineBusy,
  processorsBusy,
}: Limited): string {
  const all = availableParallelism();
  const busy = `${(processorsBusy * 100).toFixed(0)} % of ${all} processors, main thread ${(mainBusy * 100).toFixed(0)} %`;
  const grown = `${lanes} lanes, batches of ${batchSize}: ${speedUp.toFixed(2)} x the work of one lane (${busy})`;
  if (speedUp >= lanes * SCALES_FROM) return `${grown}: scales\n`;
  if (processorsBusy >= BUSY_FROM) return `${grown}: stops at the processors\n`;
  if (machineBusy >= BUSY_FROM) {
    return `${grown}: other processes had the processors, so this says nothing\n`;
  }
  if (mainBusy >= BUSY_FROM)
    return `${grown}: stops at the main thread, which posts to each lane\n`;
  return `${grown}: stops at the hops between threads, where each waits for the other\n`;
}

async function measure(
  options: { readonly operations: number; readonly znodes: number; readonly valueBytes: number },
  { lanes: laneCount, batchSize }: { readonly lanes: number; readonly batchSize: number },
): Promise<Applied> {
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
    const loop = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const machine = machineTicks();
    await applyAll(lanes, throughput);
    const elapsedMs = performance.now() - startMs;
    const { utilization: mainBusy } = performance.eventLoopUtilization(loop);
    const { user, system } = process.cpuUsage(cpu);
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
      mainBusy,
      machineBusy: busyPart(machine, machineTicks()),
      processorsBusy: (user + system) / 1000 / elapsedMs / availableParallelism(),
    };
  } finally {
    await Promise.all(lanes.map((lane) => lane.stop()));
  }
}

type Ticks = { readonly busy: number; readonly all: number };

function machineTicks(): Ticks {
  const times = cpus().map((each) => each.times);
  const idle = times.reduce((sum, each) => sum + each.idle, 0);
  const all = times.reduce((sum, { user, nice, sys, irq, idle: own }) => {
    return sum + user + nice + sys + irq + own;
  }, 0);
  return { busy: all - idle, all };
}

function busyPart(before: Ticks, after: Ticks): number {
  return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all);
}

/** Posts every batch to every lane, in order. */
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

/**
 * Returns the mean time for one batch in microseconds, one after the other. For `undefined` in place of a batch it is that of a
 * hop.
 */
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

/** Throws if the trees of the lanes differ: then the results would be worthless. */
function checkEqual(lanes: readonly TreeMetrics[]): void {
  const trees = lanes.map(({ zxid, znodes, dataBytes, sessions }) =>
    [zxid, znodes, dataBytes, sessions].join(" "),
  );
  if (new Set(trees).size > 1) throw new BenchError(`the lanes' trees differ: ${trees.join(", ")}`);
}
