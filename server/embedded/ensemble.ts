/**
 * A whole ensemble in a user's own process, for development: one node or several, over memory or over NATS, with real time, TCP ports for
 * ZooKeeper's clients, and native clients of the same process.
 *
 *     await using ensemble = await startEnsemble({ nodes: 3 });
 *     const client = await ensemble.connect();
 *     console.log(`ZooKeeper's clients: ${ensemble.clientAddresses}`);
 */
import { join } from "node:path";
import { type Client, connect, type ConnectOptions, connectOver } from "../../client/connect.ts";
import { sessionOptionsOf } from "../../client/options.ts";
import { NativeWire } from "../../client/native-wire.ts";
import { checkOptions } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { realClock, realRandomness } from "../../runtime/real-clock.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { MemorySubjects } from "../../runtime/testing/memory-subjects.ts";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
import type { NodeSettings } from "../config/node-settings.ts";
import { launch, type StartOptions } from "../launch.ts";
import type { LaunchOptions, RunningNode } from "../running-node.ts";
import { MemoryChannel } from "./memory-channel.ts";

/** How many nodes an ensemble in this process has, and what is in memory. */
export type EnsembleOptions = StartOptions & {
  /** How many nodes, 1 to 7. Default 1. */
  readonly nodes?: number;
  /**
   * A folder for the data, which is there again at the next start. Each node has a folder in it: `node-1`, `node-2` … Default: memory, which
   * is lost when the ensemble stops.
   */
  readonly dataDir?: string;
  /** The TCP ports for ZooKeeper's clients, one of each node. Default: free ones. */
  readonly clientPorts?: readonly number[];
  /** NATS servers that run already, by which the nodes meet and which clients of other processes use. Default: all is in memory. */
  readonly natsUrls?: readonly string[];
  /** Further settings of all nodes, as `startNode` takes them. The address of the ports is `127.0.0.1` by default. */
  readonly settings?: Omit<
    NodeSettings,
    "id" | "members" | "dataDir" | "dataLogDir" | "clientPort" | "natsUrls"
  >;
};

/** An ensemble in this process, all of whose nodes serve clients. `await using` stops it. */
export interface RunningEnsemble extends AsyncDisposable {
  /** By their numbers, from 1 on. */
  readonly nodes: readonly RunningNode[];
  /** For ZooKeeper's clients: `host:port` of each node, with commas between them. */
  readonly clientAddresses: string;
  /** Opens a session of `zooid/client` with the ensemble. Rejects as `connect` of the client does. */
  connect(options?: Omit<ConnectOptions, "ensemble">): Promise<Client>;
  /** Closes the clients that it has connected, then stops the nodes. It may be called again. */
  stop(): Promise<void>;
}

const NODES_MAX = 7;
const LOCAL = "127.0.0.1";

/**
 * Resolves when all nodes serve clients. Rejects with BadArgumentsError, and as `startNode` does: with ConfigurationError, with
 * NodeStartError, with the reason of the signal. Whatever has started is stopped then.
 */
export async function startEnsemble(options: EnsembleOptions = {}): Promise<RunningEnsemble> {
  checkOptions("options", options);
  const { nodes: count = 1, natsUrls = [], signal, onInspection } = options;
  checkCounts(options);
  signal?.throwIfAborted();
  checkLanes(options);
  const memory = natsUrls.length > 0 ? undefined : newMemory();
  const failed = new AbortController();
  const signals = signal === undefined ? [failed.signal] : [failed.signal, signal];
  const shared: LaunchOptions = { onInspection, signal: AbortSignal.any(signals) };
  const starts = Array.from({ length: count }, async (_, index) => {
    const id = (index + 1) as ServerId;
    const inMemory = {
      clients: memory?.subjects.join(`node ${id}`, realClock),
      disk: options.dataDir === undefined ? new MemoryDisk() : undefined,
    };
    const transport = count > 1 ? memory?.network.join(id) : undefined;
    const over = memory === undefined ? "nats" : "memory";
    return await launch(settingsOf(options, id), over, { ...shared, transport, inMemory });
  });
  try {
    const nodes = await Promise.all(starts);
    await Promise.all(nodes.map(async ({ ready }) => await ready));
    return new Ensemble(nodes, options, memory);
  } catch (error) {
    failed.abort();
    await stopAll(starts);
    signal?.throwIfAborted();
    throw error;
  }
}

