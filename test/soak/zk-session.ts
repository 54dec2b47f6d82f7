/** A session over ZooKeeper's protocol that goes on over connections to one node after the other, as client libraries do it. */
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { ping } from "../support/zookeeper-client/operations.ts";

export type ZkSessionOptions = {
  readonly nodes: number;
  /** Index of the node that is tried first. */
  readonly home: number;
  readonly timeoutMs: number;
  readonly address: (index: number) => { readonly host: string; readonly port: number };
};

export type Connected =
  | { readonly kind: "opened"; readonly client: ZkClient }
  | { readonly kind: "attached"; readonly client: ZkClient }
  /** The ensemble says so; it was heard last at `heardMs`. */
  | { readonly kind: "expired"; readonly session: bigint; readonly heardMs: number }
  | { readonly kind: "failed" };

const CONNECT_MS_MAX = 2000;
/** A node that is asked to take a session over may do so this long after its client has turned to another node. */
const LATE_MS_MAX = 10_000;
const CHECK_EVERY_MS = 100;

export class ZkSession {
  readonly #options: ZkSessionOptions;
  /** Clients that have fallen silent: their connections stay, and nothing more is sent over them. */
  readonly #silent = new Set<ZkClient>();
  #node: number;
  #id = 0n;
  #password: Buffer = Buffer.alloc(16);
  #timeoutMs: number;
  #lastZxid = 0n;
  #heardMs = 0;
  #gaveUpMs = Number.NEGATIVE_INFINITY;

  constructor(options: ZkSessionOptions) {
    this.#options = options;
    this.#node = options.home;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Index of the node of the connection, or of the one that is tried next. */
  get node(): number {
    return this.#node;
  }

  /** 0 while there is no session. */
  get id(): bigint {
    return this.#id;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  /** This connection may end because a node that was given up takes the session over after all. */
  get mayBeTakenOver(): boolean {
    return performance.now() - this.#gaveUpMs < LATE_MS_MAX;
  }

  /** The next connection goes to this node. */
  moveTo(node: number): void {
    this.#node = node;
  }

  /** When the server was heard last. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Not even pings are sent any more; the connection stays until the server ends it. */
  silence(client: ZkClient): void {
    this.#silent.add(client);
    this.forget();
  }

  isSilent(client: ZkClient): boolean {
    return this.#silent.has(client);
  }

  /** What silent clients still hold open. */
  async cutSilent(): Promise<void> {
    await Promise.all([...this.#silent].map((client) => client.cut()));
  }

  /** The next connection opens a new session. */
  forget(): void {
    this.#id = 0n;
    this.#password = Buffer.alloc(16);
    this.#lastZxid = 0n;
  }

  /** One try at one node; after a failure the next one's turn comes. */
  async connect(): Promise<Connected> {
    const client = await ZkClient.connect({
      ...this.#options.address(this.#node),
      timeoutMs: this.#options.timeoutMs,
      sessionId: this.#id,
      password: this.#password,
      lastZxidSeen: this.#lastZxid,
      connectMsMax: CONNECT_MS_MAX,
    }).catch(() => undefined);
    if (client === undefined) {
      this.#gaveUpMs = performance.now();
      this.moveTo((this.#node + 1) % this.#options.nodes);
      return { kind: "failed" };
    }
    const { sessionId, password, timeoutMs } = client.grant;
    if (sessionId === 0n) {
      const session = this.#id;
      this.forget();
      await client.cut();
      return { kind: "expired", session, heardMs: this.#heardMs };
    }
    const kind = this.#id === 0n ? "opened" : "attached";
    this.#id = sessionId;
    this.#password = password;
    this.#timeoutMs = timeoutMs;
    this.#heardMs = performance.now();
    this.#watchOver(client);
    return { kind, client };
  }

  /** Pings a server that hears nothing else, and gives up one that says nothing. */
  #watchOver(client: ZkClient): void {
    let pingedMs = performance.now();
    client.socket.on("data", () => {
      if (this.#silent.has(client)) return;
      this.#heardMs = performance.now();
      if (client.lastZxidSeen > this.#lastZxid) this.#lastZxid = client.lastZxidSeen;
    });
    const timer = setInterval(() => {
      if (this.#silent.has(client)) return;
      const nowMs = performance.now();
      if (nowMs - this.#heardMs > (this.#timeoutMs * 2) / 3) {
        client.socket.destroy(new Error("the server is silent"));
      } else if (nowMs - pingedMs > this.#timeoutMs / 6) {
        pingedMs = nowMs;
        client.request(ping()).catch(() => undefined);
      }
    }, CHECK_EVERY_MS);
    void client.closed.then(() => clearInterval(timer));
  }
}
