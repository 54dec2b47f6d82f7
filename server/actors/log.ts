/** The actor of the log lane. */
import { crc32 } from "node:zlib";
import { logActor } from "../../actors/log/log.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import type { NodeConfig } from "../config/node-config.ts";

export function addLogActor(
  system: ActorSystem,
  config: NodeConfig,
  options: { readonly segmentBytes?: number } = {},
): void {
  const { id: server, ensemble, members, snapshotEveryBytes, snapshotsKept } = config;
  const repairable = members.length > 1;
  const sizes = { snapshotEveryBytes, snapshotsKept, ...options };
  system.add(logActor({ server, ensemble, members, repairable, crc32, ...sizes }));
}
