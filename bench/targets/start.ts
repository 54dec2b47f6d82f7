/** Starts what the options ask for. All targets are up for the whole time. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchOptions, Peer } from "../options.ts";
import { cpuSecondsOf } from "../processes.ts";
import { isInMemory, type TargetFacts } from "../report/environment.ts";
import type { Screen } from "../screen.ts";
import { checkOut } from "./checkout.ts";
import { startEtcd } from "./etcd.ts";
import { startJetStream } from "./jetstream.ts";
import { runningServers } from "./running.ts";
import type { Target } from "./target.ts";
import { startZooid } from "./zooid.ts";
import { startZooKeeper } from "./zookeeper.ts";

/** How long the targets are watched without a load. Elections and the first snapshots are over before. */
const SETTLE_MS = 2000;
const IDLE_MS = 2000;

export async function startTargets(
  options: BenchOptions,
  stack: AsyncDisposableStack,
  { screen, signal }: { readonly screen: Screen; readonly signal: AbortSignal },
): Promise<readonly Target[]> {
  const { folder, zooidArgs: args } = options;
  const targets: Target[] = [];
  const use = async (name: string, start: () => Promise<Target>): Promise<void> => {
    screen.status(`starting ${name} ...`);
    targets.push(stack.use(await start()));
  };
  if (options.addresses.length > 0) {
    await use("target", () => runningServers(options.addresses));
  } else if (options.zooid) {
    await use("zooid", () => startZooid({ folder, args }, signal));
  }
  if (options.against !== undefined && !options.against.endsWith(".json")) {
    const checkout = await checkOut(options.against, { stack, screen, signal });
    const name = `zooid@${options.against}`;
    await use(name, () => startZooid({ folder, args, name, checkout }, signal));
  }
  for (const peer of options.peers) await use(peer, () => startPeer(peer, folder, signal));
  if (targets.some(({ processes }) => processes.length > 0) && isInMemory(folder)) {
    screen.print(
      `! ${folder} is in memory, so writes cost no disk: choose a folder on disk with --dir`,
    );
  }
  return targets;
}

export function startPeer(peer: Peer, folder: string, signal: AbortSignal): Promise<Target> {
  switch (peer) {
    case "zookeeper":
      return startZooKeeper(folder, signal);
    case "etcd":
      return startEtcd(folder, signal);
    case "jetstream":
      return startJetStream({ folder, fsync: false }, signal);
    case "jetstream-fsync":
      return startJetStream({ folder, fsync: true }, signal);
  }
}

/** Measures what each target costs while nothing is asked of it: the others pay for it in every comparison. */
export async function factsOf(
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly TargetFacts[]> {
  const own = targets.some(({ processes }) => processes.length > 0);
  if (own) await delay(SETTLE_MS, undefined, { signal });
  const before = targets.map(({ processes }) => cpuSecondsOf(processes));
  if (own) await delay(IDLE_MS, undefined, { signal });
  return targets.map(({ name, version, durability, processes }, index) => {
    const seconds = cpuSecondsOf(processes) - (before[index] ?? 0);
    return { name, version, durability, idlePercent: (seconds / (IDLE_MS / 1000)) * 100 };
  });
}
