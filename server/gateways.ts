/** The actors that face clients, operators, and the process that a node lives in. */
import { adminActor } from "../actors/admin/admin.ts";
import { changesActor, type ChangesOptions } from "../actors/changes/changes.ts";
import { feedActor, type FeedOptions } from "../actors/feed/feed.ts";
import { natsGatewayActor, type NatsGatewayOptions } from "../actors/gateway/nats/gateway.ts";
import {
  zooKeeperGatewayActor,
  type ZooKeeperGatewayOptions,
} from "../actors/gateway/zookeeper/gateway.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { authenticationOf } from "./config/authentication.ts";
import type { PlacedConfig } from "./threads/choice.ts";
import { zooidVersion } from "./version.ts";

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
  const { id: server, members: voters, lanes, readOnlyMode } = config;
  const startedMs = system.nowMs;
  // `conf` picks what it tells.
  const about = {
    server,
    voters,
    lanes,
    readOnlyMode,
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

/** The feed lives beside the replica of lane 1. Without NATS nobody could hear it. */
export function addFeedActor(
  system: ActorSystem,
  config: PlacedConfig,
  options: Pick<FeedOptions, "isOn" | "repeatedMax" | "knownBytesMax" | "markMs">,
): void {
  system.add(feedActor({ ensemble: config.ensemble, ...options }));
}

/** The gateways of a lane live beside its replica. */
export function addGatewayActors(
  system: ActorSystem,
  config: PlacedConfig,
  lane: number,
  options: Pick<NatsGatewayOptions, "streamPendingBytesMax" | "heldBytesMax"> = {},
): void {
  const { id: server, members, ensemble, fourLetterWords, readOnlyMode, extendedTypes } = config;
  const { minSessionTimeoutMs, maxSessionTimeoutMs, failoverGraceMs } = config;
  const { heldBytesMax } = options;
  const timeouts = { minSessionTimeoutMs, maxSessionTimeoutMs, failoverGraceMs };
  const held = heldBytesMax === undefined ? {} : { heldBytesMax };
  const shared = { lane, extendedTypes, ...timeouts, ...held };
  const authentication = authenticationOf(config);
  const { skipsAcl, hash, superDigest, schemes } = authentication;
  const digests = { hash, superDigest };
  const own = { fourLetterWords, readOnlyMode, authentication, ...limitsOf(config) };
  system.add(zooKeeperGatewayActor({ ...shared, ...own }));
  const access = { skipsAcl, digests, schemes };
  system.add(natsGatewayActor({ ...shared, ...options, server, members, ensemble, ...access }));
}

/** What is limited for the node as a whole is shared by its lanes, whose clients are about as many. */
function limitsOf(
  config: PlacedConfig,
): Pick<ZooKeeperGatewayOptions, "packetBytesMax" | "requestsMax" | "tokens"> {
  const { lanes, maxPacketBytes, maxOutstandingRequests, sessionTokens } = config;
  const { sessionTokenFillCount: fillCount, sessionTokenFillMs } = config;
  return {
    packetBytesMax: maxPacketBytes,
    ...(maxOutstandingRequests > 0 && { requestsMax: Math.ceil(maxOutstandingRequests / lanes) }),
    tokens: {
      tokensMax: Math.ceil(sessionTokens / lanes),
      fillCount,
      fillMs: sessionTokenFillMs * lanes,
    },
  };
}
