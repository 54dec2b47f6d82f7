/** The actors that face clients and operators, and what they hear of the others. */
import { adminActor } from "../actors/admin/admin.ts";
import { natsGatewayActor } from "../actors/gateway/nats/gateway.ts";
import { zooKeeperGatewayActor } from "../actors/gateway/zookeeper/gateway.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { tellAll } from "./placement.ts";

/** Beside the replication actors, on the main thread. */
export function addAdminActor(system: ActorSystem, config: NodeConfig): void {
  const gateways: string[] = [];
  for (let lane = 1; lane <= config.lanes; lane += 1) {
    gateways.push(`zookeeper/${lane}`, `nats/${lane}`);
  }
  tellAll(system, "log-sync", "leadership$", ["admin", ...gateways]);
  tellAll(system, "heartbeat", "leaderHeard$", gateways);
  tellAll(system, "heartbeat", "peers$", ["admin"]);
  system.add(adminActor({ server: config.id, voters: config.members }));
}

/** Beside a lane's replica. */
export function addGatewayActors(system: ActorSystem, config: NodeConfig, lane: number): void {
  const gateways = [`zookeeper/${lane}`, `nats/${lane}`];
  tellAll(system, `tree/${lane}`, "sessions$", gateways);
  tellAll(system, `tree/${lane}`, "applied$", ["admin"]);
  const { id: server, ensemble, failoverGraceMs } = config;
  const timeouts = {
    minSessionTimeoutMs: config.minSessionTimeoutMs,
    maxSessionTimeoutMs: config.maxSessionTimeoutMs,
  };
  system.add(
    zooKeeperGatewayActor({
      lane,
      ...timeouts,
      failoverGraceMs,
      maxClientConnectionsPerAddress: config.maxClientConnections,
      fourLetterWords: config.fourLetterWords,
    }),
  );
  system.add(natsGatewayActor({ server, lane, ensemble, timeouts, failoverGraceMs }));
}
