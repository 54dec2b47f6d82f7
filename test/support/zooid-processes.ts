/** Three nodes as an operator of three hosts starts them: one process each over one nats-server, each killed and started apart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { reservePorts } from "./ports.ts";
import { COMMAND_LINE, LANES } from "./zooid-command.ts";

type OtherStart = {
  readonly id: number;
  /** Undefined: none are named. */
  readonly members: string | undefined;
  /** Name of its folder within the run's own. */
  readonly folder: string;
};

export class ZooidProcesses {
  readonly ids: readonly number[] = [1, 2, 3];
  readonly #folder: string;
  readonly #nats: NatsServer;
  readonly #firstPort: number;
  readonly #releasePorts: () => void;
  readonly #running = new Map<number, Child>();
  readonly #past: Child[] = [];
  readonly #others: Child[] = [];
  readonly #flags: readonly string[];
  readonly #tellsServers: boolean;

  /** `flags`: of each node, beside those that it needs. `tellsServers`: clients find the members at `/zookeeper/config`. */
  static async start(
    flags: readonly string[] = [],
    { tellsServers = false }: { readonly tellsServers?: boolean } = {},
  ): Promise<ZooidProcesses> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-processes-"));
    const nats = await startNatsServer();
    const block = await reservePorts();
    const nodes = new ZooidProcesses(
      { folder, nats, flags, tellsServers },
      block.first,
      block.release,
    );
    try {
      await Promise.all(nodes.ids.map((id) => nodes.startNode(id)));
    } catch (error) {
      await nodes.stop();
      throw error;
    }
    return nodes;
  }

  private constructor(
    of: {
      readonly folder: string;
      readonly nats: NatsServer;
      readonly flags: readonly string[];
      readonly tellsServers: boolean;
    },
    firstPort: number,
    release: () => void,
  ) {
    this.#folder = of.folder;
    this.#nats = of.nats;
    this.#flags = of.flags;
    this.#tellsServers = of.tellsServers;
    this.#firstPort = firstPort;
    this.#releasePorts = release;
  }

  get natsUrl(): string {
    return this.#nats.url;
  }

  /** All addresses, as ZooKeeper's clients take them. */
  get connectString(): string {
    return this.ids.map((id) => `127.0.0.1:${this.portOf(id)}`).join(",");
  }

  portOf(id: number): number {
    return this.#firstPort + id - 1;
  }

  /** Returns the folder of the node's data, within the folder of the run. */
  folderOf(id: number, name: string = String(id)): string {
    return join(this.#folder, name);
  }

  /** The node's process, which ends with this ensemble. */
  processOf(id: number): Child {
    const child = this.#running.get(id);
    if (child === undefined) throw new Error(`node ${id} does not run`);
    return child;
  }

  /** A process beside the ensemble's own, as an operator might start it by mistake. It ends with the ensemble. */
  startOther({ id, members, folder }: OtherStart): Child {
    const child = this.#serve(id, {
      members,
      folder: this.folderOf(id, folder),
      port: 0,
    });
    this.#past.push(child);
    this.#others.push(child);
    return child;
  }

  /** What `/zookeeper/config` tells clients. The ports of the servers among themselves are ZooKeeper's; nobody listens there. */
  #servers(): string {
    return this.ids.map((id) => `${id}=127.0.0.1:1:2;127.0.0.1:${this.portOf(id)}`).join(",");
  }

  #serve(
    id: number,
    of: {
      readonly members: string | undefined;
      readonly folder: string;
      readonly port: number;
    },
  ): Child {
    const members = of.members === undefined ? [] : ["--members", of.members];
    const servers = this.#tellsServers ? ["--servers", this.#servers()] : [];
    return new Child({
      command: process.execPath,
      args: [
        ...[COMMAND_LINE, "serve", "--id", String(id), ...members, ...servers],
        ...["--ensemble", "test", "--nats", this.#nats.url, ...this.#flags],
        ...["--client-port", String(of.port), "--client-port-address", "127.0.0.1"],
        ...["--data-dir", of.folder],
        ...(LANES === undefined ? [] : ["--lanes", LANES]),
      ],
      cwd: this.#folder,
    });
  }

  /** Resolves when the node follows or leads. `folder`: another one than its own. */
  async startNode(id: number, folder: string = String(id)): Promise<void> {
    const child = this.#serve(id, {
      members: this.ids.join(","),
      folder: this.folderOf(id, folder),
      port: this.portOf(id),
    });
    this.#running.set(id, child);
    await untilAnswer(
      { port: this.portOf(id) },
      "srvr",
      (answer) => /Mode: (leader|follower)/.test(answer),
      () => child.ended,
    );
  }

  /** `kill -9`. Resolves when the process is gone. */
  async kill(id: number): Promise<void> {
    const child = this.processOf(id);
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    this.#running.delete(id);
    this.#past.push(child);
  }

  output(): string {
    return [...this.#past, ...this.#running.values()].map((child) => child.output()).join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values(), ...this.#others].map((child) => child.stop()));
    await this.#nats.stop();
    this.#releasePorts();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
