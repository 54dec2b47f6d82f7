/** zooid as three node processes and a nats-server on loopback, started by `zooid ensemble` in a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseAdminLine } from "../../cli/node-line.ts";
import { BenchError } from "../failure.ts";
import type { Address } from "../load/plan.ts";
import { processTree, type ServerProcess } from "../processes.ts";
import {
  alarmsIn,
  stderrOf,
  stopProcesses,
  type Target,
  versionOf,
  watchProcesses,
} from "./target.ts";

const READY_MS_MAX = 60_000;
const NATS_LINE = /^nats +pid \d+ .* clients: (.+)$/;
const NODE_LINE = /^node (\d+)\s+pid (\d+)\s+(\S+):(\d+)/;

type Node = {
  readonly id: string;
  readonly label: string;
  readonly pid: number;
  readonly address: Address;
};
type Ready = {
  readonly nodes: readonly Node[];
  readonly adminUrls: readonly string[];
  readonly natsFile: string | undefined;
};

export type ZooidOptions = {
  /** Where the temporary folder is made. */
  readonly folder: string;
  /** Further arguments for `zooid ensemble`. */
  readonly args: readonly string[];
  /** How many nodes. Default 3. */
  readonly nodes?: number;
  /** The name in the tables. Default `zooid`. */
  readonly name?: string;
  /** The folder of a checked out zooid. Default: this one. */
  readonly checkout?: string;
  /** How long it may take to be ready. Default 60000. */
  readonly readyMsMax?: number;
  /** Is called with the folder in which node N will keep its data in a folder N. Default: they begin with nothing. */
  readonly prepare?: (dataFolder: string) => Promise<void>;
};

const HERE = fileURLToPath(new URL("../../", import.meta.url));

export async function startZooid(options: ZooidOptions, signal: AbortSignal): Promise<Target> {
  const dataFolder = await mkdtemp(join(options.folder, "zooid-bench-"));
  try {
    await options.prepare?.(dataFolder);
  } catch (error) {
    await rm(dataFolder, { recursive: true, force: true });
    throw error;
  }
  const child = spawnEnsemble(dataFolder, options);
  const family = (): ServerProcess[] => {
    return child.pid === undefined ? [] : processTree({ pid: child.pid, label: "zooid ensemble" });
  };
  const stop = async (): Promise<void> => {
    await stopProcesses([child], family);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { nodes, adminUrls, natsFile } = await untilReady(
      child,
      options.readyMsMax ?? READY_MS_MAX,
      signal,
    );
    const labels = new Map(nodes.map(({ pid, label }) => [pid, label]));
    const addresses = nodes.map(({ address }) => address);
    return {
      name: options.name ?? "zooid",
      protocol: "zookeeper",
      version: await versionOf(addresses[0]),
      durability: "on the disks of a quorum (fsync) before each acknowledgement",
      addresses,
      natsFile,
      adminUrls,
      folders: nodes.map(({ id }) => join(dataFolder, id)),
      nats: natsFile === undefined ? undefined : (await readFile(natsFile, "utf8")).trim(),
      processes: family().map(({ pid, label }) => ({ pid, label: labels.get(pid) ?? label })),
      problems: problemsOf(child, dataFolder),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The nodes write their logs to files in the data folder. */
function problemsOf(child: ChildProcess, dataFolder: string): () => readonly string[] {
  const watched = watchProcesses([{ label: "zooid ensemble", child }]);
  const read = new Map<string, number>();
  return () => {
    const logs = readdirSync(dataFolder).filter((name) => /^node-\d+\.log$/.test(name));
    const logged = logs.flatMap((name) => {
      const text = readFileSync(join(dataFolder, name), "utf8");
      const fresh = text.slice(read.get(name) ?? 0);
      read.set(name, text.length);
      const label = name.replace(/^node-(\d+)\.log$/, "node $1");
      return alarmsIn(fresh).map((line) => `${label}: ${line}`);
    });
    return [...watched(), ...logged];
  };
}

/** Uses free ports and, like the other servers, no limit of connections from one address. */
function spawnEnsemble(dataFolder: string, options: ZooidOptions): ChildProcess {
  const cli = join(options.checkout ?? HERE, "cli/zooid.ts");
  const flags = { nodes: options.nodes ?? 3, "client-port": 0, "max-client-connections": 0 };
  const list = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  list.push(`--data-dir=${dataFolder}`, ...options.args);
  return spawn(process.execPath, [cli, "ensemble", ...list], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Reads the lines that the command prints: one for each node, then `ready: …`. */
async function untilReady(child: ChildProcess, msMax: number, signal: AbortSignal): Promise<Ready> {
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  const errors = stderrOf(child);
  const nodes: Node[] = [];
  const adminUrls: string[] = [];
  let natsFile: string | undefined;
  const fail = (what: string): void =>
    reject(new BenchError(`zooid ensemble ${what}\n${errors()}`));
  const timer = setTimeout(() => fail("was not ready in time"), msMax);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  child.on("error", reject);
  child.on("close", (code) => fail(`ended before it was ready (exit ${code})`));
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      natsFile ??= NATS_LINE.exec(line)?.[1];
      const adminUrl = parseAdminLine(line);
      if (adminUrl !== undefined) adminUrls.push(adminUrl);
      const [, id, pid, host, port] = line.match(NODE_LINE) ?? [];
      if (id !== undefined && host !== undefined) {
        nodes.push({
          id,
          label: `node ${id}`,
          pid: Number(pid),
          address: { host, port: Number(port) },
        });
      } else if (line.startsWith("ready")) {
        resolve({ nodes, adminUrls, natsFile });
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
