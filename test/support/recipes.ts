/** What tests of recipes share: a node in the test's process over a real nats-server, clients of it, and a clock that is set by hand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../client/client.ts";
import { connect, type ConnectOptions } from "../../client/connect.ts";
import type { Clock, Wire } from "../../client/wire.ts";
import { startNode } from "../../server/start.ts";
import { startNatsServer } from "./nats-server.ts";

const PATIENCE_MS = 120_000;

export type RecipesHost = {
  readonly url: string;
  /** ZooKeeper's protocol is served there. */
  readonly clientPort: number;
  readonly connect: (options?: ConnectOptions) => Promise<Client>;
  /** Closes the clients, and stops the servers. */
  readonly stop: () => Promise<void>;
};

export async function startRecipesHost(): Promise<RecipesHost> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-recipes-"));
  const nats = await startNatsServer({});
  const node = await startNode({
    dataDir: folder,
    natsUrls: [nats.url],
    clientPort: 0,
    clientPortAddress: "127.0.0.1",
  });
  const clients: Client[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
    await node.stop();
    await nats.stop();
    await rm(folder, { recursive: true, force: true });
  };
  await node.ready;
  return {
    url: nats.url,
    clientPort: node.clientPort,
    connect: async (options) => {
      const client = await connect(nats.url, { connectTimeoutMs: PATIENCE_MS, ...options });
      clients.push(client);
      return client;
    },
    stop,
  };
}

let shared: Promise<RecipesHost> | undefined;
let clients: Promise<[Client, Client]> | undefined;

/** The host of all tests in this process that ask for it. Who imports them stops it. */
export function sharedHost(): Promise<RecipesHost> {
  shared ??= startRecipesHost();
  return shared;
}

/** Two clients of that host, with a session each, the same for all. */
export function sharedClients(): Promise<[Client, Client]> {
  clients ??= sharedHost().then((host) => Promise.all([host.connect(), host.connect()]));
  return clients;
}

/** A clock that stands still until it is told to go on. */
export class HandClock implements Clock {
  readonly #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  #nowMs = 0;
  readonly random = (): number => 0.5;
  readonly nowMs = (): number => this.#nowMs;
  readonly after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  };

  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const [next] = this.#timers.toSorted((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

/** A client of the same session, whose wire is changed in some places. Closing it closes the session. */
export function changedClient(client: Client, changes: Partial<Wire>): Client {
  const { wire } = client;
  const changed = new Proxy(wire, {
    get: (_target, name) => {
      const value: unknown = Reflect.get(Object.hasOwn(changes, name) ? changes : wire, name);
      return typeof value === "function" ? value.bind(wire) : value;
    },
  });
  return new Client(changed);
}
