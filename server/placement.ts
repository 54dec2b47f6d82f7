/**
 * Which actors live on which thread. A node has one main thread, one log lane and one or more tree lanes, or a main thread that does
 * the work of all (`threads/`).
 */
import { crc32 } from "node:zlib";
import { electionActor } from "../actors/election/election.ts";
import { heartbeatActor } from "../actors/heartbeat/heartbeat.ts";
import { logActor } from "../actors/log/log.ts";
import { logSyncActor } from "../actors/log-sync/log-sync.ts";
import type { LogSyncOptions } from "../actors/log-sync/state.ts";
import { peerCheck } from "../actors/peer-messages.ts";
import { reaperActor } from "../actors/reaper/reaper.ts";
import { sessionsActor } from "../actors/sessions/sessions.ts";
import { submitterActor } from "../actors/submitter/submitter.ts";
import { treeActor, type TreeOptions } from "../actors/tree/tree.ts";
import type { Randomness } from "../runtime/clock.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { NodeGate } from "./peer-gate.ts";
import type { PlacedConfig } from "./threads/choice.ts";
import { observe } from "./wiring.ts";

/** For how many peer timeouts a process must be silent before another folder may take its number over. */
const PEER_TIMEOUTS_BEFORE_REPLACEMENT = 5;

const IDLE_INTERVAL_MS = 250;

/** The thread of an actor, by its name: `log`, a lane's number, or the main thread. */
export function threadOf(actor: string): "main" | "log" | number {
  if (actor === "log") return "log";
  const slash = actor.indexOf("/");
  return slash < 0 ? "main" : Number(actor.slice(slash + 1));
}

/** The gate of the node, with a nonce that tells this process from others with its number. */
export function peerGate(config: NodeConfig, randomness: Randomness): NodeGate {
  const nonce = Math.floor(randomness.random() * Number.MAX_SAFE_INTEGER);
  const check = peerCheck({ server: config.id, voters: config.members });
  return new NodeGate({ server: config.id, nonce, check });
}

/** Election, heartbeat, sessions, the reaper and log-sync: they live on the main thread. The gate goes by what log-sync says. */
export function addReplicationActors(
  system: ActorSystem,
  config: PlacedConfig,
  gate: NodeGate,
  options: Pick<LogSyncOptions, "sizes" | "replaceAfterMs"> = {},
): void {
  const { id: server, members: voters, lanes, heartbeatIntervalMs: intervalMs } = config;
  observe(system, "standing").subscribe((standing) => gate.goBy(standing));
  const replaceAfterMs = PEER_TIMEOUTS_BEFORE_REPLACEMENT * config.peerTimeoutMs;
  const { nonce } = gate;
  const { enforceQuota } = config;
  const own = { server, nonce, voters, lanes, crc32, replaceAfterMs, enforceQuota };
  system.add(logSyncActor({ ...own, ...options }));
  system.add(electionActor({ server, voters }));
  system.add(
    heartbeatActor({
      server,
      voters,
      intervalMs,
      idleIntervalMs: idleIntervalMs(config),
      patienceMs: config.leaderPatienceMs,
      timeoutMs: config.peerTimeoutMs,
    }),
  );
  system.add(sessionsActor({ tickMs: Math.min(500, Math.ceil(config.tickTimeMs / 4)) }));
  const { containerCheckIntervalMs: checkIntervalMs, containersPerMinuteMax: perMinuteMax } =
    config;
  system.add(reaperActor({ checkIntervalMs, perMinuteMax, unusedMs: config.containerUnusedMs }));
}

/**
 * In quiet times, the milliseconds between two pings. A leader that falls silent is then asked several times before patience with it
 * ends, and a touch of the shortest session is confirmed long before its answers would have to wait.
 */
function idleIntervalMs(config: NodeConfig): number {
  const { heartbeatIntervalMs, leaderPatienceMs, minSessionTimeoutMs } = config;
  const quietMs = Math.min(IDLE_INTERVAL_MS, leaderPatienceMs / 2, minSessionTimeoutMs / 16);
  return Math.max(heartbeatIntervalMs, Math.floor(quietMs));
}

export function addLogActor(
  system: ActorSystem,
  config: NodeConfig,
  options: { readonly segmentBytes?: number } = {},
): void {
  const { id: server, ensemble, members, snapshotEveryBytes, snapshotsKept } = config;
  const repairable = members.length > 1;
  const sizes = { snapshotEveryBytes, snapshotsKept, ...options };
  system.add(logActor({ server, ensemble, members, repairable, crc32, ...sizes }));
}

/** A lane's replica and its submitter. */
export function addReplicaActors(
  system: ActorSystem,
  config: NodeConfig,
  lane: number,
  options: Pick<
    TreeOptions,
    "ringBytesMax" | "snapshotChunkBytes" | "slabBytes" | "limits" | "removals" | "skips"
  > = {},
): void {
  const { id: server, members } = config;
  // ZooKeeper has nothing there if it is alone.
  const servers = members.length > 1 ? config.servers : [];
  system.add(treeActor({ server, lane, crc32, servers, ...options }));
  system.add(submitterActor({ server, lane }));
}
