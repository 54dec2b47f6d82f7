/** Entry of a tree lane's thread: a replica, its submitter, and the gateways of its clients. */
import { hostLane, type LaneTask } from "../../runtime/lanes/lane-host.ts";
import { realClock, realRandomness } from "../../runtime/real-clock.ts";
import { ActorSystem } from "../../runtime/system.ts";
import { slowStepMs } from "../config/node-config.ts";
import { meterOf } from "../measures/meter.ts";
import { LaneClients, type TreeLaneData } from "../threads/lane-clients.ts";
import { wireAll } from "../wiring.ts";

export default async function treeLane(task: LaneTask<TreeLaneData>): Promise<void> {
  const { config, lane } = task;
  const meter = meterOf(config, String(lane));
  await hostLane(task, async ({ link, hear, onInspection, onStopNode, signal }) => {
    const clients = await LaneClients.prepare(task, {
      system: () => system,
      ...{ hear, onInspection, signal },
    });
    const system: ActorSystem = new ActorSystem({
      node: config.id,
      clock: realClock,
      randomness: realRandomness,
      connections: clients.listener,
      publisher: clients.publisher,
      slowStepMs: slowStepMs(config),
      meter,
      route: () => link,
      onStopNode,
    });
    wireAll(system, config.lanes);
    clients.addActors();
    const { clientPort, secureClientPort } = await clients.open();
    const detail = {
      ...(clientPort !== undefined && { clientPort }),
      ...(secureClientPort !== undefined && { secureClientPort }),
    };
    const stopMeter = meter?.start((to, message) => system.tell(to, message));
    const close = async (): Promise<void> => {
      stopMeter?.();
      await clients.close();
    };
    return { system, close, detail };
  });
}
