/**
 * The servers under test as an operator of several hosts has them: nodes of `zooid serve`, one process each, over a clustered
 * pair of nats-servers. Each node reaches NATS through proxies of its own, and lives in a network namespace where that is permitted.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fourLetters } from "../support/four-letters.ts";
import { reservePorts } from "../support/ports.ts";
import { createNodeNetwork, type NodeNetwork } from "./namespaces.ts";
import { NatsPair } from "./nats-pair.ts";
import { ENSEMBLE_NAME, nodeCommand, type NodeStart } from "./node-command.ts";
import { Proxy, type ProxyState } from "./proxy.ts";
import { ServerProcess } from "./server-process.ts";
import { SmallDisk } from "../support/small-disk.ts";

const FIRST_BLOCK_PORT = 12_000;
const PORTS_PER_BLOCK = 10;
/** The first ports of the block are those of NATS. */
const NATS_PORTS = 4;
const PORT_INSIDE = 2181;
const ANSWER_MS_MAX = 1000;
/** Above the longest fault, with all the time that coming together again may take. */
const SERVE_MS_MAX = 60_000;

export type EnsembleOptions = {
  /** For data, logs and configurations; of this run only. */
  readonly folder: string;
  readonly nodes: number;
  readonly namespaces: boolean;
  /** How many nodes, from the first, get a small disk. */
  readonly smallDisks: number;
  /** Planted in every node. */
  readonly mutant: string | undefined;
  /** A process ended and nobody had asked for that. */
  readonly onDeath: (name: string, how: string) => void;
};

type Node = {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly network: NodeNetwork | undefined;
  readonly proxies: readonly Proxy[];
  readonly disk: SmallDisk | undefined;
  readonly dataFolder: string;
  process: ServerProcess | undefined;
};

export type Beside = {
  readonly process: ServerProcess;
  readonly address: { readonly host: string; readonly port: number };
  /** Undefined: it neither follows nor leads, or does not answer. */
  readonly mode: () => Promise<string | undefined>;
};

export class Ensemble {
  readonly nats: NatsPair;
  readonly #options: EnsembleOptions;
  readonly #nodes: Node[] = [];
  readonly #ports: { readonly beside: number; readonly release: () => void };
  readonly #beside = new Set<ServerProcess>();
  #besideCount = 0;

  /** Resolves when all nodes serve. */
  static async start(options: EnsembleOptions): Promise<Ensemble> {
    const [block, beside] = [await reservePorts(), await reservePorts()];
    const { folder, onDeath } = options;
    const nats = new NatsPair({ folder, firstPort: block.first, onDeath });
    const release = (): void => {
      block.release();
      beside.release();
    };
    const ensemble = new Ensemble(options, nats, { beside: beside.first, release });
    try {
      await nats.start(0);
      await nats.start(1);
      for (let index = 0; index < options.nodes; index += 1) {
        await ensemble.#prepare(index, block.first);
      }
      await Promise.all(ensemble.indexes.map((index) => ensemble.startNode(index)));
    } catch (error) {
      await ensemble.stop().finally(() => ensemble.unmount());
      throw error;
    }
    return ensemble;
  }

  private constructor(
    options: EnsembleOptions,
    nats: NatsPair,
    ports: { readonly beside: number; readonly release: () => void },
  ) {
    this.#options = options;
    this.nats = nats;
    this.#ports = ports;
  }

  /** The folder of this run, for files beside the nodes' own data. */
  get folder(): string {
    return this.#options.folder;
  }

