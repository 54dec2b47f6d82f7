/** Runs one load: starts the load processes, lets them begin together, and adds up their measurements. */
import { LatencyHistogram } from "../../cli/latency-histogram.ts";
import { Driver } from "./driver-process.ts";
import type { DriverResult, LoadPlan } from "./plan.ts";

export type Latencies = {
  readonly operations: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

export type LoadResult = {
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly measuredSeconds: number;
  readonly latencyMs: Latencies;
  /** The same of the reads alone and of the writes alone. */
  readonly readMs: Latencies;
  readonly writeMs: Latencies;
  /** Replies with an error, by the protocol's code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly connectionsLost: number;
  readonly lossReasons: readonly string[];
  readonly operationsLost: number;
  readonly operationsOverdue: number;
  readonly loadCpuSeconds: number;
};

export type LoadEvents = {
  /** At the end of the warm-up, and at the end of the measurement. */
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
  readonly onProgress?: (operations: number) => void;
};

/** `processes` is at least 1. When `signal` aborts, the load processes end and the promise rejects. */
export async function runLoad(
  plan: LoadPlan,
  {
    processes,
    signal,
    ...events
  }: LoadEvents & { readonly processes: number; readonly signal: AbortSignal },
): Promise<LoadResult> {
  signal.throwIfAborted();
  const drivers = Array.from({ length: processes }, () => new Driver());
  const abort = (): void => {
    for (const driver of drivers) driver.end();
  };
  signal.addEventListener("abort", abort);
  try {
    const orders = drivers.map((driver, process): Promise<void> => {
      return driver.prepare({ kind: "prepare", plan: { ...plan, process, processes } });
    });
    await Promise.all(orders);
    const measuring = drivers.map((driver) => driver.measuring);
    const measured = drivers.map((driver) => driver.measured);
    Promise.race(measuring).then(events.onMeasuring, () => {});
    Promise.all(measured).then(events.onMeasured, () => {});
    for (const driver of drivers) {
      driver.onProgress = () => {
        events.onProgress?.(drivers.reduce((sum, each) => sum + each.operations, 0));
      };
    }
    return merged(await Promise.all(drivers.map((driver) => driver.start())));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    for (const driver of drivers) driver.end();
  }
}

export function merged(results: readonly DriverResult[]): LoadResult {
  const reads = new LatencyHistogram();
  const writes = new LatencyHistogram();
  const all = new LatencyHistogram();
  const errors: Record<string, number> = {};
  for (const result of results) {
    reads.add(result.readsUs);
    writes.add(result.writesUs);
    for (const [code, count] of Object.entries(result.errors)) {
      errors[code] = (errors[code] ?? 0) + count;
    }
  }
  all.add(reads.counts());
  all.add(writes.counts());
  const sum = (of: (result: DriverResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const measuredSeconds = Math.max(...results.map((result) => result.measuredMs)) / 1000;
  return {
    operations: all.total,
    operationsPerSecond: all.total / measuredSeconds,
    measuredSeconds,
    latencyMs: latenciesOf(all),
    readMs: latenciesOf(reads),
    writeMs: latenciesOf(writes),
    errors,
    connectionsLost: sum((result) => result.connectionsLost),
    lossReasons: [...new Set(results.flatMap((result) => result.lossReasons))],
    operationsLost: sum((result) => result.operationsLost),
    operationsOverdue: sum((result) => result.operationsOverdue),
    loadCpuSeconds: sum((result) => result.cpuSeconds),
  };
}

export function latenciesOf(histogram: LatencyHistogram): Latencies {
  const ms = (fraction: number): number => histogram.percentileUs(fraction) / 1000;
  return {
    operations: histogram.total,
    ...{ p50: ms(0.5), p90: ms(0.9), p99: ms(0.99), p999: ms(0.999), max: ms(1) },
  };
}
