/** Subscribers to changes below a znode, whatever protocol they speak. */

export type Audience = AsyncDisposable & {
  /** Resolves when every subscriber will receive what is written from now on. */
  readonly open: () => Promise<void>;
};

/** Counts what subscribers have received. */
export class Received {
  readonly counts: Float64Array;
  #failure: Error | undefined;

  constructor(subscribers: number) {
    this.counts = new Float64Array(subscribers);
  }

  add(subscriber: number, events: number): void {
    this.counts[subscriber] = (this.counts[subscriber] ?? 0) + events;
  }

  /** The reason why the rest will never come. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  get least(): number {
    if (this.#failure !== undefined) throw this.#failure;
    let least = Number.POSITIVE_INFINITY;
    for (const count of this.counts) least = Math.min(least, count);
    return least;
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }
}

/** Thrown by an audience whose servers do not know what it asks for. */
export class NotOfferedError extends Error {
  override readonly name = "NotOfferedError";
}

/** How many connections the subscribers of a library share: one each, up to this number. */
export const LIBRARY_CONNECTIONS_MAX = 100;
