/** A writer for tests of failures: one connection at a time, sequential nodes with a running number, every answer kept. */
import { type Reply, ZkClient } from "./zookeeper-client/client.ts";
import { create } from "./zookeeper-client/operations.ts";

export type Acknowledged = { readonly path: string; readonly number: number };

/** Writes under way at once; the server answers them in order. */
const OUTSTANDING = 4;
const SEQUENTIAL = 2;
/** ZooKeeper's session timeout while it moves: long enough that no pause of a busy machine ends a session. */
const TIMEOUT_MS = 30_000;

export class Writer {
  readonly folder: string;
  readonly acknowledged: Acknowledged[] = [];
  /** Events that must not happen: a failed write, or a lost connection to a node that was not killed. */
  readonly complaints: string[] = [];
  readonly #portOf: (node: number) => number;
  /** Nodes that are down or were killed while this connection was open. */
  readonly #killed: Set<number> = new Set();
  #node: number;
  #next = 0;
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  constructor(folder: string, node: number, portOf: (node: number) => number) {
    this.folder = folder;
    this.#node = node;
    this.#portOf = portOf;
  }

  get node(): number {
    return this.#node;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  /** To be called before the node is killed. */
  expectDeath(node: number): void {
    this.#killed.add(node);
  }

  backAgain(node: number): void {
    this.#killed.delete(node);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const client = await this.#connect();
      if (client === undefined) continue;
      await this.#write(client);
      await client.close();
    }
  }

  /** Connects to the writer's own node, or to the next one while that is down. */
  async #connect(): Promise<ZkClient | undefined> {
    if (this.#killed.has(this.#node)) this.#node = (this.#node % 3) + 1;
    try {
      return await ZkClient.connect({ port: this.#portOf(this.#node), timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (!this.#killed.has(this.#node)) this.#complain(`cannot connect: ${String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    }
  }

  /** Writes until the connection ends. */
  async #write(client: ZkClient): Promise<void> {
    let open = true;
    while (open && !this.#stopping) {
      const sent = Array.from({ length: OUTSTANDING }, async () => {
        const number = this.#next;
        this.#next += 1;
        const reply = await client.request(
          create(`${this.folder}/n-`, String(number), { mode: SEQUENTIAL }),
        );
        if (reply.code === 0) {
          this.acknowledged.push({ path: firstText(reply), number });
        } else {
          this.#complain(`write ${number} failed with ${reply.code}`);
        }
      });
      for (const outcome of await Promise.allSettled(sent)) {
        if (outcome.status === "fulfilled") continue;
        open = false;
        if (!this.#killed.has(this.#node)) this.#complain(String(outcome.reason));
      }
    }
  }

  #complain(what: string): void {
    this.complaints.push(`${this.folder} on node ${this.#node}: ${what}`);
  }
}

/** Returns the path of a create, or the data or the names of a read. */
export function firstText(reply: Reply): string {
  const [first] = reply.text;
  if (typeof first !== "string") throw new Error(`no text in the reply to ${reply.label}`);
  return first;
}
