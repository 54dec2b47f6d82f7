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

export type Backoff = {
  /** How many connections in a row were lost, each sooner than `STABLE_MS` after it was opened. */
  failures: number;
};

/**
 * Notes that a connection was lost after `openMs`. Returns how many milliseconds to wait before the next attempt. `random` returns a
 * number from 0 to below 1.
 */
export function waitAfterLoss(
  backoff: Backoff,
  of: {
    readonly openMs: number;
    readonly sessionTimeoutMs: number;
    readonly random: () => number;
  },
): number {
  backoff.failures = of.openMs >= STABLE_MS ? 1 : backoff.failures + 1;
  if (backoff.failures === 1) return 0;
  const mostMs = Math.min(MOST_MS, of.sessionTimeoutMs / 3);
  const meanMs = FIRST_MS * 2 ** Math.min(backoff.failures - 2, 16);
  return Math.min(mostMs, meanMs * (0.5 + of.random()));
}
