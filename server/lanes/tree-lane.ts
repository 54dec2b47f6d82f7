/** Entry of a tree lane's thread: a replica, its submitter, and the gateways of its clients. */
import { CONNECTION_UNSENT_BYTES_MAX } from "../../protocol/limits.ts";
import { gatewaySubject, laneSubject } from "../../protocol/subjects.ts";
import {
  ConnectionCounts,
  type SharedCounts,
} from "../../runtime/connections/connection-counts.ts";
import { Listener } from "../../runtime/connections/listener.ts";
import { hostLane, type LaneTask } from "../../runtime/lanes/lane-host.ts";
import { realClock, realRandomness } from "../../runtime/real-clock.ts";
import { ActorSystem } from "../../runtime/system.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { connectNatsClients, type NatsClients } from "../../runtime/nats/client-subjects.ts";
import { type NodeConfig, slowStepMs } from "../config/node-config.ts";
import { addGatewayActors } from "../gateways.ts";
import { machine, memoryLimits } from "../memory-limits.ts";
import { natsLog, natsTopic } from "../nats-log.ts";
import { natsOptions } from "../nats-options.ts";
import { whenNatsIsThere } from "../nats-wait.ts";
import { addReplicaActors } from "../placement.ts";
import { wireAll } from "../wiring.ts";
import { reportLane } from "../process-report.ts";
import type { NatsReport } from "../../actors/admin/messages.ts";
import type { Topic } from "../../actors/topics.ts";

export type TreeLaneData = {
  readonly config: NodeConfig;
  /** The connections of all lanes are counted together. */
  readonly counts: SharedCounts;
  readonly lane: number;
  /** For the first lane the port of the configuration, which may be 0; for the others the port that the first one got. */
  readonly clientPort: number;
  /** Whether this node serves clients over NATS. */
  readonly nats: boolean;
  /** Operations that are not applied. */
  readonly skips: readonly Zxid[];
};

export default async function treeLane(task: LaneTask<TreeLaneData>): Promise<void> {
  const { config, lane, port } = task;
  await hostLane(port, async ({ link, onInspection, onStopNode, signal }) => {
    const listener = new Listener({
      host: config.clientPortAddress,
      port: task.clientPort,
      reusePort: config.lanes > 1,
      unsentBytesMax: CONNECTION_UNSENT_BYTES_MAX,
      counts: new ConnectionCounts(task.counts),
      onMessage: (message) => system.tell(`zookeeper/${lane}`, message),
    });
    const clients: NatsClients | undefined = task.nats
      ? await whenNatsIsThere(
          () =>
            connectNatsClients({
              ...natsOptions(config),
              name: `zooid ${config.ensemble} ${config.id} clients ${lane}`,
              sharedSubject: gatewaySubject(config.ensemble),
              laneSubject: laneSubject(config.ensemble, config.id, lane),
              log: natsLog(config.id, onInspection, lane),
              onMessage: (message) => system.tell(`nats/${lane}`, message),
            }),
          natsLog(config.id, onInspection, lane),
          signal,
        )
      : undefined;
    const system: ActorSystem = new ActorSystem({
      node: config.id,
      clock: realClock,
      randomness: realRandomness,
      connections: listener,
      publisher: clients,
      slowStepMs: slowStepMs(config),
      route: () => link,
      onStopNode,
    });
    wireAll(system, config.lanes);
    const { tree: limits, ringBytesMax, heldBytesMax } = memoryLimits(config, machine());
    addReplicaActors(system, config, lane, { limits, ringBytesMax, skips: new Set(task.skips) });
    if (clients !== undefined) {
      system.observe(`nats/${lane}`, "serving" satisfies Topic).subscribe(() => clients.listen());
    }
    addGatewayActors(system, config, lane, { heldBytesMax });
    const address = await listener.listen();
    clients?.status$.subscribe((status) => {
      const report: NatsReport = { kind: "natsReport", connection: lane, status };
      system.tell("admin", report, natsTopic(lane));
    });
    const stopReports = reportLane(lane, (report) => system.tell("admin", report));
    const close = async (): Promise<void> => {
      stopReports();
      await listener.close();
      await clients?.close();
    };
    return { system, close, detail: { clientPort: address.port } };
  });
}
