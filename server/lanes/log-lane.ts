/** Entry of the log lane's thread: the log actor and the data folder. */
import { hostLane, type LaneTask } from "../../runtime/lanes/lane-host.ts";
import { realClock, realRandomness } from "../../runtime/real-clock.ts";
import { immediateDisk } from "../../runtime/disks/port.ts";
import { ActorSystem } from "../../runtime/system.ts";
import { slowStepMs } from "../config/node-config.ts";
import { openDataFolders, ownerOf } from "../log-folder.ts";
import { MeasuredDisk } from "../measures/measured-disk.ts";
import { meterOf } from "../measures/meter.ts";
import { addLogActor } from "../actors/log.ts";
import type { PlacedConfig } from "../threads/choice.ts";

export default async function logLane(
  task: LaneTask<{ readonly config: PlacedConfig }>,
): Promise<void> {
  const { config } = task;
  await hostLane(task, async ({ link, onStopNode }) => {
    const disk = openDataFolders(config, ownerOf(config));
    const meter = meterOf(config, "log");
    const system = new ActorSystem({
      node: config.id,
      clock: realClock,
      randomness: realRandomness,
      disk: immediateDisk(meter === undefined ? disk : new MeasuredDisk(disk, meter)),
      meter,
      slowStepMs: slowStepMs(config),
      route: () => link,
      onStopNode,
    });
    addLogActor(system, config);
    const stopMeter = meter?.start((to, message) => system.tell(to, message));
    const close = async (): Promise<void> => {
      stopMeter?.();
      disk.close();
    };
    return { system, close, detail: {} };
  });
}
