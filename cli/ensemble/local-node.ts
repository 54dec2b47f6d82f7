/** A node of `zooid ensemble --in-process`: it lives in this process and meets the others over a network in memory. */
import { closeSync, openSync, writeSync } from "node:fs";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
import { realClock } from "../../runtime/real-clock.ts";
import { loadConfig } from "../../server/config/load.ts";
import { type NodeConfig, problemsText } from "../../server/config/node-config.ts";
import { launchNode } from "../../server/node.ts";
import { NodeLog } from "../log-lines.ts";
import { logFormatOf, logLevelOf } from "../log-flags.ts";
import type { EnsembleNode, NodePlan } from "./node.ts";

function configOf(plan: NodePlan): NodeConfig {
  const validation = loadConfig({ transport: "memory", flags: plan.flags });
  if (validation.kind === "valid") return validation.config;
  throw new Error(problemsText(validation.problems));
}

type Log = { readonly write: (line: string) => void; readonly close: () => void };

function openLog(file: string | undefined): Log {
  if (file === undefined) return { write: (line) => console.error(line), close: () => undefined };
  const descriptor = openSync(file, "a");
  return {
    write: (line) => {
      writeSync(descriptor, `${line}\n`);
    },
    close: () => closeSync(descriptor),
  };
}

/** Returns what starts nodes of one ensemble. */
export function localNodes(): (plan: NodePlan) => EnsembleNode {
  const network = new MemoryNetwork(realClock);
  return (plan) => startLocalNode(network, plan);
}

/** Starts the node. It cannot be started again after it has stopped, because the network in memory has removed it. */
function startLocalNode(network: MemoryNetwork, plan: NodePlan): EnsembleNode {
  const config = configOf(plan);
  const file = openLog(plan.logFile);
  const log = new NodeLog({
    level: logLevelOf(plan.flags) ?? "info",
    format: logFormatOf(plan.flags) ?? "text",
    write: (line) => file.write(line),
  });
  const starting = launchNode(config, {
    transport: network.join(config.id),
    onInspection: (event) => log.event(event),
  });
  const exited = starting
    .then((node) => node.stopped)
    .then(
      (reason) => (reason.kind === "failed" ? reason.reason : "code 0"),
      (error: unknown) => String(error),
    )
    .finally(() => file.close());
  const host = config.clientPortAddress;
  const listening = starting.then((node) => {
    const { clientPort: port, adminUrl } = node;
    return { id: plan.id, pid: process.pid, host, port, adminUrl };
  });
  listening.catch(() => undefined); // There may be no waiter yet; without this a rejection would be unhandled.
  return {
    id: plan.id,
    pid: process.pid,
    restartCommand: undefined,
    listening,
    exited,
    stop: async () => {
      await starting.then((node) => node.stop()).catch(() => undefined);
      await exited;
    },
    // The node ends with this process.
    kill: () => undefined,
  };
}
