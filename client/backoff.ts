/**
 * How long a client waits before it connects again. A single lost connection is replaced at once, since nodes die. If connections are
 * lost again and again soon after they were opened, the cause is probably the client itself, and each attempt costs every node a
 * record: so the wait doubles each time, with jitter, so that many clients do not come back at the same moment.
 */

/** A connection that lasted this long counts as good: its loss begins a new row of failures. */
const STABLE_MS = 10_000;
const FIRST_MS = 100;
/** The longest wait. It is also at most a third of the session's timeout, so that the session does not expire meanwhile. */
const MOST_MS = 5_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` returns a number from 0 to below 1, as `Math.random` does. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** How many connections in a row were lost, each sooner than `STABLE_MS` after it was opened. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes that a connection was lost after `openMs`. Returns how many milliseconds to wait before the next attempt. */
  lost(openMs: number, sessionTimeoutMs: number): number {
    this.#failures = openMs >= STABLE_MS ? 1 : this.#failures + 1;
    if (this.#failures === 1) return 0;
    const mostMs = Math.min(MOST_MS, sessionTimeoutMs / 3);
    const meanMs = FIRST_MS * 2 ** Math.min(this.#failures - 2, 16);
    return Math.min(mostMs, meanMs * (0.5 + this.#random()));
  }
}
