/** The session with which the API reads and writes znodes: one for all requests, made when one needs it. */
import type { OwnClient } from "../../embedded/own-client.ts";

export class ApiSession {
  readonly #connect: () => Promise<OwnClient>;
  #opened: Promise<OwnClient> | undefined;
  #isClosed = false;

  constructor(connect: () => Promise<OwnClient>) {
    this.#connect = connect;
  }

  /** Rejects with an error of the client while the node serves nobody; the next request tries again. */
  async client(): Promise<OwnClient> {
    const current = await this.#opened?.catch(() => undefined);
    if (current !== undefined && !current.signal.aborted) return current;
    const opened = this.#connect();
    this.#opened = opened;
    const client = await opened;
    if (this.#isClosed) await client.close();
    return client;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#opened?.catch(() => undefined);
    await client?.close();
  }
}
