/** All actors of a node, in the order in which they start, where one place makes the systems of all its threads. */
import type { ActorSystem } from "../runtime/system.ts";
import { addFeedActor, addGatewayActors, addReplicaActors } from "./actors/lane.ts";
import { addLogActor } from "./actors/log.ts";
import { addAdminActor, addChangesActor, addReplicationActors } from "./actors/main.ts";
import type { NodeGate } from "./peer-gate.ts";
import type { PlacedConfig } from "./threads/choice.ts";

/** Sizes and times other than the usual ones. */
export type ActorOptions = {
  readonly log?: Parameters<typeof addLogActor>[2];
  readonly replica?: Parameters<typeof addReplicaActors>[3];
  readonly gateway?: Parameters<typeof addGatewayActors>[3];
  /** Default: the change feed is off. */
  readonly feed?: Parameters<typeof addFeedActor>[2];
  readonly replication?: Parameters<typeof addReplicationActors>[3];
  readonly changes?: Parameters<typeof addChangesActor>[1];
};

/** `systemOf`: the system of a thread, which is `main`, `log`, or the number of a lane. */
export function addNodeActors(
  systemOf: (thread: "main" | "log" | number) => ActorSystem,
  of: { readonly config: PlacedConfig; readonly gate: NodeGate; readonly options?: ActorOptions },
): void {
  const { config, gate, options = {} } = of;
  addLogActor(systemOf("log"), config, options.log);
  for (let lane = 1; lane <= config.lanes; lane += 1) {
    addReplicaActors(systemOf(lane), config, lane, options.replica);
    addGatewayActors(systemOf(lane), config, lane, options.gateway);
  }
  addFeedActor(systemOf(1), config, options.feed ?? { isOn: false });
  addReplicationActors(systemOf("main"), config, gate, options.replication);
  addAdminActor(systemOf("main"), config);
  addChangesActor(systemOf("main"), options.changes);
}
