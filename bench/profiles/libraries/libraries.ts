/**
 * `npm run bench -- libraries`: the client libraries that a program in Node can use, each as its users use it: one client in this process,
 * with 1, 30 and 1,920 calls under way, and a lock that is taken and given back. Their own cost is part of the numbers.
 */
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Protocol } from "../../load/plan.ts";
import type { Measurement } from "../../report/measurement.ts";
import type { Target } from "../../targets/target.ts";
import { rootName } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { etcd } from "./etcd.ts";
import { kv } from "./kv.ts";
import type { Library, OpenLibrary } from "./library.ts";
import { nodeZooKeeper } from "./node-zookeeper.ts";
import { overNats, overZooKeeper } from "./zooid.ts";

type Way = {
  readonly name: string;
  readonly open: OpenLibrary;
  readonly speaks: Protocol;
  /** It needs a target that listens on NATS as well. */
  readonly needsNats?: true;
};

const WAYS: readonly Way[] = [
  { name: "zooid/client, NATS", open: overNats, speaks: "zookeeper", needsNats: true },
  { name: "zooid/client, TCP", open: overZooKeeper, speaks: "zookeeper" },
  { name: "node-zookeeper-client", open: nodeZooKeeper, speaks: "zookeeper" },
  { name: "etcd3", open: etcd, speaks: "etcd" },
  { name: "@nats-io/kv", open: kv, speaks: "jetstream" },
];

const UNDER_WAY: readonly number[] = [1, 30, 1920];

type Work = "set" | "get" | "lock";
type Case = { readonly work: Work; readonly underWay: number };

const CASES: readonly Case[] = [
  ...UNDER_WAY.map((underWay): Case => ({ work: "set", underWay })),
  ...UNDER_WAY.map((underWay): Case => ({ work: "get", underWay })),
  { work: "lock", underWay: 1 },
];

export async function libraries(context: ProfileContext): Promise<void> {
  const { options, targets, record } = context;
  for (const each of CASES) {
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const target of targets) {
        for (const way of WAYS.filter((one) => fits(one, target))) {
          record(await runCase(context, { target, way, round, ...each }));
        }
      }
    }
  }
}

function fits({ speaks, needsNats }: Way, target: Target): boolean {
  return speaks === target.protocol && (needsNats === undefined || target.nats !== undefined);
}

async function runCase(
  { options, screen, signal }: ProfileContext,
  {
    target,
    way,
    round,
    work,
    underWay,
  }: Case & { readonly target: Target; readonly way: Way; readonly round: number },
): Promise<Measurement> {
  const name = `${work}, ${underWay} under way`;
  const named = { profile: "libraries", name, target: `${target.name}: ${way.name}`, round };
  screen.status(`${named.target} ${name} ${round}/${options.rounds}`);
  await using library = await way.open(target, rootName());
  const value = new Uint8Array(options.valueBytes).fill(0x7a);
  await library.prepare(underWay, value);
  const call = callOf(library, work, value);
  if (call === undefined) return { ...named, metrics: {}, notOffered: "it has no lock" };
  await run(call, { underWay, forMs: options.warmupSeconds * 1000, signal });
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const latencies = await run(call, { underWay, forMs: options.seconds * 1000, signal });
  const seconds = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    ...named,
    metrics: {
      operationsPerSecond: latencies.total / seconds,
      p50: latencies.percentileUs(0.5) / 1000,
      p99: latencies.percentileUs(0.99) / 1000,
      loadCpuSeconds: (used.user + used.system) / 1e6,
    },
    problems: target.problems(),
  };
}

type Call = (place: number) => Promise<unknown>;

function callOf(library: Library, work: Work, value: Uint8Array): Call | undefined {
  if (work === "set") return (place) => library.set(place, value);
  if (work === "get") return library.get;
  return library.lock;
}

async function run(
  call: Call,
  {
    underWay,
    forMs,
    signal,
  }: { readonly underWay: number; readonly forMs: number; readonly signal: AbortSignal },
): Promise<LatencyHistogram> {
  const latencies = new LatencyHistogram();
  const untilMs = performance.now() + forMs;
  const again = async (place: number): Promise<void> => {
    while (performance.now() < untilMs && !signal.aborted) {
      const startMs = performance.now();
      await call(place);
      latencies.record((performance.now() - startMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: underWay }, (_, place) => again(place)));
  return latencies;
}
