/** A simulated node's configuration, as its plan has it. */
import { SLAB_BYTES } from "../../actors/tree/store/arena.ts";
import { NO_LIMITS } from "../../actors/tree/store/size.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { GATEWAY_HELD_BYTES_MAX } from "../../protocol/limits.ts";
import type { addFeedActor, addGatewayActors, addReplicaActors } from "../../server/actors/lane.ts";
import type { PlacedConfig } from "../../server/threads/choice.ts";
import { SUPER_DIGEST } from "./client/identities.ts";
import type { Plan } from "./plan.ts";
import { ENSEMBLE } from "./subjects.ts";

export function configOf(plan: Plan, id: ServerId): PlacedConfig {
  return {
    id,
    members: Array.from({ length: plan.nodes }, (_, index) => (index + 1) as ServerId),
    servers: [],
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
    dataLogDir: undefined,
    snapshotsKept: 2,
    maxPacketBytes: 1_048_575,
    maxOutstandingRequests: plan.clientLimits.requests,
    sessionTokens: plan.clientLimits.sessionTokens,
    sessionTokenFillMs: 50,
    sessionTokenFillCount: 1,
    tlsCrlFile: undefined,
    tickTimeMs: plan.minSessionTimeoutMs / 2,
    initLimit: 10,
    syncLimit: 5,
    minSessionTimeoutMs: plan.minSessionTimeoutMs,
    // What anybody gets who asks for more, so that no session outlives the time in which all is to be well again.
    maxSessionTimeoutMs: plan.minSessionTimeoutMs * 2,
    maxClientConnections: 0,
    clientPortBacklog: 511,
    secureClientPort: undefined,
    secureClientPortAddress: "127.0.0.1",
    tlsOnClientPort: false,
    tlsKeyStoreFile: undefined,
    tlsKeyStorePassword: undefined,
    tlsKeyStorePasswordFile: undefined,
    tlsKeyStoreType: undefined,
    tlsTrustStoreFile: undefined,
    tlsTrustStorePassword: undefined,
    tlsTrustStorePasswordFile: undefined,
    tlsTrustStoreType: undefined,
    tlsClientAuth: "none",
    tlsProtocols: [],
    tlsCiphers: undefined,
    tlsReload: false,
    maxConnections: 0,
    maxTreeBytes: 0,
    maxSessions: 0,
    maxWatches: 0,
    maxHeldBytes: 0,
    laneHeapBytes: 0,
    // Nodes that differ here must not come to differ in their trees.
    enforceQuota: id % 2 === 1,
    superDigest: SUPER_DIGEST,
    digestAlgorithm: "SHA1",
    digestEnabled: true,
    skipAcl: false,
    authEnforced: false,
    authSchemes: [],
    saslLoginFile: undefined,
    saslLoginSection: "Server",
    saslScheme: false,
    saslRequired: false,
    saslFailedAllowed: false,
    saslSuperUser: undefined,
    saslSuperPassword: undefined,
    adminServer: false,
    adminPort: 0,
    adminAddress: "127.0.0.1",
    adminCommandUrl: "/commands",
    adminTokenFile: undefined,
    adminHttps: false,
    adminKeyStoreFile: undefined,
    adminKeyStorePasswordFile: undefined,
    adminTrustStoreFile: undefined,
    adminClientAuth: "none",
    adminCertificateNames: undefined,
    adminChanges: false,
    adminWrites: false,
    adminAuditFile: undefined,
    metricsNames: "both",
    fourLetterWords: ["*"],
    readOnlyMode: true,
    changeFeed: true,
    lanes: plan.lanes,
    snapshotEveryBytes: plan.snapshotEveryBytes,
    extendedTypes: true,
    containerCheckIntervalMs: plan.reaper.checkIntervalMs,
    containersPerMinuteMax: plan.reaper.perMinuteMax,
    containerUnusedMs: plan.reaper.unusedMs,
    failoverGraceMs: plan.failoverGraceMs,
    heartbeatIntervalMs: plan.heartbeatIntervalMs,
    leaderPatienceMs: Math.min(500, plan.peerTimeoutMs),
    peerTimeoutMs: plan.peerTimeoutMs,
    slowStepMs: 0,
    slowRequestMs: 0,
    actorMetricsMs: 0,
  };
}

/** A few entries. */
const SLAB_BYTES_SMALL = 512;

export function replicaOptionsOf(plan: Plan): Parameters<typeof addReplicaActors>[3] {
  const { ringBytes: ringBytesMax, snapshotChunkBytes, memory, removals } = plan;
  // Where chunks are small, slabs are small too, so that what is in them moves often.
  const slabBytes = snapshotChunkBytes < SLAB_BYTES ? SLAB_BYTES_SMALL : SLAB_BYTES;
  const limits = { ...NO_LIMITS, bytesMax: memory.treeBytes };
  return { ringBytesMax, snapshotChunkBytes, slabBytes, limits, removals };
}

/** A native client whose requests are more than the gateway holds would be refused, which none is ready for. */
export function gatewayOptionsOf(plan: Plan): Parameters<typeof addGatewayActors>[3] {
  const { streamPendingBytes: streamPendingBytesMax, memory, natives } = plan;
  const heldBytesMax = natives.clients.length > 0 ? GATEWAY_HELD_BYTES_MAX : memory.heldBytes;
  return { streamPendingBytesMax, heldBytesMax };
}

/** A feed that is off is there too, as on real nodes. */
export function feedOptionsOf({ feed }: Plan): Parameters<typeof addFeedActor>[2] {
  return { isOn: feed !== undefined, ...feed };
}
