/** Starts a node from settings, in a user's own process. */
import type { InspectionEvent } from "../runtime/inspection.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { configOfSettings, type NodeSettings } from "./config/node-settings.ts";
import type { ValidateOptions } from "./config/validate.ts";
import { ConfigurationError, NodeStartError } from "./errors.ts";
import { launchNode } from "./node.ts";
import type { LaunchOptions, RunningNode } from "./running-node.ts";

/** Who hears of a start, and how long it may take. */
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

/** Rejects with ConfigurationError, NodeStartError, or the signal's reason. */
export async function launch(
  settings: NodeSettings,
  transport: ValidateOptions["transport"],
  options: LaunchOptions,
): Promise<RunningNode> {
  const validation = configOfSettings(settings, transport);
  if (validation.kind === "invalid") throw new ConfigurationError(validation.problems);
  const { config, warnings } = validation;
  const { onInspection, signal } = options;
  for (const warning of warnings) onInspection?.(warningOf(config, warning));
  try {
    return await launchNode(config, options);
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
