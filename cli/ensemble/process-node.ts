/** A node of `zooid ensemble` as a process of its own: a plain `zooid serve`. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { collectorFlags } from "../../server/garbage-collection.ts";
import { EXIT_RESTART } from "../command.ts";
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

/** `entry` is the file of the program. `onRestart` hears of each start but the first. */
export function startProcessNode(
  entry: string,
  plan: NodePlan,
  onRestart: (line: NodeLine) => void = () => undefined,
): EnsembleNode {
  return new ProcessNode(entry, plan, onRestart);
}

/** It is started again whenever it ends with the exit code that asks for it. */
class ProcessNode implements EnsembleNode {
  readonly id: number;
  readonly restartCommand: string;
  readonly listening: Promise<NodeLine>;
  readonly exited: Promise<string>;
  readonly #entry: string;
  readonly #onRestart: (line: NodeLine) => void;
  #plan: NodePlan;
  #child: ChildProcess;
  #isStopping = false;

  constructor(entry: string, plan: NodePlan, onRestart: (line: NodeLine) => void) {
    this.id = plan.id;
    this.restartCommand = restartCommand(plan);
    this.#entry = entry;
    this.#onRestart = onRestart;
    this.#plan = plan;
    this.#child = start(entry, plan);
    const ended = exitOf(this.#child);
    this.listening = firstLine(this.#child, ended, plan);
    this.listening.catch(() => undefined); // There may be no waiter yet; without this a rejection would be unhandled.
    this.exited = this.#supervise(ended);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    // All nodes stop, so this one need not find anybody to take over: the end of its standard input stops it at once.
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#isStopping = true;
    this.#child.kill("SIGKILL");
  }

  async #supervise(first: Promise<string>): Promise<string> {
    let ended = first;
    for (;;) {
      const how = await ended;
      if (how !== `code ${EXIT_RESTART}` || this.#isStopping) return how;
      const line = await this.listening.catch(() => undefined);
      if (line !== undefined) this.#plan = withPortsOf(this.#plan, line);
      this.#child = start(this.#entry, this.#plan);
      ended = exitOf(this.#child);
      // Why it did not start is said by how it ended.
      firstLine(this.#child, ended, this.#plan).then(this.#onRestart, () => undefined);
    }
  }
}

/** Clients know the ports of the first start, which may have been free ones. */
function withPortsOf(plan: NodePlan, { port, adminUrl }: NodeLine): NodePlan {
  const flags = new Map(plan.flags).set("client-port", String(port));
  if (adminUrl !== undefined) flags.set("admin-port", new URL(adminUrl).port);
  return { ...plan, flags };
}
