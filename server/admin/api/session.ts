/** The session with which the API reads and writes znodes: one for all requests, made when one needs it. */
import type { OwnClient } from "../../embedded/own-client.ts";
import { NodeStoppedError } from "../../errors.ts";

export class ApiSession {
  readonly #connect: (signal: AbortSignal) => Promise<OwnClient>;
  /** The attempt that is under way, which all requests share that come meanwhile. */
  #opening: Promise<OwnClient> | undefined;
  #client: OwnClient | undefined;
  readonly #over = new AbortController();

  /** `connect` gives up, and rejects, when its signal aborts. */
  constructor(connect: (signal: AbortSignal) => Promise<OwnClient>) {
    this.#connect = connect;
  }

  /** Rejects with an error of the client while the node serves nobody; the next request tries again. */
  client(): Promise<OwnClient> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Never rejects. It may be called again. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#opening?.catch(() => undefined);
    // One that cannot be ended ends after its timeout.
    await this.#client?.close().catch(() => undefined);
  }

  async #open(): Promise<OwnClient> {
    const { signal } = this.#over;
    if (signal.aborted) throw new NodeStoppedError("the node is about to stop");
    if (this.#client?.signal.aborted === false) return this.#client;
    this.#client = await this.#connect(signal);
    return this.#client;
  }
}
