/** A simulated node's configuration, as its plan has it. */
import type { ServerId } from "../../protocol/ids.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import type { Plan } from "./plan.ts";
import { ENSEMBLE } from "./subjects.ts";

export function configOf(plan: Plan, id: ServerId): NodeConfig {
  return {
    id,
    members: Array.from({ length: plan.nodes }, (_, index) => (index + 1) as ServerId),
    ensemble: ENSEMBLE,
    natsUrls: [],
    natsCredentialsFile: undefined,
    natsTlsCaFile: undefined,
    natsTlsCertFile: undefined,
    natsTlsKeyFile: undefined,
    peerKeyFile: undefined,
    clientPort: 0,
    clientPortAddress: "127.0.0.1",
    dataDir: "/",
    tickTimeMs: plan.minSessionTimeoutMs / 2,
    initLimit: 10,
    syncLimit: 5,
    minSessionTimeoutMs: plan.minSessionTimeoutMs,
    maxSessionTimeoutMs: plan.minSessionTimeoutMs * 10,
    maxClientConnections: 0,
    maxConnections: 0,
    maxTreeBytes: 0,
    maxSessions: 0,
    maxWatches: 0,
    maxHeldBytes: 0,
    laneHeapBytes: 0,
    fourLetterWords: [],
    lanes: plan.lanes,
    snapshotEveryBytes: plan.snapshotEveryBytes,
    failoverGraceMs: plan.failoverGraceMs,
    heartbeatIntervalMs: plan.heartbeatIntervalMs,
    peerTimeoutMs: plan.peerTimeoutMs,
  };
}
