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
import type { ChangeEvent } from "../protocol/changes.ts";
import { ZooidError } from "../protocol/errors.ts";
import type { Leadership, WriteAdmission } from "../protocol/replication.ts";
import type { Change } from "../protocol/reads.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { InspectionEvent, StepEvent } from "../runtime/inspection.ts";
import type { Changes, ChangesOptions } from "./change-streams.ts";
import type { NodeSettings } from "./config/node-settings.ts";
import { configOfSettings } from "./config/node-settings.ts";
import type { NodeConfig, Problem } from "./config/node-config.ts";
import {
  ChangesFailedError,
  ConfigurationError,
  NodeStartError,
  NodeStoppedError,
} from "./errors.ts";
import { launchNode, type RunningNode, type StopReason } from "./node.ts";

export type {
  Change,
  ChangeEvent,
  Changes,
  ChangesOptions,
  InspectionEvent,
  Leadership,
  NatsConnections,
  NatsStatus,
  NodeSettings,
  Problem,
  RunningNode,
  StepEvent,
  StopReason,
  WriteAdmission,
  Zxid,
};
export { ChangesFailedError, ConfigurationError, NodeStartError, NodeStoppedError, ZooidError };

export type StartOptions = {
  /**
   * Hears what the node says to operators from the very start on, the warnings about its settings included. Default: nobody does, and
   * the node writes nothing anywhere but into its data folder.
   */
  readonly onInspection?: (event: InspectionEvent) => void;
  /**
   * Gives up a start that takes too long, which then rejects with the signal's reason; once the node has started it stops the node.
   * Without it a node that does not reach NATS waits for ever, as it does when it is started before its NATS server.
   */
  readonly signal?: AbortSignal;
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
  const validation = configOfSettings(settings);
  if (validation.kind === "invalid") throw new ConfigurationError(validation.problems);
  const { config, warnings } = validation;
  const { onInspection, signal } = options;
  for (const warning of warnings) onInspection?.(warningOf(config, warning));
  try {
    return await launchNode(config, { onInspection, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NodeStartError(message, { cause });
  }
}

function warningOf({ id: node }: NodeConfig, warning: string): InspectionEvent {
  const said = { kind: "log", level: "warn", event: "warning", actor: "config" } as const;
  return { ...said, atMs: Date.now(), node, detail: { warning } };
}