class Ensemble implements RunningEnsemble {
  readonly nodes: readonly RunningNode[];
  readonly #options: EnsembleOptions;
  /** Undefined: all is over NATS. */
  readonly #memory: Memory | undefined;
  readonly #clients = new Set<Client>();
  #joined = 0;
  #stopping: Promise<void> | undefined;

  constructor(nodes: readonly RunningNode[], options: EnsembleOptions, memory: Memory | undefined) {
    this.nodes = nodes;
    this.#options = options;
    this.#memory = memory;
  }

  get clientAddresses(): string {
    const host = this.#options.settings?.clientPortAddress ?? LOCAL;
    const shown = host.includes(":") ? `[${host}]` : host;
    return this.nodes.map(({ clientPort }) => `${shown}:${clientPort}`).join(",");
  }

  async connect(options: Omit<ConnectOptions, "ensemble"> = {}): Promise<Client> {
    if (this.#stopping !== undefined) throw new BadArgumentsError("the ensemble is stopped");
    const client = await this.#open({ ...options, ensemble: this.#name });
    this.#clients.add(client);
    return client;
  }

  async #open(options: ConnectOptions & { readonly ensemble: string }): Promise<Client> {
    const { natsUrls = [] } = this.#options;
    if (this.#memory === undefined) return await connect(natsUrls.join(","), options);
    const session = sessionOptionsOf(options);
    this.#joined += 1;
    const subscriber = this.#memory.subjects.join(`client ${this.#joined}`, realClock);
    const channel = new MemoryChannel({ subscriber, ensemble: options.ensemble });
    return await connectOver(new NativeWire(channel, session), options);
  }

  get #name(): string {
    return this.#options.settings?.ensemble ?? "zooid";
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([...this.#clients].map(async (client) => await client.close()));
    await Promise.all(this.nodes.map(async (node) => await node.stop()));
  }
}

type Memory = { readonly network: MemoryNetwork; readonly subjects: MemorySubjects };

function newMemory(): Memory {
  return { network: new MemoryNetwork(realClock), subjects: new MemorySubjects(realRandomness) };
}

async function stopAll(starts: readonly Promise<RunningNode>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(starts)) {
    // Why it did not start is the news, not what could not be released.
    if (outcome.status === "fulfilled") await outcome.value.stop().catch(() => undefined);
  }
}

function settingsOf(options: EnsembleOptions, id: ServerId): NodeSettings {
  const { nodes: count = 1, dataDir, clientPorts = [], natsUrls = [], settings } = options;
  return {
    ...(isInMemory(options) && { lanes: 0 }),
    clientPortAddress: LOCAL,
    ...settings,
    ...(natsUrls.length > 0 && { natsUrls }),
    ...(dataDir !== undefined && { dataDir: join(dataDir, `node-${id}`) }),
    id,
    members: Array.from({ length: count }, (_, index) => index + 1),
    clientPort: clientPorts[id - 1] ?? 0,
  };
}

/** The network between the nodes, their disks, or both. */
function isInMemory({ dataDir, natsUrls = [] }: EnsembleOptions): boolean {
  return dataDir === undefined || natsUrls.length === 0;
}

function checkLanes(options: EnsembleOptions): void {
  const { lanes = 0 } = options.settings ?? {};
  if (lanes === 0 || !isInMemory(options)) return;
  throw new BadArgumentsError(
    "`lanes` must be 0 unless there are both `dataDir` and `natsUrls`: what is in memory is on one thread",
  );
}

function checkCounts({ nodes = 1, clientPorts }: EnsembleOptions): void {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > NODES_MAX) {
    const most = `a whole number from 1 to ${NODES_MAX}`;
    throw new BadArgumentsError(`\`nodes\` must be ${most}, not ${String(nodes)}`);
  }
  if (clientPorts === undefined || clientPorts.length === nodes) return;
  const given = `${clientPorts.length} for ${nodes} nodes`;
  throw new BadArgumentsError(`\`clientPorts\` must have one port for each node, not ${given}`);
}
