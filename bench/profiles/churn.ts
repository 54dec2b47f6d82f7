/**
 * `npm run bench -- churn`: clients that come, create a sequential ephemeral znode below one parent, and go, as workers that take a lock
 * do. With etcd a lease stands for the session.
 */
import { BenchError } from "../failure.ts";
import { EtcdChannel } from "../load/etcd/channel.ts";
import {
  leaseGrantRequest,
  leaseOf,
  leaseRevokeRequest,
  putRequest,
} from "../load/etcd/messages.ts";
import { LatencyHistogram } from "../../cli/latency-histogram.ts";
import type { Address } from "../load/plan.ts";
import { Recorder } from "../load/recorder.ts";
import { LoadConnection } from "../load/zookeeper/connection.ts";
import { CODE_OK, createFrame } from "../load/zookeeper/wire.ts";
import { sampleProcesses } from "../processes.ts";
import type { Measurement } from "../report/measurement.ts";
import type { Target } from "../targets/target.ts";
import { costsOf, rootName } from "./load.ts";
import type { ProfileContext } from "./profile.ts";

const CLIENTS = [1, 30];
const LEASE_SECONDS = 30;

/** Comes, creates, and goes. */
type Visit = () => Promise<void>;

export async function churn(context: ProfileContext): Promise<void> {
  for (const clients of CLIENTS) {
    for (let round = 1; round <= context.options.rounds; round += 1) {
      for (const target of context.targets) {
        context.record(await runCase(context, target, { clients, round }));
      }
    }
  }
}

async function runCase(
  { options, screen, signal }: ProfileContext,
  target: Target,
  { clients, round }: { readonly clients: number; readonly round: number },
): Promise<Measurement> {
  const name = `${clients} ${clients === 1 ? "client" : "clients"}: session, znode, end`;
  const named = { profile: "churn", name, target: target.name, round };
  if (target.protocol === "jetstream") {
    return { ...named, metrics: {}, notOffered: "JetStream has no sessions" };
  }
  screen.status(`${target.name} churn ${name} ${round}/${options.rounds}`);
  await using stack = new AsyncDisposableStack();
  const root = rootName();
  const make = target.protocol === "etcd" ? etcdVisits : zooKeeperVisits;
  const visits = await make(
    target.addresses,
    { clients, root, valueBytes: options.valueBytes },
    stack,
  );
  await run(visits, options.warmupSeconds * 1000, signal);
  const before = sampleProcesses(target.processes);
  const startMs = performance.now();
  const latencies = await run(visits, options.seconds * 1000, signal);
  const seconds = (performance.now() - startMs) / 1000;
  const servers = costsOf(before, sampleProcesses(target.processes));
  const serverSeconds = servers.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const ms = (fraction: number): number => latencies.percentileUs(fraction) / 1000;
  return {
    ...named,
    metrics: {
      operationsPerSecond: latencies.total / seconds,
      ...{ p50: ms(0.5), p99: ms(0.99) },
      ...(servers.length > 0 ? { serverCpuUs: (serverSeconds / latencies.total) * 1e6 } : {}),
    },
    problems: target.problems(),
    servers,
  };
}

async function run(
  visits: readonly Visit[],
  durationMs: number,
  signal: AbortSignal,
): Promise<LatencyHistogram> {
  const latencies = new LatencyHistogram();
  const endMs = performance.now() + durationMs;
  await Promise.all(
    visits.map(async (visit) => {
      while (performance.now() < endMs) {
        signal.throwIfAborted();
        const startMs = performance.now();
        await visit();
        latencies.record((performance.now() - startMs) * 1000);
      }
    }),
  );
  return latencies;
}

type Plan = { readonly clients: number; readonly root: string; readonly valueBytes: number };

async function zooKeeperVisits(
  addresses: readonly Address[],
  { clients, root, valueBytes }: Plan,
): Promise<readonly Visit[]> {
  const recorder = new Recorder();
  const connectTo = async (index: number): Promise<LoadConnection> => {
    const address = addresses[index % addresses.length];
    if (address === undefined) throw new BenchError("a session needs a server");
    const connection = new LoadConnection(address, recorder, 1);
    await connection.open();
    return connection;
  };
  const maker = await connectTo(0);
  await maker.request(createFrame(root, Buffer.alloc(0)));
  await maker.closed();
  const flags = { ephemeral: true, sequential: true };
  const create = createFrame(`${root}/lock-`, Buffer.alloc(valueBytes, "v"), flags);
  return Array.from(
    { length: clients },
    (_, index): Visit =>
      async () => {
        const connection = await connectTo(index);
        const code = await connection.request(create);
        if (code !== CODE_OK) throw new BenchError(`churn: a create failed with ${code}`);
        await connection.closed();
      },
  );
}

async function etcdVisits(
  addresses: readonly Address[],
  { clients, root, valueBytes }: Plan,
  stack: AsyncDisposableStack,
): Promise<readonly Visit[]> {
  const value = Buffer.alloc(valueBytes, "v");
  return await Promise.all(
    Array.from({ length: clients }, async (_, index): Promise<Visit> => {
      const address = addresses[index % addresses.length];
      if (address === undefined) throw new BenchError("a lease needs a server");
      const channel = new EtcdChannel(address);
      stack.defer(() => channel.close());
      await channel.open();
      return async () => {
        const lease = leaseOf(
          await channel.ask("Lease/LeaseGrant", leaseGrantRequest(LEASE_SECONDS)),
        );
        await channel.ask("KV/Put", putRequest(`${root}/lock-${lease}`, value, lease));
        await channel.ask("Lease/LeaseRevoke", leaseRevokeRequest(lease));
      };
    }),
  );
}
