/**
 * How long a client waits before it connects again. One connection that is lost is replaced at once: nodes die. If connections
 * are lost again and again soon after they were opened, something is wrong with what the client asks or with who it is, and
 * each attempt costs every node a record: the waits double, with chance in them so that many clients do not come together.
 */

/** A connection that lasted so long was a good one. */
const STABLE_MS = 10_000;
const FIRST_MS = 100;
/** Also at most a third of the session's timeout, so that the session lives on. */
const MOST_MS = 5_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` as Math.random. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Connections lost in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** A connection that had lasted for `openMs` is lost. Returns the wait in milliseconds. */
  lost(openMs: number, sessionTimeoutMs: number): number {
    this.#failures = openMs >= STABLE_MS ? 1 : this.#failures + 1;
    if (this.#failures === 1) return 0;
    const mostMs = Math.min(MOST_MS, sessionTimeoutMs / 3);
    const meanMs = FIRST_MS * 2 ** Math.min(this.#failures - 2, 16);
    return Math.min(mostMs, meanMs * (0.5 + this.#random()));
  }
}
