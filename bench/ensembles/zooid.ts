/** zooid as three node processes and a nats-server on loopback, started by `zooid ensemble` in a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BenchError } from "../failure.ts";
import type { Target } from "../load/plan.ts";
import { processTree, type ServerProcess } from "../processes.ts";
import { type Ensemble, stderrOf, stopProcesses, versionOf } from "./ensemble.ts";

const NODES = 3;
const READY_TIMEOUT_MS = 60_000;
const NODE_LINE = /^node (\d+)\s+pid (\d+)\s+(\S+):(\d+)/;

type Node = { readonly label: string; readonly pid: number; readonly target: Target };

/** The temporary folder is made in `folder`. `args` are further arguments for `zooid ensemble`. */
export async function startZooid(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Ensemble> {
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-"));
  const child = spawnEnsemble(dataFolder, args);
  const family = (): ServerProcess[] => {
    return child.pid === undefined ? [] : processTree({ pid: child.pid, label: "zooid ensemble" });
  };
  const stop = async (): Promise<void> => {
    await stopProcesses([child], family);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const nodes = await untilReady(child, signal);
    const labels = new Map(nodes.map(({ pid, label }) => [pid, label]));
    const targets = nodes.map(({ target }) => target);
    return {
      name: "zooid",
      version: await versionOf(targets[0]),
      targets,
      processes: family().map(({ pid, label }) => ({ pid, label: labels.get(pid) ?? label })),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Uses free ports and, like the other ensembles, no limit of connections from one address. */
function spawnEnsemble(dataFolder: string, args: readonly string[]): ChildProcess {
  const cli = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));
  const options = { nodes: NODES, "client-port": 0, "max-client-connections": 0 };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  flags.push(`--data-dir=${dataFolder}`, ...args);
  return spawn(process.execPath, [cli, "ensemble", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Reads the lines that the command prints: one for each node, then `ready: …`. */
async function untilReady(child: ChildProcess, signal: AbortSignal): Promise<readonly Node[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Node[]>();
  const errors = stderrOf(child);
  const nodes: Node[] = [];
  const fail = (what: string): void =>
    reject(new BenchError(`zooid ensemble ${what}\n${errors()}`));
  const timer = setTimeout(() => fail("was not ready in time"), READY_TIMEOUT_MS);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  child.on("error", reject);
  child.on("close", (code) => fail(`ended before it was ready (exit ${code})`));
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, id, pid, host, port] = line.match(NODE_LINE) ?? [];
      if (id !== undefined && host !== undefined) {
        nodes.push({ label: `node ${id}`, pid: Number(pid), target: { host, port: Number(port) } });
      } else if (line.startsWith("ready")) {
        resolve(nodes);
      }
    });
  }
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
