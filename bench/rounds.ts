/** Runs the same loads on one or more ensembles, in turn and never at the same time, and takes medians over the rounds. */
import type { Ensemble } from "./ensembles/ensemble.ts";
import type { Workload } from "./load/plan.ts";
import { type LoadResult, runLoad } from "./load/run.ts";
import type { LoadOptions } from "./options.ts";
import { type ProcessSample, sampleProcesses } from "./processes.ts";

export type ServerCost = {
  readonly label: string;
  readonly pid: number;
  /** Processor seconds during the measurement. */
  readonly cpuSeconds: number;
  /** Resident memory at the end of the measurement. */
  readonly residentBytes: number;
};

export type Round = LoadResult & {
  readonly ensemble: string;
  readonly workload: Workload;
  /** The number of the round, from 1. */
  readonly round: number;
  /** The cost of each server; empty for servers that the bench did not start. */
  readonly servers: readonly ServerCost[];
};

export type Progress = {
  /** What is being measured, such as `zooid setData 2/3`. */
  readonly what: string;
  readonly seconds: number;
  /** The rate of the last second. */
  readonly operationsPerSecond: number;
};

export type RoundsRequest = {
  readonly ensembles: readonly Ensemble[];
  readonly options: LoadOptions;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly onRound: (round: Round) => void;
};

/** The medians over the rounds of one load, which are the results to compare. */
export type Medians = {
  readonly operationsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
};

export async function runRounds(request: RoundsRequest): Promise<void> {
  for (const workload of request.options.workloads) {
    for (let round = 1; round <= request.options.rounds; round += 1) {
      for (const ensemble of request.ensembles) {
        request.onRound(await runRound(request, ensemble, { workload, round }));
      }
    }
  }
}

async function runRound(
  { options, signal, onProgress }: RoundsRequest,
  ensemble: Ensemble,
  { workload, round }: { readonly workload: Workload; readonly round: number },
): Promise<Round> {
  const what = `${ensemble.name} ${workload} ${round}/${options.rounds}`;
  let before: readonly ProcessSample[] = [];
  let after: readonly ProcessSample[] = [];
  let seconds = 0;
  let operationsBefore = 0;
  const result = await runLoad(
    {
      targets: ensemble.targets,
      workload,
      connections: options.connections,
      outstanding: options.outstanding,
      valueBytes: options.valueBytes,
      warmupSeconds: round === 1 ? options.firstWarmupSeconds : options.warmupSeconds,
      seconds: options.seconds,
      operations: options.operations,
      root: rootName(),
      cleanUp: ensemble.processes.length === 0,
    },
    {
      processes: options.loadProcesses,
      signal,
      onMeasuring: () => {
        before = sampleProcesses(ensemble.processes);
      },
      onMeasured: () => {
        after = sampleProcesses(ensemble.processes);
      },
      onProgress: (operations) => {
        seconds += 1 / options.loadProcesses; // Each load process reports once a second.
        if (!Number.isInteger(Math.round(seconds * 1000) / 1000)) return;
        onProgress({ what, seconds, operationsPerSecond: operations - operationsBefore });
        operationsBefore = operations;
      },
    },
  );
  return { ...result, ensemble: ensemble.name, workload, round, servers: costs(before, after) };
}

function costs(before: readonly ProcessSample[], after: readonly ProcessSample[]): ServerCost[] {
  return after.flatMap(({ label, pid, cpuSeconds, residentBytes }) => {
    const start = before.find((sample) => sample.pid === pid);
    if (start === undefined) return [];
    return [{ label, pid, cpuSeconds: cpuSeconds - start.cpuSeconds, residentBytes }];
  });
}

let rootsNamed = 0;

/** Returns a name that no earlier run on the same servers has used. */
function rootName(): string {
  rootsNamed += 1;
  return `/zooid-bench-${Date.now().toString(36)}-${process.pid}-${rootsNamed}`;
}

export function mediansOf(rounds: readonly Round[]): Medians {
  const of = (pick: (round: Round) => number): number => median(rounds.map(pick));
  return {
    operationsPerSecond: of((round) => round.operationsPerSecond),
    p50: of((round) => round.latencyMs.p50),
    p99: of((round) => round.latencyMs.p99),
    p999: of((round) => round.latencyMs.p999),
    serverCpuSeconds: of((round) =>
      round.servers.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    ),
    loadCpuSeconds: of((round) => round.loadCpuSeconds),
  };
}

/** Returns the median: the mean of the two middle values if their number is even, and 0 if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  if (sorted.length % 2 === 1) return upper;
  return (upper + (sorted[sorted.length / 2 - 1] ?? 0)) / 2;
}
