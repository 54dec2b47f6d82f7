/**
 * Runs plain loads on all targets: they are all up, and one at a time is under load, A B A B. So each pair of runs that is compared
 * sees the same machine, and compiled code stays compiled.
 */
import type { Target } from "../targets/target.ts";
import { type LoadResult, runLoad } from "../load/run.ts";
import { type ProcessSample, sampleProcesses } from "../processes.ts";
import type { Measurement, MetricName, ServerCost } from "../report/measurement.ts";
import { count } from "../report/table.ts";
import { LOAD_CASES, type LoadCase, type LoadProfileName, whyNotOffered } from "./cases.ts";
import type { Profile, ProfileContext } from "./profile.ts";

export function loadProfile(profile: LoadProfileName, summary: string): Profile {
  return {
    summary,
    needs: "targets",
    run: async (context) => {
      for (const each of LOAD_CASES[profile](context.options)) {
        for (let round = 1; round <= context.options.rounds; round += 1) {
          for (const target of context.targets) {
            context.record(await runCase(context, target, { profile, case: each, round }));
          }
        }
      }
    },
  };
}

export type Run = {
  readonly profile: string;
  readonly case: LoadCase;
  readonly round: number;
};

/** The targets that have been under load. The first load of a target meets code that is not compiled yet. */
const warm = new WeakSet<Target>();

export async function runCase(
  context: ProfileContext,
  target: Target,
  { profile, case: load, round }: Run,
): Promise<Measurement> {
  const named = { profile, name: load.name, target: target.name, round };
  const notOffered = whyNotOffered(load.work, target.protocol);
  if (notOffered !== undefined) return { ...named, metrics: {}, notOffered };
  const { options } = context;
  const what = `${target.name} ${profile} ${load.name} ${round}/${options.rounds}`;
  context.screen.status(what);
  const warmupSeconds = warm.has(target) ? options.warmupSeconds : options.firstWarmupSeconds;
  warm.add(target);
  let before: readonly ProcessSample[] = [];
  let after: readonly ProcessSample[] = [];
  const result = await runLoad(
    {
      protocol: target.protocol,
      addresses: target.addresses,
      ...{ work: load.work, connections: load.connections, outstanding: load.outstanding },
      ratePerSecond: load.ratePerSecond,
      valueBytes: load.valueBytes,
      warmupSeconds,
      seconds: options.seconds,
      root: rootName(),
      cleanUp: target.processes.length === 0,
    },
    {
      processes: Math.min(options.loadProcesses, load.connections),
      signal: context.signal,
      onMeasuring: () => {
        before = sampleProcesses(target.processes);
      },
      onMeasured: () => {
        after = sampleProcesses(target.processes);
      },
      onProgress: progressOn(context, what),
    },
  );
  const servers = costsOf(before, after);
  return {
    ...named,
    metrics: metricsOf(result, servers),
    problems: [...problemsOf(result), ...target.problems()],
    servers,
    ...(load.points === undefined ? {} : { points: load.points }),
  };
}

function progressOn({ screen }: ProfileContext, what: string): (operations: number) => void {
  const startMs = performance.now();
  return (operations) => {
    const seconds = (performance.now() - startMs) / 1000;
    screen.status(`${what}  ${seconds.toFixed(0)} s  ${count(operations)} operations`);
  };
}

export function metricsOf(
  result: LoadResult,
  servers: readonly ServerCost[],
): Readonly<Partial<Record<MetricName, number>>> {
  const { latencyMs, readMs, writeMs, operations } = result;
  const cpuSeconds = servers.reduce((sum, each) => sum + each.cpuSeconds, 0);
  const isMixed = readMs.operations > 0 && writeMs.operations > 0;
  return {
    operationsPerSecond: result.operationsPerSecond,
    ...{ p50: latencyMs.p50, p99: latencyMs.p99, p999: latencyMs.p999 },
    ...(isMixed ? { readP99: readMs.p99, writeP99: writeMs.p99 } : {}),
    ...(servers.length > 0 && operations > 0
      ? { serverCpuUs: (cpuSeconds / operations) * 1e6 }
      : {}),
    loadCpuSeconds: result.loadCpuSeconds,
  };
}

export function costsOf(
  before: readonly ProcessSample[],
  after: readonly ProcessSample[],
): ServerCost[] {
  return after.flatMap(({ label, pid, cpuSeconds, residentBytes }) => {
    const start = before.find((sample) => sample.pid === pid);
    if (start === undefined) return [];
    return [{ label, cpuSeconds: cpuSeconds - start.cpuSeconds, residentBytes }];
  });
}

export function problemsOf(result: LoadResult): string[] {
  const { errors, connectionsLost, lossReasons, operationsLost, operationsOverdue } = result;
  const what = Object.entries(errors).map(([code, times]) => `error ${code} ${times} times`);
  if (connectionsLost > 0) {
    what.push(`${connectionsLost} connections lost (${lossReasons.join("; ")})`);
  }
  if (operationsLost > 0) what.push(`${operationsLost} operations never answered`);
  if (operationsOverdue > 0) what.push(`${operationsOverdue} requests were due and not sent`);
  return what;
}

let rootsNamed = 0;

/** Returns a name that no earlier run on the same servers has used. */
export function rootName(): string {
  rootsNamed += 1;
  return `/zooid-bench-${Date.now().toString(36)}-${process.pid}-${rootsNamed}`;
}
