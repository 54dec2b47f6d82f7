/** What the operator profile makes of a crossover trial: slots, ratios, and how sure they are. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test from "ava";
import { SampledLoad } from "../../../bench/load/sampled.ts";
import { type Samples, systemMs } from "../../../bench/load/samples.ts";
import { comparisonText, type MeasuredSlot } from "../../../bench/profiles/operator/comparison.ts";
import {
  type Estimate,
  isBelow,
  medianOfRatios,
  type Pair,
  ratioOfPooled,
} from "../../../bench/profiles/operator/estimate.ts";
import { latenciesOf } from "../../../bench/profiles/operator/slots.ts";
import { median } from "../../../bench/report/statistics.ts";
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import { shuffled } from "../../../client/zookeeper/session/shuffled.ts";
import { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";

const NULL_SERVER = fileURLToPath(
  new URL("../../../bench/load/zookeeper/null-server.ts", import.meta.url),
);

function drawOf(seed: number): () => number {
  const randomness = new SeededRandomness(seed);
  return () => randomness.random();
}

/** A latency as a noisy machine has them: mostly near `ms`, now and then much longer. */
function noisy(ms: number, draw: () => number): number {
  return ms * (0.5 + draw()) * (draw() < 0.02 ? 10 : 1);
}

function samplesOf(
  ...each: readonly (readonly [sentMs: number, latencyMs: number, read: 0 | 1])[]
): Samples {
  return {
    sentMs: Float64Array.from(each, ([sentMs]) => sentMs),
    latencyMs: Float64Array.from(each, ([, latencyMs]) => latencyMs),
    isRead: Uint8Array.from(each, ([, , read]) => read),
  };
}

test("a request belongs to the slot in which it was sent, whenever its reply came", (t) => {
  const spans = [
    { fromMs: 100, toMs: 200 },
    { fromMs: 250, toMs: 300 },
  ];
  const early = samplesOf([99.9, 5, 1], [100, 1, 1], [150, 2, 0], [200, 7, 1], [249, 9, 0]);
  // It was sent in the first slot and answered after the second.
  const late = samplesOf([250, 3, 0], [299.9, 4, 1], [300, 6, 1], [199.9, 150, 1]);
  t.deepEqual(latenciesOf(spans, [early, late]), [
    { reads: [1, 150], writes: [2] },
    { reads: [4], writes: [3] },
  ]);
  t.deepEqual(latenciesOf([], [early]), []);
});

test("a slot that took no time has no request", (t) => {
  t.deepEqual(latenciesOf([{ fromMs: 5, toMs: 5 }], [samplesOf([5, 1, 1])]), [
    { reads: [], writes: [] },
  ]);
});

/** Blocks on a machine whose speed differs from block to block by a factor of eight. */
function blocks(count: number, cost: number, seed: number): readonly Pair<number[]>[] {
  const draw = drawOf(seed);
  return Array.from({ length: count }, () => {
    const ms = 2 ** (3 * draw());
    const some = (factor: number): number[] =>
      Array.from({ length: 100 }, () => noisy(factor * ms, draw));
    return { asked: some(cost), other: some(1) };
  });
}

function medians(pairs: readonly Pair<number[]>[]): readonly Pair<number>[] {
  return pairs.map(({ asked, other }) => ({ asked: median(asked), other: median(other) }));
}

test("paired ratios show what costs nothing and what costs a quarter, whatever the machine does", (t) => {
  const verdicts = [1, 1.25].map((cost) => {
    const estimate = medianOfRatios(medians(blocks(40, cost, 7)), drawOf(1));
    t.true(Math.abs((estimate?.ratio ?? 0) / cost - 1) < 0.05, `${estimate?.ratio}`);
    return estimate === undefined ? undefined : isBelow(1.1, estimate);
  });
  t.deepEqual(verdicts, ["yes", "no"]);
});

test("an interval of 95 % holds the true ratio in about 38 of 40 trials", (t) => {
  let held = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const draw = drawOf(seed);
    // The ratios of the blocks are known here, so that no requests need to be drawn.
    const pairs = Array.from({ length: 15 }, () => ({
      asked: 1.2 * 3 ** (draw() - draw()),
      other: 1,
    }));
    const interval = medianOfRatios(pairs, draw)?.interval;
    if (interval !== undefined && interval.low <= 1.2 && interval.high >= 1.2) held += 1;
  }
  t.true(held >= 34, `${held}`);
});

test("the same seed gives the same order and the same interval", (t) => {
  const pairs = medians(blocks(10, 1.1, 3));
  t.deepEqual(medianOfRatios(pairs, drawOf(5)), medianOfRatios(pairs, drawOf(5)));
  t.deepEqual(shuffled([1, 2, 3, 4, 5], drawOf(9)), shuffled([1, 2, 3, 4, 5], drawOf(9)));
  const orders = Array.from({ length: 60 }, (_, seed) => shuffled([1, 2, 3], drawOf(seed)).join());
  t.is(new Set(orders).size, 6);
});

