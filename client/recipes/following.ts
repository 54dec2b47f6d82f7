/**
 * Follows what is below a path: reads it, and reads it again whenever something there has changed. What is given is always a whole
 * reading, so streams that tell less than every change will do.
 */
import { errorOfEnd } from "../failures.ts";
import type { Client } from "../client.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { mayBeAgain, pause } from "./again.ts";

/** How long a read that failed waits before it is tried again, in milliseconds. */
const AGAIN_MS = 500;

export type Followed<T> = {
  readonly path: string;
  /** True: changes below the path count, too. */
  readonly recursive: boolean;
  /** Reads all of it. `zxid` is that of its first read; `changes`: what has changed since the last call, undefined if that is not known. */
  readonly read: (
    changes: readonly Change[] | undefined,
  ) => Promise<{ readonly value: T; readonly zxid: Zxid }>;
  readonly next: (value: T) => void;
  /** Nothing follows: the session is over, or the ensemble refuses the reads. */
  readonly failed: (error: unknown) => void;
};

/** Returns a function that ends it; nothing is told after it. */
export function follow<T>(client: Client, followed: Followed<T>): () => void {
  const following = new Following(client, followed);
  void following.run();
  return () => following.stop();
}

class Following<T> {
  readonly #client: Client;
  readonly #followed: Followed<T>;
  readonly #stopped = new AbortController();
  /** Undefined: anything may have changed. */
  #changes: Change[] | undefined;
  #unsubscribe: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #isAwake = false;

  constructor(client: Client, followed: Followed<T>) {
    this.#client = client;
    this.#followed = followed;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopped;
    this.#client.signal.addEventListener("abort", this.#over, { signal });
    while (!signal.aborted) {
      try {
        await this.#read();
      } catch (error) {
        if (signal.aborted) return;
        this.#changes = undefined;
        if (this.#client.signal.aborted || !mayBeAgain(error)) this.#fail(error);
        else await pause(this.#client.wire.clock, AGAIN_MS, signal);
        continue;
      }
      await this.#changed();
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#unsubscribe?.();
    this.#wake?.();
  }

  async #read(): Promise<void> {
    const changes = this.#changes;
    this.#changes = [];
    this.#isAwake = false;
    const { value, zxid } = await this.#followed.read(changes);
    if (this.#stopped.signal.aborted) return;
    this.#unsubscribe ??= this.#subscribe(zxid);
    this.#followed.next(value);
  }

  #subscribe(after: Zxid): () => void {
    const { path, recursive } = this.#followed;
    return this.#client.wire.subscribe(
      { path, recursive, after },
      {
        portion: (changes, _through, taken) => {
          this.#changes?.push(...changes);
          taken();
          if (changes.length > 0) this.#look();
        },
        ended: (end) => {
          this.#unsubscribe = undefined;
          this.#changes = undefined;
          const error = errorOfEnd(end);
          if (error === undefined) this.#look();
          else this.#fail(error);
        },
      },
    );
  }

  /** Resolves when there is something to look at. */
  async #changed(): Promise<void> {
    if (this.#isAwake || this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #look(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  readonly #over = (): void => this.#fail(this.#client.signal.reason);

  #fail(error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    this.stop();
    this.#followed.failed(error);
  }
}
