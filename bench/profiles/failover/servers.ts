/** Three servers that can be killed and started again, one by one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startNatsServer } from "../../../cli/ensemble/nats-server.ts";
import { BenchError } from "../../failure.ts";
import type { Address } from "../../load/plan.ts";
import { etcdVersion, leads, spawnEtcd } from "../../targets/etcd.ts";
import { fourLetterWord, freePorts, stderrOf, stopProcesses } from "../../targets/target.ts";
import { installedJars, SERVERS, spawnServer, writeConfig } from "../../targets/zookeeper.ts";
import { EtcdWriter } from "./etcd-writer.ts";
import type { Writer } from "./writer.ts";
import { ZooKeeperWriter } from "./zookeeper-writer.ts";

export { SERVERS };

const SERVING_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

type Start = (id: number) => ChildProcess | Promise<ChildProcess>;
type Running = { readonly child: ChildProcess; readonly errors: () => string };

/** Whether a server leads; undefined if it does not serve. */
type Leads = (address: Address) => Promise<boolean | undefined>;

type Hooks = {
  readonly start: Start;
  readonly release: () => Promise<void>;
  readonly leads: Leads;
  readonly writer: (address: Address, path: string) => Writer;
};

export class Servers implements AsyncDisposable {
  readonly name: string;
  readonly addresses: ReadonlyMap<number, Address>;
  readonly #hooks: Hooks;
  readonly #running = new Map<number, Running>();
  readonly #killed = new Map<number, Promise<unknown>>();

  constructor(name: string, firstPort: number, hooks: Hooks) {
    this.name = name;
    this.addresses = new Map(
      SERVERS.map((id) => [id, { host: "127.0.0.1", port: firstPort + id - 1 }]),
    );
    this.#hooks = hooks;
  }

  writer(address: Address, path: string): Writer {
    return this.#hooks.writer(address, path);
  }

  /** Starts a server. Resolves when it follows or leads. */
  async start(id: number, signal: AbortSignal): Promise<void> {
    await this.#killed.get(id);
    const child = await this.#hooks.start(id);
    const errors = stderrOf(child);
    this.#running.set(id, { child, errors });
    for (let waitedMs = 0; waitedMs < SERVING_TIMEOUT_MS; waitedMs += POLL_MS) {
      signal.throwIfAborted();
      if ((await this.#leads(id)) !== undefined) return;
      if (child.exitCode !== null) {
        throw new BenchError(`${this.name} server ${id} ended at start: ${errors()}`);
      }
      await delay(POLL_MS);
    }
    throw new BenchError(`${this.name} server ${id} did not serve: ${errors()}`);
  }

  /** Kills a server with SIGKILL. Returns the time of the kill; the process ends shortly after it. */
  kill(id: number): number {
    const child = this.#running.get(id)?.child;
    if (child === undefined) throw new BenchError(`server ${id} does not run`);
    this.#running.delete(id);
    // The port and the folder are free only after the process has exited, and the next start waits for that.
    this.#killed.set(id, once(child, "exit"));
    const atMs = performance.now();
    child.kill("SIGKILL");
    return atMs;
  }

  async leader(signal: AbortSignal): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const leading = await Promise.all(SERVERS.map((id) => this.#leads(id)));
      const index = leading.indexOf(true);
      if (index >= 0) return SERVERS[index] ?? 0;
      await delay(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#running.values()].map(({ child }) => child);
    await stopProcesses(children, () =>
      children.flatMap(({ pid }) => (pid === undefined ? [] : [{ pid, label: "server" }])),
    );
    await this.#hooks.release();
  }

  async #leads(id: number): Promise<boolean | undefined> {
    const address = this.addresses.get(id);
    return address === undefined ? undefined : await this.#hooks.leads(address);
  }
}

/** What servers of ZooKeeper's protocol say of themselves. */
async function leadsByMode(address: Address): Promise<boolean | undefined> {
  const answer = await fourLetterWord(address, "srvr");
  const mode = answer?.match(/^Mode: (\w+)$/m)?.[1];
  return mode === undefined ? undefined : mode === "leader";
}

const zooKeeperHooks = {
  leads: leadsByMode,
  writer: (address: Address, path: string): Writer => new ZooKeeperWriter(address, path),
};

/** Three `zooid serve` processes with default settings, and a nats-server for them. */
export async function zooidServers(folder: string, args: readonly string[]): Promise<Servers> {
  const firstPort = await freePorts(SERVERS.length);
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-failover-"));
  const nats = await startNatsServer();
  const cli = fileURLToPath(new URL("../../../cli/zooid.ts", import.meta.url));
  const start = (id: number): ChildProcess => {
    const flags = {
      id,
      members: SERVERS.join(","),
      nats: nats.url,
      "client-port": firstPort + id - 1,
      "client-port-address": "127.0.0.1",
      "data-dir": join(dataFolder, String(id)),
    };
    const list = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    // The standard input of the server ends with this process, for whatever reason, and the server then stops.
    return spawn(process.execPath, [cli, "serve", ...list, "--stop-with-stdin", ...args], {
      stdio: ["pipe", "ignore", "pipe"],
    });
  };
  const release = async (): Promise<void> => {
    await nats.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  return new Servers("zooid", firstPort, { ...zooKeeperHooks, start, release });
}

export async function zooKeeperServers(folder: string): Promise<Servers> {
  const jars = installedJars();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-failover-zookeeper-"));
  const firstPort = await freePorts(SERVERS.length * 3);
  const configs = new Map<number, string>();
  for (const id of SERVERS) configs.set(id, await writeConfig(dataFolder, id, firstPort));
  return new Servers("ZooKeeper", firstPort, {
    ...zooKeeperHooks,
    start: (id) => spawnServer(jars, configs.get(id) ?? ""),
    release: () => rm(dataFolder, { recursive: true, force: true }),
  });
}

export async function etcdServers(folder: string): Promise<Servers> {
  etcdVersion();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-failover-etcd-"));
  const firstPort = await freePorts(SERVERS.length * 2);
  return new Servers("etcd", firstPort, {
    start: (id) => spawnEtcd(id, firstPort, dataFolder),
    release: () => rm(dataFolder, { recursive: true, force: true }),
    leads,
    writer: (address, path) => new EtcdWriter(address, path),
  });
}

/** Starts all three servers at once. */
export async function startAll(servers: Servers, signal: AbortSignal): Promise<void> {
  await Promise.all(SERVERS.map((id) => servers.start(id, signal)));
}
