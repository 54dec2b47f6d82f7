/** A nats-server that counts: what passes through it for each client. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NatsServer, startNatsServer } from "../../../cli/ensemble/nats-server.ts";
import { freePorts } from "../../targets/target.ts";

export type NatsCounts = {
  /** Messages that clients have published, and that the server has sent to clients. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

export class NatsMonitor implements AsyncDisposable {
  readonly #server: NatsServer;
  readonly #port: number;
  readonly #folder: string;

  private constructor(server: NatsServer, port: number, folder: string) {
    this.#server = server;
    this.#port = port;
    this.#folder = folder;
  }

  static async start(): Promise<NatsMonitor> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-bench-nats-"));
    const port = await freePorts(1);
    const configFile = join(folder, "nats.conf");
    await writeFile(configFile, `http: "127.0.0.1:${port}"\nmax_payload: 4MB\n`);
    return new NatsMonitor(await startNatsServer({ configFile }), port, folder);
  }

  get url(): string {
    return this.#server.url;
  }

  get pid(): number {
    return this.#server.pid;
  }

  async counts(): Promise<NatsCounts> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/varz`);
    const varz = (await response.json()) as Readonly<Record<string, number>>;
    return {
      messagesIn: varz["in_msgs"] ?? 0,
      messagesOut: varz["out_msgs"] ?? 0,
      bytesIn: varz["in_bytes"] ?? 0,
      bytesOut: varz["out_bytes"] ?? 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
