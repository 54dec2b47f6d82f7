/** Two nats-servers of one cluster on fixed ports, each killed, stopped, paused and started apart. */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { natsServerBinary } from "../support/nats-server.ts";
import { ServerProcess } from "./server-process.ts";

export type NatsPairOptions = {
  readonly folder: string;
  /** The first of four ports. */
  readonly firstPort: number;
  readonly onDeath: (name: string, how: string) => void;
};

type Target = { readonly host: string; readonly port: number };

const HOST = "127.0.0.1";
const CLUSTER_PORT_OFFSET = 2;

export class NatsPair {
  readonly targets: readonly Target[];
  readonly #options: NatsPairOptions;
  readonly #processes: (ServerProcess | undefined)[] = [undefined, undefined];

  constructor(options: NatsPairOptions) {
    this.#options = options;
    this.targets = [0, 1].map((index) => ({ host: HOST, port: options.firstPort + index }));
  }

  get urls(): string {
    return this.targets.map(({ host, port }) => `nats://${host}:${port}`).join(",");
  }

  runs(index: number): boolean {
    return this.#processes[index]?.ended === false;
  }

  /** Resolves when it accepts connections. */
  async start(index: number): Promise<void> {
    const { folder, onDeath } = this.#options;
    const name = `nats-${index + 1}`;
    const config = join(folder, `${name}.conf`);
    writeFileSync(config, this.#config(index));
    const server = new ServerProcess({
      command: natsServerBinary(),
      args: ["-c", config],
      cwd: folder,
      logFile: join(folder, `${name}.log`),
      onDeath: (how) => onDeath(name, how),
    });
    this.#processes[index] = server;
    const target = this.targets[index];
    while (target !== undefined && !(await accepts(target))) {
      if (server.ended) throw new Error(`nats-server ended\n${server.lastLines(10)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async killOne(index: number): Promise<void> {
    await this.#processes[index]?.kill();
  }

  async stopOne(index: number): Promise<void> {
    await this.#processes[index]?.stop();
  }

  signal(index: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#processes[index]?.signal(signal);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((server) => server?.stop() ?? Promise.resolve()));
  }

  /** Servers that do not name each other to their clients: a node is to know only its proxies. */
  #config(index: number): string {
    const own = this.#options.firstPort + CLUSTER_PORT_OFFSET + index;
    const other = this.#options.firstPort + CLUSTER_PORT_OFFSET + 1 - index;
    const routes = JSON.stringify([`nats-route://${HOST}:${other}`]);
    return [
      `listen: "${HOST}:${this.targets[index]?.port}"`,
      `cluster { name: soak, listen: "${HOST}:${own}", routes: ${routes}, no_advertise: true }`,
      "",
    ].join("\n");
  }
}

function accepts(target: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
