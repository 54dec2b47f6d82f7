/** The actors of a tree lane: its replica with its submitter, and the gateways of its clients. */
import { crc32 } from "node:zlib";
import { feedActor, type FeedOptions } from "../../actors/feed/feed.ts";
import { natsGatewayActor, type NatsGatewayOptions } from "../../actors/gateway/nats/gateway.ts";
import {
  zooKeeperGatewayActor,
  type ZooKeeperGatewayOptions,
} from "../../actors/gateway/zookeeper/gateway.ts";
import { submitterActor } from "../../actors/submitter/submitter.ts";
import { treeActor, type TreeOptions } from "../../actors/tree/tree.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { authenticationOf } from "../config/authentication.ts";
import { slowRequestMs } from "../config/node-config.ts";
import type { PlacedConfig } from "../threads/choice.ts";

/** A lane's replica and its submitter. */
export function addReplicaActors(
  system: ActorSystem,
  config: PlacedConfig,
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
  const slow = { slowRequestMs: slowRequestMs(config) };
  const shared = { lane, extendedTypes, ...timeouts, ...held, ...slow };
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