function countsOf(latenciesMs: readonly number[]): ReturnType<LatencyHistogram["counts"]> {
  const histogram = new LatencyHistogram();
  for (const ms of latenciesMs) histogram.record(ms * 1000);
  return histogram.counts();
}

test("a percentile near the end is of all blocks together, weighed by their requests", (t) => {
  const most = countsOf(Array.from({ length: 98 }, () => 1));
  const tail = countsOf([10, 10, 10, 10]);
  const pairs = Array.from({ length: 6 }, (_, index) => ({
    asked: index === 0 ? tail : most,
    other: most,
  }));
  // Not even one in a hundred of the requests is in the tail.
  t.is(ratioOfPooled(pairs, 0.99, drawOf(1))?.ratio, 1);
  const later = ratioOfPooled(pairs, 0.995, drawOf(1));
  t.true((later?.ratio ?? 0) > 9);
  // And it depends on whether the one block is drawn.
  t.true((later?.interval?.low ?? 9) < 1.01);
});

test("few blocks have a ratio and no interval, and decide nothing", (t) => {
  const five = medianOfRatios(medians(blocks(5, 1, 3)), drawOf(1)) as Estimate;
  t.is(five.interval, undefined);
  t.is(isBelow(1.1, five), "not decided");
  t.is(medianOfRatios([], drawOf(1)), undefined);
  t.is(medianOfRatios([{ asked: 1, other: 0 }], drawOf(1)), undefined);
  t.is(ratioOfPooled([{ asked: [], other: [] }], 0.99, drawOf(1)), undefined);
});

test("a bound within the interval is not decided", (t) => {
  const estimate = { ratio: 1.2, interval: { low: 1.05, high: 1.4 }, blocks: 9 };
  t.is(isBelow(1.1, estimate), "not decided");
  t.is(isBelow(1.5, estimate), "yes");
  t.is(isBelow(1, estimate), "no");
});

function slotOf(block: number, treatment: "asked" | "other asked", ms: number): MeasuredSlot {
  return {
    ...{ disturbance: "status", treatment, block, fromMs: 0, toMs: 1, timesDone: 1 },
    ...{ cpuPercent: ms, turnMsMax: 0, loopDelayMsMax: 0, problem: undefined },
    latencies: { reads: [ms, ms, ms], writes: [2 * ms] },
  };
}

test("the table pairs the slots of a block, and leaves out blocks in which nobody was asked", (t) => {
  const slots = Array.from({ length: 8 }, (_, index): MeasuredSlot[] => [
    slotOf(index + 1, "other asked", 2 ** index),
    slotOf(index + 1, "asked", 2 ** index),
  ]).flat();
  const failed = { ...slotOf(9, "asked", 100), problem: "refused" };
  const text = comparisonText(
    "1 node",
    [...slots, failed, slotOf(9, "other asked", 1), slotOf(10, "asked", 1)],
    drawOf(1),
  );
  t.regex(text, /status( +1\.00 \(1\.00-1\.00\) yes){3} .* 0\.0 +8\n$/);
});

test("a load that goes on tells when each request was sent, by the clock of the system", async (t) => {
  const server = fork(NULL_SERVER, [], { execArgv: [] });
  t.teardown(() => server.disconnect());
  const [port] = (await once(server, "message")) as [number];
  const beganMs = systemMs();
  using load = await SampledLoad.start(
    {
      ...{ protocol: "zookeeper", addresses: [{ host: "127.0.0.1", port }], work: "mixed 50/50" },
      ...{ connections: 2, outstanding: 1, ratePerSecond: undefined, valueBytes: 8 },
      ...{ warmupSeconds: 0, root: "/samples", cleanUp: false },
    },
    AbortSignal.timeout(60_000),
  );
  // On a busy machine the first samples may all be of reads, or of writes.
  const taken = [await load.samples()];
  while (new Set(taken.flatMap(({ isRead }) => [...isRead])).size < 2) {
    taken.push(await load.samples());
  }
  const { result, samples } = await load.stop();
  if (samples !== undefined) taken.push(samples);
  const all = taken.flatMap(({ sentMs }) => [...sentMs]);
  t.true(all.length <= result.operations);
  t.true(all.every((sentMs) => sentMs >= beganMs && sentMs <= systemMs()));
  t.true(taken.every(({ latencyMs }) => latencyMs.every((each) => each >= 0)));
  t.like(result, { connectionsLost: 0, errors: {} });
});
