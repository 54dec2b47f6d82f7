/**
 * Where clients connect during a migration: to servers of the source, and after the switch to servers of the target. It knows which requests are
 * under way, and which znodes clients have written, so that the last of them are at the target before anybody is let in there.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Connection, type ConnectionHooks, type Route } from "./connection.ts";
import type { Created } from "./requests.ts";

export type Address = { readonly host: string; readonly port: number };

export type RelayOptions = {
  readonly listen: Address;
  readonly servers: Readonly<Record<Route, readonly Address[]>>;
  /** A znode was created through the relay. */
  readonly onCreated: (created: Created) => void;
  /** Something that the user should know. */
  readonly onNotice: (text: string) => void;
};

/** One more is refused. */
const CONNECTIONS_MAX = 20_000;
/** How long a server may take to accept a connection. */
const DIAL_MS = 3_000;
const DRAIN_LOOK_MS = 2;

export class Relay {
  readonly #server: Server;
  readonly #options: RelayOptions;
  readonly #connections = new Set<Connection>();
  /** Clients that came while nobody is let in. */
  readonly #held = new Set<Socket>();
  /** Sessions that the source has granted through the relay. */
  readonly #ofSource = new Set<bigint>();
  #written = new Set<string>();
  readonly #doubted = new Set<string>();
  #route: Route = "source";
  #isPaused = false;
  #dialled = 0;
  #onFirstAnswer: (() => void) | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (client) => this.#came(client));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects where it cannot listen. */
  async start(): Promise<void> {
    const { host, port } = this.#options.listen;
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    // A connection that cannot be accepted is no reason to lose the others.
    this.#server.on("error", ({ message }) => this.#options.onNotice(message));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get clients(): number {
    return this.#connections.size + this.#held.size;
  }

  /** The znodes that requests have written which were answered since the last call. A `sync` behind it sees them. */
  takeWritten(): readonly string[] {
    const written = [...this.#written];
    this.#written = new Set();
    return written;
  }

  /** Znodes of requests whose connection was lost before they were answered: they may be written at any time. */
  get doubted(): ReadonlySet<string> {
    return this.#doubted;
  }

  /** From now on nothing is passed on to servers. */
  pause(): void {
    this.#isPaused = true;
    for (const connection of this.#connections) connection.pause();
  }

  /** Whether all that was passed on was answered within the time. */
  async drained(withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    const isBusy = (): boolean => [...this.#connections].some(({ underWay }) => underWay > 0);
    while (isBusy()) {
      if (performance.now() > untilMs) return false;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    return true;
  }

  /** Goes on where it was before the pause. */
  resume(): void {
    this.#isPaused = false;
    for (const connection of this.#connections) connection.resume();
    this.#letIn();
  }

  /** Ends the connections to the source, and passes new ones on to the target. `onFirst` is called when a request was answered there. */
  switch(onFirst: () => void): void {
    this.#route = "target";
    this.#isPaused = false;
    this.#onFirstAnswer = onFirst;
    for (const connection of [...this.#connections]) connection.end();
    this.#letIn();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const client of this.#held) client.destroy();
    for (const connection of [...this.#connections]) connection.end();
    await closed;
  }

  #came(client: Socket): void {
    if (!this.#isPaused) {
      this.#connections.add(new Connection(client, this.#route, this.#hooks));
      return;
    }
    client.pause();
    this.#held.add(client);
    client.on("error", () => client.destroy());
    client.once("close", () => this.#held.delete(client));
  }

  #letIn(): void {
    for (const client of this.#held) {
      if (client.destroyed) continue;
      this.#connections.add(new Connection(client, this.#route, this.#hooks));
      client.resume();
    }
    this.#held.clear();
  }

  readonly #hooks: ConnectionHooks = {
    dial: (route) => this.#dial(route),
    isOfSource: (session) => this.#ofSource.has(session),
    granted: (route, session) => {
      if (route === "source" && session !== 0n) this.#ofSource.add(session);
    },
    answered: (route, written) => {
      if (route === "target") {
        this.#onFirstAnswer?.();
        this.#onFirstAnswer = undefined;
        return;
      }
      for (const path of written?.paths ?? []) this.#written.add(path);
      for (const created of written?.created ?? []) this.#options.onCreated(created);
    },
    doubted: (paths) => {
      for (const path of paths) this.#doubted.add(path);
    },
    refused: (reason) => this.#options.onNotice(reason),
    ended: (connection) => void this.#connections.delete(connection),
  };

  /** Servers take turns; one that does not answer is passed over. */
  async #dial(route: Route): Promise<Socket | undefined> {
    const servers = this.#options.servers[route];
    for (let tried = 0; tried < servers.length; tried += 1) {
      this.#dialled += 1;
      const server = servers[this.#dialled % servers.length];
      const socket = server === undefined ? undefined : await dialled(server);
      if (socket !== undefined) return socket;
    }
    return undefined;
  }
}

async function dialled({ host, port }: Address): Promise<Socket | undefined> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(DIAL_MS) });
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  }
}
