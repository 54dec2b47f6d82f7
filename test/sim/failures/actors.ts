/** The actors of a node, as the server adds them, and how each is supervised. */
import type { Actor } from "../../../runtime/actor.ts";
import type { ActorSystem } from "../../../runtime/system.ts";
import { NEVER } from "rxjs";
import { addFeedActor, addGatewayActors, addReplicaActors } from "../../../server/actors/lane.ts";
import { addLogActor } from "../../../server/actors/log.ts";
import {
  addAdminActor,
  addChangesActor,
  addReplicationActors,
} from "../../../server/actors/main.ts";
import { peerGate } from "../../../server/placement.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";
import { configOf } from "../config.ts";
import { drawPlan } from "../plan.ts";

type Supervised = Pick<Actor<unknown, object>, "name" | "supervision">;

/** The actors of a node with one lane. */
export function actorsOfNode(): readonly Supervised[] {
  const actors: Supervised[] = [];
  const collector = {
    add: (actor: Supervised): void => void actors.push(actor),
    observe: () => NEVER,
  } as unknown as ActorSystem;
  const config = configOf(drawPlan(1), 1 as ServerId);
  addLogActor(collector, config);
  addReplicaActors(collector, config, 1);
  addGatewayActors(collector, config, 1);
  addFeedActor(collector, config, { isOn: true });
  addReplicationActors(collector, config, peerGate(config, new SeededRandomness(1)));
  addAdminActor(collector, config);
  addChangesActor(collector);
  return actors;
}

export function namesOf(...supervisions: readonly Supervised["supervision"][]): string[] {
  return actorsOfNode()
    .filter(({ supervision }) => supervisions.includes(supervision))
    .map(({ name }) => name);
}