  get indexes(): readonly number[] {
    return Array.from({ length: this.#options.nodes }, (_, index) => index);
  }

  get pids(): readonly { readonly label: string; readonly pid: number }[] {
    return this.#nodes.flatMap(({ id, process }) =>
      process === undefined || process.ended ? [] : [{ label: `node ${id}`, pid: process.pid }],
    );
  }

  /** Where the node's clients find it. */
  address(index: number): { readonly host: string; readonly port: number } {
    const { host, port } = this.#node(index);
    return { host, port };
  }

  runs(index: number): boolean {
    return this.#node(index).process?.ended === false;
  }

  /** Resolves when the node follows or leads. */
  async startNode(index: number): Promise<void> {
    this.launch(index);
    await this.serves(index);
  }

  launch(index: number): ServerProcess {
    const node = this.#node(index);
    node.process = this.#spawn(`node ${node.id}`, this.#startOf(index), this.logFile(index));
    return node.process;
  }

  /** A process beside the ensemble's own, on the host of one of its nodes, as an operator may start it by mistake. */
  launchBeside(index: number, name: string, wrong: Partial<NodeStart>): Beside {
    const node = this.#node(index);
    const port = node.network === undefined ? this.#ports.beside + index : PORT_INSIDE + 1;
    const start = { ...this.#startOf(index), port, ...wrong };
    this.#besideCount += 1;
    const logFile = join(this.#options.folder, `beside-${this.#besideCount}.log`);
    const process = this.#spawn(name, start, logFile);
    this.#beside.add(process);
    void process.exited.then(() => this.#beside.delete(process));
    return {
      process,
      address: { host: node.host, port },
      mode: () => this.#mode({ ...node, port, process }),
    };
  }

  #startOf(index: number): NodeStart {
    const node = this.#node(index);
    const { id, host, port, dataFolder } = node;
    // Half of the nodes go to the one nats-server first, half to the other.
    const natsUrls = node.proxies.map((proxy) => `nats://${this.#natsHost(node)}:${proxy.port}`);
    if (index % 2 === 1) natsUrls.reverse();
    return {
      ...{ id, host, port, dataFolder, natsUrls },
      members: this.#nodes.map((each) => each.id),
      ensemble: ENSEMBLE_NAME,
      prefix: node.network?.prefix ?? [],
      mutant: this.#options.mutant,
    };
  }

  #spawn(name: string, start: NodeStart, logFile: string): ServerProcess {
    const { folder, onDeath } = this.#options;
    const [command = "", ...args] = nodeCommand(start);
    const died = (how: string): void => onDeath(name, `${how}\n${process.lastLines(5)}`);
    const process = new ServerProcess({ command, args, cwd: folder, logFile, onDeath: died });
    return process;
  }

  /** Resolves when the node follows or leads. Rejects if it ends, or takes unreasonably long. */
  async serves(index: number): Promise<void> {
    const node = this.#node(index);
    const limitMs = performance.now() + SERVE_MS_MAX;
    while (node.process?.ended === false && performance.now() < limitMs) {
      if ((await this.#mode(node)) !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const how = node.process?.ended === false ? "does not serve" : "ended";
    throw new Error(`node ${node.id} ${how}\n${node.process?.lastLines(20) ?? ""}`);
  }

  async killNode(index: number): Promise<void> {
    await this.#node(index).process?.kill();
  }

  async stopNode(index: number): Promise<void> {
    await this.#node(index).process?.stop();
  }

  signalNode(index: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#node(index).process?.signal(signal);
  }

  setProxies(index: number, state: ProxyState): void {
    for (const proxy of this.#node(index).proxies) proxy.set(state);
  }

  setLink(index: number, state: "up" | "down"): void {
    this.#node(index).network?.setPeerLink(state);
  }

  fillDisk(index: number): void {
    this.#node(index).disk?.fill();
  }

  freeDisk(index: number): void {
    this.#node(index).disk?.free();
  }

  tendDisks(): void {
    for (const { disk } of this.#nodes) disk?.tend();
  }

  /** Names of the node's log segments, oldest first. */
  segments(index: number): readonly string[] {
    const names = readdirSync(this.#node(index).dataFolder);
    return names.filter((name) => /^log\.[0-9a-f]{16}$/.test(name)).sort();
  }

  /** Where the node's output of all its incarnations is. */
  logFile(index: number): string {
    return join(this.#options.folder, `node-${this.#node(index).id}.log`);
  }

  dataFolder(index: number): string {
    return this.#node(index).dataFolder;
  }

  /** Returns the number of the node that reports that it leads; undefined while none does. */
  async leader(): Promise<number | undefined> {
    const modes = await Promise.all(this.#nodes.map((node) => this.#mode(node)));
    const index = modes.indexOf("leader");
    return index < 0 ? undefined : index;
  }

  processOf(index: number): ServerProcess | undefined {
    return this.#node(index).process;
  }

  /** Ends every process. What is on small disks stays until `remove`. */
  async stop(): Promise<void> {
    const stopped = await Promise.allSettled(
      [...this.#nodes.map(({ process }) => process), ...this.#beside].map(async (each) => {
        await each?.stop();
      }),
    );
    await this.nats.stop();
    const failed = stopped.find((outcome) => outcome.status === "rejected");
    await Promise.all(this.#nodes.flatMap(({ proxies }) => proxies.map((each) => each.close())));
    for (const { network } of this.#nodes) network?.remove();
    this.#ports.release();
    if (failed !== undefined) throw failed.reason;
  }

  /** Takes the small disks away with all they hold. */
  unmount(): void {
    for (const { disk } of this.#nodes) disk?.unmount();
  }

  async #prepare(index: number, firstPort: number): Promise<void> {
    const { folder, namespaces, smallDisks } = this.#options;
    const id = index + 1;
    const slot = (firstPort - FIRST_BLOCK_PORT) / PORTS_PER_BLOCK;
    const network = namespaces ? createNodeNetwork(slot, id) : undefined;
    const disk = index < smallDisks ? new SmallDisk(join(folder, `disk-${id}`)) : undefined;
    const host = network?.hostAddress ?? "127.0.0.1";
    const proxies: Proxy[] = [];
    this.#nodes.push({
      id,
      host: network?.nodeAddress ?? "127.0.0.1",
      port: network === undefined ? firstPort + NATS_PORTS + index : PORT_INSIDE,
      network,
      proxies,
      disk,
      dataFolder: disk?.folder ?? join(folder, `data-${id}`),
      process: undefined,
    });
    for (const target of this.nats.targets) proxies.push(await Proxy.listen({ host, target }));
  }

  #natsHost({ network }: Node): string {
    return network?.hostAddress ?? "127.0.0.1";
  }

  #node(index: number): Node {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index + 1}`);
    return node;
  }

  async #mode({
    host,
    port,
    process,
  }: Pick<Node, "host" | "port" | "process">): Promise<string | undefined> {
    if (process?.ended !== false) return undefined;
    const limit = AbortSignal.timeout(ANSWER_MS_MAX);
    const answer = await fourLetters({ host, port }, "srvr", { signal: limit }).catch(() => "");
    return /Mode: (leader|follower)/.exec(answer)?.[1];
  }
}
