/** zooid as users run it: processes of the command line, one node alone or an ensemble of three with its own nats-server. */
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { reservePorts } from "./ports.ts";
import { COMMAND_LINE, LANES } from "./zooid-command.ts";

export type ZooidNode = {
  readonly name: "zooid";
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** All it has printed so far. */
  readonly output: () => string;
  /** As `Child.line`. */
  readonly line: (pattern: RegExp, after?: number) => Promise<string>;
  /** Where its admin server answers, of a node that has one. */
  readonly adminUrl: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

export type ZooidOptions = {
  /** Session timeouts are clamped to 2 to 20 of it. Default 500, to expire sessions soon. */
  readonly tickTimeMs?: number;
  /** Connections of one address; 0 is no limit. Default 0. */
  readonly maxClientConnections?: number;
  /** Files that the process may have open. Default: as this one. */
  readonly openFilesMax?: number;
  /** Further arguments of Node itself, such as the size of its heap. Default none. */
  readonly nodeArgs?: readonly string[];
  /** Further lines of the configuration. Default none. */
  readonly lines?: readonly string[];
  /** Further variables of its environment. Default none. */
  readonly env?: Readonly<Record<string, string>>;
  /** With a data folder of an earlier node. Default: one of its own, which goes in the end. */
  readonly folder?: string;
  /** What `srvr` says of the node when it has started. Default "standalone". */
  readonly mode?: string;
};

/** A command of Node's, with a limit of open files of its own. */
function nodeCommand(
  args: readonly string[],
  openFilesMax: number | undefined,
): { readonly command: string; readonly args: readonly string[] } {
  if (openFilesMax === undefined) return { command: process.execPath, args };
  const limited = `ulimit -n ${openFilesMax} && exec "$0" "$@"`;
  return { command: "bash", args: ["-c", limited, process.execPath, ...args] };
}

/** One node alone. Fails, with what it printed, if it ends before it serves. */
export async function startZooid(options: ZooidOptions = {}): Promise<ZooidNode> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "zooid-node-")));
  const release = async (): Promise<void> => {
    block.release();
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  const block = await reservePorts();
  const port = block.first;
  const config = join(folder, "zoo.cfg");
  await writeFile(
    config,
    [
      `tickTime=${options.tickTimeMs ?? 500}`,
      `dataDir=${join(folder, "data")}`,
      `clientPort=${port}`,
      "clientPortAddress=127.0.0.1",
      `maxClientCnxns=${options.maxClientConnections ?? 0}`,
      "4lw.commands.whitelist=*",
      "znode.container.checkIntervalMs=200",
      ...(LANES === undefined ? [] : [`zooid.lanes=${LANES}`]),
      // If a line gives a setting again, the last one counts.
      ...(options.lines ?? []),
      "",
    ].join("\n"),
  );
  const args = [
    ...(options.nodeArgs ?? []),
    COMMAND_LINE,
    "serve",
    "--id",
    "1",
    "--config",
    config,
  ];
  const { env = {} } = options;
  const child = new Child({ ...nodeCommand(args, options.openFilesMax), cwd: folder, env });
  await untilAnswer(
    { port },
    "srvr",
    (answer) => answer.includes(`Mode: ${options.mode ?? "standalone"}`),
    () => child.ended,
  ).catch(async (error: unknown) => {
    await release();
    throw new Error(`zooid did not start\n${child.output()}`, { cause: error });
  });
  return {
    name: "zooid",
    host: "127.0.0.1",
    port,
    pid: child.pid,
    output: () => child.output(),
    line: (pattern, after) => child.line(pattern, after),
    adminUrl: async () => (await child.line(/^node \d+ {2}admin /)).split("  ").at(-1) ?? "",
    stop: async () => {
      await child.stop();
      await release();
    },
  };
}

export type EnsembleNode = { readonly id: number; readonly port: number; readonly pid: number };

type Command = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

export type EnsembleOptions = {
  /** `auto`, or how many lanes each node has. Default: as for all nodes of tests. */
  readonly lanes?: string;
  /** Session timeouts are clamped to 2 to 20 of it. Default 2000, as for users. */
  readonly tickTimeMs?: number;
  /** Files that each process may have open. Default: as this one. */
  readonly openFilesMax?: number;
  /** Further flags. Default none. */
  readonly flags?: readonly string[];
};

/**
 * Long, so that a node that waits for its turn on a busy machine is not taken for one that was cut off. The end of a process is
 * noticed at once anyway.
 */
const PEER_TIMEOUT_MS = 15_000;

/** What `zooid ensemble` says of a node that an operator has had started again. */
const RESTARTED = "  restarted";

export class ZooidEnsemble {
  readonly name = "zooid";
  readonly host = "127.0.0.1";
  readonly #parent: Child;
  readonly #folder: string;
  readonly #releasePorts: () => void;
  readonly #nodes: Map<number, EnsembleNode>;
  readonly #commands: ReadonlyMap<number, Command>;
  readonly #restarted = new Map<number, Child>();
  #linesNoted = 0;

