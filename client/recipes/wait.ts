/** How long somebody waits for a right: until the time is over, the caller gives up, or the session has ended. */
import { AbortedError } from "../../protocol/errors.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Client } from "../client.ts";
import type { StreamEnd } from "../session/messages.ts";
import type { Clock, Wish } from "../wire.ts";
import { pause, type Trier } from "./again.ts";
import { NotAcquiredError } from "./errors.ts";

/** How long a recipe waits for what others have. */
export type WaitOptions = {
  /** Milliseconds after which NotAcquiredError says that others held it. 0: it is tried once. Default: for ever. */
  readonly waitMs?: number | undefined;
  /** When it aborts, the call is rejected with AbortedError, and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
};

/** A stream that ended is opened again after this time, in milliseconds. */
const REOPEN_MS = 200;

export class Wait implements Trier, Disposable {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Nothing is waited for but answers. */
  readonly isOnce: boolean;
  readonly #client: Client;
  readonly #path: string;
  readonly #options: WaitOptions;
  readonly #ends = new AbortController();
  readonly #stops: (() => void)[] = [];
  #isLate = false;

  /** `path` is what is waited for, in errors. */
  constructor(client: Client, path: string, options: WaitOptions) {
    const { waitMs, signal } = options;
    this.clock = client.wire.clock;
    this.signal = this.#ends.signal;
    this.isOnce = waitMs === 0;
    this.#client = client;
    this.#path = path;
    this.#options = options;
    for (const each of signal === undefined ? [client.signal] : [client.signal, signal]) {
      const end = (): void => this.#ends.abort(each.reason);
      if (each.aborted) end();
      each.addEventListener("abort", end, { once: true });
      this.#stops.push(() => each.removeEventListener("abort", end));
    }
    if (waitMs !== undefined && !this.isOnce) {
      this.#stops.push(this.clock.after(waitMs, () => this.#late()));
    }
  }

  /** What the caller hears when waiting has ended with the error. */
  failure(error: unknown): unknown {
    const { waitMs = 0, signal } = this.#options;
    if (this.#isLate) return new NotAcquiredError(this.#path, waitMs);
    if (signal?.aborted === true) {
      return error instanceof AbortedError ? error : new AbortedError({ cause: signal.reason });
    }
    return this.#client.signal.aborted ? this.#client.signal.reason : error;
  }

  /** Resolves when there was such a change, or may have been. */
  async untilChange(wish: Wish, isIt: (change: Change) => boolean): Promise<void> {
    if (this.isOnce) this.#late();
    const end = await this.#endBefore(wish, isIt);
    // Where a stream cannot be opened, it would be tried without rest.
    if (end !== undefined && end.kind !== "compacted") {
      await pause(this.clock, REOPEN_MS, this.signal);
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }

  #late(): void {
    this.#isLate = !this.signal.aborted;
    this.#ends.abort();
  }

  /** Resolves with the end of the stream if it ended first. Rejects when waiting ends. */
  #endBefore(wish: Wish, isIt: (change: Change) => boolean): Promise<StreamEnd | undefined> {
    const { signal } = this;
    const { promise, resolve, reject } = Promise.withResolvers<StreamEnd | undefined>();
    const aborted = (): void => reject(new AbortedError({ cause: signal.reason }));
    if (signal.aborted) {
      aborted();
      return promise;
    }
    signal.addEventListener("abort", aborted, { once: true });
    const leave = this.#client.wire.subscribe(wish, {
      portion: (changes, _through, taken) => {
        taken();
        if (changes.some((change) => isIt(change))) resolve(undefined);
      },
      ended: resolve,
    });
    return promise.finally(() => {
      signal.removeEventListener("abort", aborted);
      leave();
    });
  }
}
