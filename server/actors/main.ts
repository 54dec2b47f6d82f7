/** The actors of the main thread: those of replication, and those that face operators and the process that the node lives in. */
import { crc32 } from "node:zlib";
import { adminActor } from "../../actors/admin/admin.ts";
import { changesActor, type ChangesOptions } from "../../actors/changes/changes.ts";
import { electionActor } from "../../actors/election/election.ts";
import { heartbeatActor } from "../../actors/heartbeat/heartbeat.ts";
import { logSyncActor } from "../../actors/log-sync/log-sync.ts";
import type { LogSyncOptions } from "../../actors/log-sync/state.ts";
import { reaperActor } from "../../actors/reaper/reaper.ts";
import { sessionsActor } from "../../actors/sessions/sessions.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { NodeGate } from "../peer-gate.ts";
import type { PlacedConfig } from "../threads/choice.ts";
import { zooidVersion } from "../version.ts";
import { observe } from "../wiring.ts";

/** For how many peer timeouts a process must be silent before another folder may take its number over. */
const PEER_TIMEOUTS_BEFORE_REPLACEMENT = 5;

const IDLE_INTERVAL_MS = 250;

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

/** The version of ZooKeeper whose operations are served. Tools compare it. */
const ZOOKEEPER_VERSION = "3.8.0";
/** Tools expect a date here. It is that of reproducible builds. */
const BUILT = "1970-01-01 00:00 UTC";

/** The admin actor lives on the main thread, beside the replication actors. */
export function addAdminActor(
  system: ActorSystem,
  config: PlacedConfig,
  environment: readonly (readonly [string, string])[] = [],
): void {
  const version = `${ZOOKEEPER_VERSION}-zooid-${zooidVersion()}, built on ${BUILT}`;
  const { id: server, members: voters, lanes, readOnlyMode, slowRequestMs } = config;
  const startedMs = system.nowMs;
  // `conf` picks what it tells.
  const about = {
    server,
    voters,
    lanes,
    readOnlyMode,
    slowRequestMs,
    version,
    environment,
    configuration: config,
  };
  system.add(adminActor({ ...about, startedMs }));
}

/** The changes actor, which gives change streams to readers in this process, lives on the main thread. */
export function addChangesActor(system: ActorSystem, options: ChangesOptions = {}): void {
  system.add(changesActor(options));
}
