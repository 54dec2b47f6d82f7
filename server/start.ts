/**
 * A node inside a user's own process: `zooid/server`.
 *
 *     const node = await startNode({ dataDir: "./data", clientPort: 0 });
 *     node.leadership$.subscribe(({ role, epoch }) => console.log(role, epoch));
 *     for await (const change of node.changes("/jobs", { recursive: true })) console.log(change);
 *
 * It is the node of `zooid serve`, with worker threads of its own; nothing of it ends the process or handles its signals.
 */
import type { NatsConnections, NatsStatus } from "../actors/admin/messages.ts";
import type { HandoverOutcome } from "../actors/log-sync/handover/messages.ts";
import type { ChangeEvent } from "../protocol/changes.ts";
import { ZooidError } from "../protocol/errors.ts";
import type { Leadership, WriteAdmission } from "../protocol/replication.ts";
import type { Change } from "../protocol/reads.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { InspectionEvent, StepEvent } from "../runtime/inspection.ts";
import type { Changes, ChangesOptions } from "./change-streams.ts";
import type { NodeSettings } from "./config/node-settings.ts";
import type { Problem } from "./config/node-config.ts";
import { type EnsembleOptions, type RunningEnsemble, startEnsemble } from "./embedded/ensemble.ts";
import {
  ChangesFailedError,
  ConfigurationError,
  NodeStartError,
  NodeStoppedError,
} from "./errors.ts";
import { launch, type StartOptions } from "./launch.ts";
import type { RunningNode, StopReason } from "./running-node.ts";

export type {
  Change,
  ChangeEvent,
  Changes,
  ChangesOptions,
  EnsembleOptions,
  HandoverOutcome,
  InspectionEvent,
  Leadership,
  NatsConnections,
  NatsStatus,
  NodeSettings,
  Problem,
  RunningEnsemble,
  RunningNode,
  StartOptions,
  StepEvent,
  StopReason,
  WriteAdmission,
  Zxid,
};
export {
  ChangesFailedError,
  ConfigurationError,
  NodeStartError,
  NodeStoppedError,
  startEnsemble,
  ZooidError,
};

/**
 * Starts a node. All settings have defaults: without any it is alone, and serves ZooKeeper's clients on port 2181 from the folder
 * `data`. Resolves when its log has been read and it takes part in its ensemble; `ready` tells when it serves. Rejects with
 * ConfigurationError, which has all that is wrong with the settings, or with NodeStartError.
 *
 * A process may have several nodes, each with a folder and a port of its own. Worker threads have their own heaps, `laneHeapBytes`
 * each; the flags with which `zooid serve` tunes V8's garbage collection are left to the process.
 */
export async function startNode(
  settings: NodeSettings = {},
  options: StartOptions = {},
): Promise<RunningNode> {
  return await launch(settings, "nats", options);
}
