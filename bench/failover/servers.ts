/** Three servers that can be killed and started again, one by one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startNatsServer } from "../../cli/ensemble/nats-server.ts";
import { fourLetterWord, freePorts, stderrOf, stopProcesses } from "../ensembles/ensemble.ts";
import { SERVERS, spawnServer, writeConfig, zooKeeperJars } from "../ensembles/zookeeper.ts";
import { BenchError } from "../failure.ts";
import type { Target } from "../load/plan.ts";

const SERVING_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

type Start = (id: number) => ChildProcess | Promise<ChildProcess>;
type Running = { readonly child: ChildProcess; readonly errors: () => string };

export class Servers implements AsyncDisposable {
  readonly name: string;
  readonly targets: ReadonlyMap<number, Target>;
  readonly #start: Start;
  readonly #release: () => Promise<void>;
  readonly #running = new Map<number, Running>();
  readonly #killed = new Map<number, Promise<unknown>>();

  constructor(
    name: string,
    firstPort: number,
    hooks: { readonly start: Start; readonly release: () => Promise<void> },
  ) {
    this.name = name;
    this.targets = new Map(
      SERVERS.map((id) => [id, { host: "127.0.0.1", port: firstPort + id - 1 }]),
    );
    this.#start = hooks.start;
    this.#release = hooks.release;
  }

  /** Resolves when the server follows or leads. */
  async start(id: number, signal: AbortSignal): Promise<void> {
    await this.#killed.get(id);
    const child = await this.#start(id);
    const errors = stderrOf(child);
    this.#running.set(id, { child, errors });
    for (let waitedMs = 0; waitedMs < SERVING_TIMEOUT_MS; waitedMs += POLL_MS) {
      signal.throwIfAborted();
      if ((await this.#mode(id)) !== undefined) return;
      if (child.exitCode !== null) {
        throw new BenchError(`${this.name} server ${id} ended at start: ${errors()}`);
      }
      await delay(POLL_MS);
    }
    throw new BenchError(`${this.name} server ${id} did not serve: ${errors()}`);
  }

  /** `kill -9`. Returns the time of the kill; the process is gone soon after. */
  kill(id: number): number {
    const child = this.#running.get(id)?.child;
    if (child === undefined) throw new BenchError(`server ${id} does not run`);
    this.#running.delete(id);
    // Its port and its folder are free when it is gone.
    this.#killed.set(id, once(child, "exit"));
    const atMs = performance.now();
    child.kill("SIGKILL");
    return atMs;
  }

  async leader(signal: AbortSignal): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const modes = await Promise.all(SERVERS.map((id) => this.#mode(id)));
      const index = modes.indexOf("leader");
      if (index >= 0) return SERVERS[index] ?? 0;
      await delay(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#running.values()].map(({ child }) => child);
    await stopProcesses(children, () =>
      children.flatMap(({ pid }) => (pid === undefined ? [] : [{ pid, label: "server" }])),
    );
    await this.#release();
  }

  async #mode(id: number): Promise<string | undefined> {
    const target = this.targets.get(id);
    const answer = target === undefined ? undefined : await fourLetterWord(target, "srvr");
    return answer?.match(/^Mode: (\w+)$/m)?.[1];
  }
}

/** Three plain `zooid serve` processes, all settings at their defaults, over a nats-server of their own. */
export async function zooidServers(folder: string, args: readonly string[]): Promise<Servers> {
  const firstPort = await freePorts(SERVERS.length);
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-failover-"));
  const nats = await startNatsServer();
  const cli = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));
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
    // Its standard input ends with this process, however that comes about.
    return spawn(process.execPath, [cli, "serve", ...list, "--stop-with-stdin", ...args], {
      stdio: ["pipe", "ignore", "pipe"],
    });
  };
  const release = async (): Promise<void> => {
    await nats.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  return new Servers("zooid", firstPort, { start, release });
}

export async function zooKeeperServers(folder: string): Promise<Servers> {
  const jars = zooKeeperJars();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-failover-zookeeper-"));
  const firstPort = await freePorts(SERVERS.length * 3);
  const configs = new Map<number, string>();
  for (const id of SERVERS) configs.set(id, await writeConfig(dataFolder, id, firstPort));
  return new Servers("ZooKeeper", firstPort, {
    start: (id) => spawnServer(jars, configs.get(id) ?? ""),
    release: () => rm(dataFolder, { recursive: true, force: true }),
  });
}

/** Starts all three at once. */
export async function startAll(servers: Servers, signal: AbortSignal): Promise<void> {
  await Promise.all(SERVERS.map((id) => servers.start(id, signal)));
}
