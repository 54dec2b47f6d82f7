/** One client that sets a large node again and again, so that logs grow, snapshots are cut and old segments are purged. */
import { Code } from "../../protocol/codes.ts";
import type { ZkClient } from "../support/zookeeper-client/client.ts";
import { closeSession } from "../support/zookeeper-client/operations.ts";
import { BULK, type History } from "./history.ts";
import { writeData } from "./requests.ts";
import { tokenOf } from "./sequences.ts";
import { ZkSession, type ZkSessionOptions } from "./zk-session.ts";

export type BulkLoadOptions = ZkSessionOptions & {
  readonly name: string;
  readonly history: History;
};

const DATA_BYTES = 64 * 1024;
/** About a megabyte a second. */
const PAUSE_MS = 50;
const RETRY_MS = 100;

/** A token, and what makes it large. */
export function bulkData(token: string): string {
  return token.padEnd(DATA_BYTES, ".");
}

export function bulkToken(data: string): string {
  return data.replace(/\.+$/, "");
}

export class BulkLoad {
  readonly #options: BulkLoadOptions;
  readonly #session: ZkSession;
  #phase: "load" | "idle" | "closed" = "load";
  #number = 0;
  #done: Promise<void> = Promise.resolve();

  constructor(options: BulkLoadOptions) {
    this.#options = options;
    this.#session = new ZkSession(options);
  }

  start(): void {
    this.#done = this.#run();
  }

  idle(): void {
    this.#phase = "idle";
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#phase !== "closed") {
      const connected = await this.#session.connect();
      if (connected.kind === "opened" || connected.kind === "attached") {
        await this.#serve(connected.client);
      }
      await delay(RETRY_MS);
    }
  }

  async #serve(client: ZkClient): Promise<void> {
    let open = true;
    void client.closed.then(() => {
      open = false;
    });
    while (open && this.#phase !== "closed") {
      if (this.#phase === "load") await this.#write(client);
      client.received.length = 0;
      await delay(PAUSE_MS);
    }
    if (open) await client.request(closeSession()).catch(() => undefined);
    await client.cut();
  }

  async #write(client: ZkClient): Promise<void> {
    const { history, name } = this.#options;
    const { registers } = history;
    this.#number += 1;
    const token = tokenOf(name, this.#number);
    registers.sent(token);
    const floor = registers.floor(BULK);
    const operation = writeData(BULK, bulkData(token), ({ version, mzxid }) => {
      registers.set({ path: BULK, version, token, mzxid }, floor);
    });
    const reply = await client.request(operation).catch(() => undefined);
    if (reply === undefined) history.unknown();
    else if (reply.code === Code.ok) history.wrote();
    else history.refused(token);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
