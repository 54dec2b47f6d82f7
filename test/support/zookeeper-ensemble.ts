/** Apache ZooKeeper as an ensemble of three, from the host's packages: for clients whose server dies. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { type PortBlock, reservePorts } from "./ports.ts";
import { JAVA_OPTIONS } from "./zookeeper-server.ts";
import { zookeeperClassPath } from "./zookeeper-under-test.ts";

const IDS = [0, 1, 2];
/** The ports of the clients come first in the block, then those of the quorum, then those of the election. */
const QUORUM_PORTS = 3;
const ELECTION_PORTS = 6;

export type ZookeeperEnsembleOptions = {
  /** Default 2000. */
  readonly tickTimeMs?: number;
  /** How often the leader looks for containers and TTLs that are over. Default: ZooKeeper's own. */
  readonly containerCheckMs?: number;
  /** Further lines of the configuration. Default none. */
  readonly lines?: readonly string[];
};

export class ZookeeperEnsemble {
  readonly #folder: string;
  readonly #block: PortBlock;
  readonly #options: ZookeeperEnsembleOptions;
  readonly #running = new Map<number, Child>();

  static async start(options: ZookeeperEnsembleOptions = {}): Promise<ZookeeperEnsemble> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-zookeeper-ensemble-"));
    const servers = new ZookeeperEnsemble(folder, await reservePorts(), options);
    try {
      await Promise.all(IDS.map((id) => servers.#configure(id)));
      await Promise.all(IDS.map((id) => servers.#startServer(id)));
    } catch (error) {
      await servers.stop();
      throw error;
    }
    return servers;
  }

  private constructor(folder: string, block: PortBlock, options: ZookeeperEnsembleOptions) {
    this.#folder = folder;
    this.#block = block;
    this.#options = options;
  }

  get ports(): readonly number[] {
    return IDS.map((id) => this.#block.first + id);
  }

  get connectString(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(",");
  }

  async kill(port: number): Promise<void> {
    const id = port - this.#block.first;
    const child = this.#running.get(id);
    if (child === undefined) throw new Error(`no server listens on ${port}`);
    this.#running.delete(id);
    child.kill("SIGKILL");
    await child.exited;
  }

  /** Starts the server again that was killed. Resolves when it serves. */
  restart(port: number): Promise<void> {
    return this.#startServer(port - this.#block.first);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.kill(this.#block.first + id)));
    this.#block.release();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #configure(id: number): Promise<void> {
    const own = join(this.#folder, String(id));
    const { first } = this.#block;
    const member = (each: number): string =>
      `server.${each + 1}=127.0.0.1:${first + QUORUM_PORTS + each}:${first + ELECTION_PORTS + each}`;
    const lines = [
      `tickTime=${this.#options.tickTimeMs ?? 2000}`,
      "initLimit=30",
      "syncLimit=15",
      `dataDir=${own}`,
      `clientPort=${first + id}`,
      "clientPortAddress=127.0.0.1",
      "admin.enableServer=false",
      "4lw.commands.whitelist=*",
      "maxClientCnxns=0",
      "extendedTypesEnabled=true",
      ...IDS.map(member),
      ...(this.#options.lines ?? []),
    ];
    await mkdir(own);
    await writeFile(join(own, "myid"), `${id + 1}\n`);
    await writeFile(join(own, "zoo.cfg"), `${lines.join("\n")}\n`);
  }

  async #startServer(id: number): Promise<void> {
    const own = join(this.#folder, String(id));
    const { containerCheckMs } = this.#options;
    const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    const child = new Child({
      command: "java",
      args: [
        ...JAVA_OPTIONS,
        "-Dzookeeper.preAllocSize=1024",
        ...(containerCheckMs === undefined
          ? []
          : [`-Dznode.container.checkIntervalMs=${containerCheckMs}`]),
        ...["-cp", zookeeperClassPath()],
        ...[main, join(own, "zoo.cfg")],
      ],
      cwd: own,
    });
    this.#running.set(id, child);
    await untilAnswer(
      { port: this.#block.first + id },
      "srvr",
      (answer) => /Mode: (leader|follower)/.test(answer),
      () => child.ended,
    );
  }
}
