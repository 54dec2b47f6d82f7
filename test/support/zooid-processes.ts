/** Three nodes as an operator of three hosts starts them: one process each over one nats-server, each killed and started apart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { reservePorts } from "./ports.ts";

const COMMAND_LINE = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));

export class ZooidProcesses {
  readonly ids: readonly number[] = [1, 2, 3];
  readonly #folder: string;
  readonly #nats: NatsServer;
  readonly #firstPort: number;
  readonly #releasePorts: () => void;
  readonly #running = new Map<number, Child>();
  readonly #past: Child[] = [];

  static async start(): Promise<ZooidProcesses> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-processes-"));
    const nats = await startNatsServer();
    const block = await reservePorts();
    const nodes = new ZooidProcesses(folder, nats, block.first, block.release);
    try {
      await Promise.all(nodes.ids.map((id) => nodes.startNode(id)));
    } catch (error) {
      await nodes.stop();
      throw error;
    }
    return nodes;
  }

  private constructor(folder: string, nats: NatsServer, firstPort: number, release: () => void) {
    this.#folder = folder;
    this.#nats = nats;
    this.#firstPort = firstPort;
    this.#releasePorts = release;
  }

  portOf(id: number): number {
    return this.#firstPort + id - 1;
  }

  /** Resolves when the node follows or leads. */
  async startNode(id: number): Promise<void> {
    const child = new Child({
      command: process.execPath,
      args: [
        ...[COMMAND_LINE, "serve", "--id", String(id), "--members", this.ids.join(",")],
        ...["--ensemble", "test", "--nats", this.#nats.url],
        ...["--client-port", String(this.portOf(id)), "--client-port-address", "127.0.0.1"],
        ...["--data-dir", join(this.#folder, String(id))],
      ],
      cwd: this.#folder,
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
    const child = this.#running.get(id);
    if (child === undefined) throw new Error(`node ${id} does not run`);
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    this.#running.delete(id);
    this.#past.push(child);
  }

  output(): string {
    return [...this.#past, ...this.#running.values()].map((child) => child.output()).join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((child) => child.stop()));
    await this.#nats.stop();
    this.#releasePorts();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
