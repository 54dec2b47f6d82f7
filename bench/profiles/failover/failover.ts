/**
 * `npm run bench -- failover` measures how long writers of the surviving servers wait when the leader is killed. Each target is up alone.
 */
import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../../failure.ts";
import type { Peer } from "../../options.ts";
import type { Measurement, Timeline } from "../../report/measurement.ts";
import type { ProfileContext } from "../profile.ts";
import {
  etcdServers,
  SERVERS,
  type Servers,
  startAll,
  zooidServers,
  zooKeeperServers,
} from "./servers.ts";
import type { Acknowledgement, Writer } from "./writer.ts";

/** The time between a restart and the next kill. After it all writers write again, and the code of the new process is compiled. */
const SETTLE_MS = 2_000;
/** The timeline of a kill. */
const TIMELINE_STEP_MS = 20;
const TIMELINE_FROM_MS = -500;
const TIMELINE_TO_MS = 1500;

export async function failover(context: ProfileContext): Promise<void> {
  const { options, screen } = context;
  const jetstream = options.peers.find((peer) => peer.startsWith("jetstream"));
  if (options.addresses.length > 0) {
    throw new UsageError("failover kills servers, so it cannot be run with --target");
  }
  if (jetstream !== undefined) screen.print("! failover is not measured for JetStream");
  if (options.zooid) {
    await using servers = await zooidServers(options.folder, options.zooidArgs);
    await runKills(servers, context);
  }
  for (const peer of options.peers) {
    const make = peerServers(peer);
    if (make === undefined) continue;
    await using servers = await make(options.folder);
    await runKills(servers, context);
  }
}

function peerServers(peer: Peer): ((folder: string) => Promise<Servers>) | undefined {
  if (peer === "zookeeper") return zooKeeperServers;
  return peer === "etcd" ? etcdServers : undefined;
}

async function runKills(servers: Servers, context: ProfileContext): Promise<void> {
  const { options, screen, signal, record } = context;
  screen.status(`starting ${servers.name} ...`);
  await startAll(servers, signal);
  const writers = new Map<number, Writer>();
  for (const [id, address] of servers.addresses) {
    writers.set(id, servers.writer(address, `/zooid-bench-failover-${id}`));
  }
  try {
    for (let round = 1; round <= options.kills; round += 1) {
      screen.status(`${servers.name} kill ${round}/${options.kills}`);
      await delay(SETTLE_MS, undefined, { signal });
      record(await killOnce(servers, writers, { round, signal }));
    }
  } finally {
    for (const writer of writers.values()) writer.stop();
  }
}

async function killOnce(
  servers: Servers,
  writers: ReadonlyMap<number, Writer>,
  { round, signal }: { readonly round: number; readonly signal: AbortSignal },
): Promise<Measurement> {
  const killed = await servers.leader(signal);
  const survivors = SERVERS.filter((id) => id !== killed).flatMap((id) => writers.get(id) ?? []);
  for (const writer of survivors) writer.take();
  const lossesBefore = sum(survivors, ({ losses }) => losses);
  const errorsBefore = sum(survivors, ({ errors }) => errors);
  await delay(-TIMELINE_FROM_MS, undefined, { signal });
  const killedMs = servers.kill(killed);
  const firsts = await Promise.all(survivors.map((writer) => writer.issuedSince(killedMs, signal)));
  await delay(Math.max(0, TIMELINE_TO_MS - (performance.now() - killedMs)), undefined, { signal });
  const all = survivors.map((writer) => writer.take());
  const connectionsLost = sum(survivors, ({ losses }) => losses) - lossesBefore;
  const errors = sum(survivors, (writer) => writer.errors) - errorsBefore;
  await servers.start(killed, signal);
  return {
    profile: "failover",
    name: "kill -9 of the leader",
    target: servers.name,
    round,
    metrics: {
      firstWriteMs: Math.min(...firsts.map(({ atMs }) => atMs)) - killedMs,
      longestGapMs: Math.max(...all.map((each) => longestGapMs(killedMs, each))),
      connectionsLost,
      errors,
    },
    timeline: timelineOf(killedMs, all.flat()),
  };
}

function sum(writers: readonly Writer[], of: (writer: Writer) => number): number {
  return writers.reduce((total, writer) => total + of(writer), 0);
}

/** Returns the longest time between two acknowledgements, beginning with the kill. */
export function longestGapMs(
  killedMs: number,
  acknowledgements: readonly Acknowledgement[],
): number {
  let longest = 0;
  let beforeMs = killedMs;
  for (const { atMs } of acknowledgements) {
    if (atMs < killedMs) continue;
    longest = Math.max(longest, atMs - beforeMs);
    beforeMs = atMs;
  }
  return longest;
}

/** Counts the acknowledgements of all survivors in steps around the kill. */
export function timelineOf(
  killedMs: number,
  acknowledgements: readonly Acknowledgement[],
): Timeline {
  const steps = (TIMELINE_TO_MS - TIMELINE_FROM_MS) / TIMELINE_STEP_MS;
  const values = Array.from({ length: steps }, () => 0);
  for (const { atMs } of acknowledgements) {
    const step = Math.floor((atMs - killedMs - TIMELINE_FROM_MS) / TIMELINE_STEP_MS);
    if (step >= 0 && step < steps) values[step] = (values[step] ?? 0) + 1;
  }
  const label = `acknowledged writes in ${TIMELINE_STEP_MS} ms`;
  return { label, stepMs: TIMELINE_STEP_MS, fromMs: TIMELINE_FROM_MS, values };
}
