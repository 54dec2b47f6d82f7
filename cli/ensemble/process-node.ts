/** A node of `zooid ensemble` as a process of its own: a plain `zooid serve`. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { collectorFlags } from "../../server/garbage-collection.ts";
import { type NodeLine, parseAdminLine, parseNodeLine } from "../node-line.ts";
import type { EnsembleNode, NodePlan } from "./node.ts";

/** A node that has not stopped after this time is killed, which its log survives. */
const STOP_WITHIN_MS = 10_000;

function start(entry: string, plan: NodePlan): ChildProcess {
  const flags = [...plan.flags].flatMap(([name, value]) => [`--${name}`, value]);
  const log = plan.logFile === undefined ? undefined : openSync(plan.logFile, "a");
  const nodeFlags = [...process.execArgv, ...collectorFlags(process.versions.v8)];
  const args = [...nodeFlags, entry, "serve", ...flags, "--stop-with-stdin"];
  const child = spawn(process.execPath, args, {
    // The pipe to the node's standard input ends with this process, for whatever reason, and `--stop-with-stdin` then stops the
    // node.
    env: { ...process.env, ...plan.variables },
    stdio: ["pipe", "pipe", log ?? "inherit"],
    // The node gets a process group of its own: Ctrl-C reaches the ensemble only, which then stops its nodes.
    detached: true,
  });
  if (log !== undefined) closeSync(log);
  child.stdin?.on("error", () => undefined); // The node has ended already, which `exited` reports.
  return child;
}

/**
 * A command for a person to type, in the folder where this program was started. It names the environment variables, but not their
 * values.
 */
function restartCommand({ flags, variables }: NodePlan): string {
  const program = process.env["npm_lifecycle_event"] === undefined ? "zooid" : "npm run zooid --";
  const words = [...flags].map(([name, value]) => `--${name} ${quoted(value)}`);
  const command = [program, "serve", ...words].join(" ");
  const names = Object.keys(variables).join(", ");
  if (names === "" || flags.has("nats-credentials-file")) return command;
  return `${command}\n  with ${names} in its environment: what this ensemble has there, or in its --nats`;
}

function quoted(value: string): string {
  return /^[\w./:,@=+-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `code ${code}` : `signal ${signal}`);
    });
  });
}

async function firstLine(
  child: ChildProcess,
  exited: Promise<string>,
  plan: NodePlan,
): Promise<NodeLine> {
  if (child.stdout !== null) {
    let adminUrl: string | undefined;
    for await (const text of createInterface({ input: child.stdout })) {
      adminUrl ??= parseAdminLine(text);
      const line = parseNodeLine(text);
      if (line === undefined) continue;
      child.stdout.resume();
      return { ...line, adminUrl };
    }
  }
  const log = plan.logFile === undefined ? "" : `; see ${plan.logFile}`;
  throw new Error(`node ${plan.id} did not start, ${await exited}${log}`);
}

/** `entry` is the file of the program. */
export function startProcessNode(entry: string, plan: NodePlan): EnsembleNode {
  const child = start(entry, plan);
  const exited = exitOf(child);
  const listening = firstLine(child, exited, plan);
  listening.catch(() => undefined); // There may be no waiter yet; without this a rejection would be unhandled.
  return {
    id: plan.id,
    pid: child.pid ?? 0,
    restartCommand: restartCommand(plan),
    listening,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      await exited;
      clearTimeout(timer);
    },
    kill: () => {
      child.kill("SIGKILL");
    },
  };
}