  static async start(options: EnsembleOptions = {}): Promise<ZooidEnsemble> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-ensemble-"));
    const block = await reservePorts();
    const args = [
      ...[COMMAND_LINE, "ensemble", "--nodes", "3", "--client-port", String(block.first)],
      ...["--data-dir", join(folder, "data"), "--max-client-connections", "0"],
      ...["--tick-time-ms", String(options.tickTimeMs ?? 2000)],
      ...["--peer-timeout-ms", String(PEER_TIMEOUT_MS)],
      ...["--lanes", options.lanes ?? LANES ?? "auto"],
      ...(options.flags ?? []),
    ];
    const parent = new Child({ ...nodeCommand(args, options.openFilesMax), cwd: folder });
    try {
      await parent.line(/^ready: node \d+ leads epoch \d+/);
      const nodes = parent.lines.flatMap(readNodeLine);
      if (nodes.length !== 3) throw new Error(`not three nodes\n${parent.output()}`);
      const commands = await Promise.all(
        nodes.map(async (node) => [node.id, await commandOf(node)] as const),
      );
      return new ZooidEnsemble(parent, folder, block.release, nodes, new Map(commands));
    } catch (error) {
      await parent.stop();
      block.release();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(
    parent: Child,
    folder: string,
    releasePorts: () => void,
    nodes: readonly EnsembleNode[],
    commands: ReadonlyMap<number, Command>,
  ) {
    this.#parent = parent;
    this.#folder = folder;
    this.#releasePorts = releasePorts;
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#commands = commands;
  }

  get nodes(): readonly EnsembleNode[] {
    this.#noteRestarted();
    return [...this.#nodes.values()];
  }

  /** An operator may have had nodes started again: they have other processes since. */
  #noteRestarted(): void {
    const { lines } = this.#parent;
    for (const line of lines.slice(this.#linesNoted)) {
      if (!line.endsWith(RESTARTED)) continue;
      for (const node of readNodeLine(line.slice(0, -RESTARTED.length))) {
        this.#nodes.set(node.id, node);
      }
    }
    this.#linesNoted = lines.length;
  }

  /** A file with the URL that native clients connect with. */
  get clientUrlFile(): string {
    return join(this.#folder, "data/nats-client.url");
  }

  /** The credentials of its nodes, which operators use. */
  get nodeCredentialsFile(): string {
    return join(this.#folder, "data/nats-node.credentials");
  }

  get natsUrl(): string {
    const line = this.#parent.lines.find((each) => each.startsWith("nats ")) ?? "";
    return /nats:\/\/\S+/.exec(line)?.[0] ?? "";
  }

  /** A line that `zooid ensemble` prints after its first `after`. */
  line(pattern: RegExp, after: number): Promise<string> {
    return this.#parent.line(pattern, after);
  }

  /** All that `zooid ensemble` has printed. */
  get lines(): readonly string[] {
    return this.#parent.lines;
  }

  get ports(): readonly number[] {
    return this.nodes.map((node) => node.port);
  }

  /** The port of the first node, for clients that take one address. */
  get port(): number {
    return this.node(1).port;
  }

  /** All addresses, as ZooKeeper's clients take them. */
  get connectString(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(",");
  }

  /** With its present process. */
  node(id: number): EnsembleNode {
    this.#noteRestarted();
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** The id that the ensemble announced when it was ready; who leads since, only the nodes know. */
  get firstLeader(): number {
    const ready = this.#parent.lines.find((line) => line.startsWith("ready: ")) ?? "";
    return Number(/node (\d+) leads/.exec(ready)?.[1]);
  }

  /** What a node has logged. */
  log(id: number): Promise<string> {
    return readFile(join(this.#folder, "data", `node-${id}.log`), "utf8");
  }

  output(): string {
    return [this.#parent, ...this.#restarted.values()].map((child) => child.output()).join("\n");
  }

  /** Its process has a number that another one may have once it has ended, so it is asked first whose it is. */
  kill(id: number, signal: NodeJS.Signals): void {
    const { pid } = this.node(id);
    if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(this.#folder)) {
      throw new Error(`process ${pid} is not one of node ${id}\n${this.output()}`);
    }
    process.kill(pid, signal);
  }

  /** Starts a node that was killed again, by the very command that the ensemble started it with. */
  async restart(id: number): Promise<void> {
    const command = this.#commands.get(id);
    if (command === undefined) throw new Error(`no command of node ${id}`);
    await this.#restarted.get(id)?.exited;
    const child = new Child({ command: process.execPath, ...command });
    this.#restarted.set(id, child);
    const node = { ...this.node(id), pid: child.pid };
    this.#nodes.set(id, node);
    await untilAnswer(
      { port: node.port },
      "srvr",
      (answer) => /Mode: (leader|follower)/.test(answer),
      () => child.ended,
    );
  }

  async stop(): Promise<void> {
    for (const child of this.#restarted.values()) await child.stop();
    await this.#parent.stop();
    this.#releasePorts();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function readNodeLine(line: string): readonly EnsembleNode[] {
  const match = /^node (\d+)\s+pid (\d+)\s+127\.0\.0\.1:(\d+)$/.exec(line);
  if (match === null) return [];
  return [{ id: Number(match[1]), pid: Number(match[2]), port: Number(match[3]) }];
}

/** Linux keeps the arguments, environment and folder of every process. */
async function commandOf(node: EnsembleNode): Promise<Command> {
  const words = async (name: string): Promise<string[]> =>
    (await readFile(`/proc/${node.pid}/${name}`, "utf8")).split("\0").filter((word) => word !== "");
  const [, ...args] = await words("cmdline");
  const env = Object.fromEntries(
    (await words("environ")).map((word) => {
      const at = word.indexOf("=");
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
  return { args, env, cwd: tmpdir() };
}
