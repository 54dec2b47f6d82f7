/** The actors that face clients and operators. */
import { adminActor } from "../actors/admin/admin.ts";
import { natsGatewayActor, type NatsGatewayOptions } from "../actors/gateway/nats/gateway.ts";
import { zooKeeperGatewayActor } from "../actors/gateway/zookeeper/gateway.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { zooidVersion } from "./version.ts";

/** Tools compare it: the version of ZooKeeper whose operations are served. */
const ZOOKEEPER_VERSION = "3.8.0";
/** Tools read a date here; that of builds that can be repeated. */
const BUILT = "1970-01-01 00:00 UTC";

/** Beside the replication actors, on the main thread. */
export function addAdminActor(
  system: ActorSystem,
  config: NodeConfig,
  environment: readonly (readonly [string, string])[] = [],
): void {
  const version = `${ZOOKEEPER_VERSION}-zooid-${zooidVersion()}, built on ${BUILT}`;
  system.add(adminActor({ server: config.id, voters: config.members, version, environment }));
}

/** Beside a lane's replica. */
export function addGatewayActors(
  system: ActorSystem,
  config: NodeConfig,
  lane: number,
  options: Pick<NatsGatewayOptions, "streamPendingBytesMax" | "heldBytesMax"> = {},
): void {
  const { id: server, ensemble, fourLetterWords } = config;
  const { minSessionTimeoutMs, maxSessionTimeoutMs, failoverGraceMs } = config;
  const { heldBytesMax } = options;
  const timeouts = { minSessionTimeoutMs, maxSessionTimeoutMs, failoverGraceMs };
  const shared = { lane, ...timeouts, ...(heldBytesMax === undefined ? {} : { heldBytesMax }) };
  system.add(zooKeeperGatewayActor({ ...shared, fourLetterWords }));
  system.add(natsGatewayActor({ ...shared, ...options, server, ensemble }));
}
