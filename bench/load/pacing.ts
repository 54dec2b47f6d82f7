/**
 * When the requests of a connection are due. In a closed loop a request is due as soon as the window has space for it. In an open loop
 * each has a time of its own, whatever the servers do, and its latency counts from that time: a server that stops for a second is
 * charged for every request that was due in it (no coordinated omission).
 */
export type Pacing = { readonly startMs: number; readonly everyMs: number };

/** The pacing of one of several connections that together send at a rate. Their requests alternate. */
export function pacingOf(
  startMs: number,
  ratePerSecond: number,
  { connection, connections }: { readonly connection: number; readonly connections: number },
): Pacing {
  const everyMs = (1000 * connections) / ratePerSecond;
  return { startMs: startMs + (everyMs * connection) / connections, everyMs };
}

/** Returns how many requests are due at a time. */
export function dueAt(pacing: Pacing, nowMs: number): number {
  if (nowMs < pacing.startMs) return 0;
  return Math.floor((nowMs - pacing.startMs) / pacing.everyMs) + 1;
}

/** Returns when the request of this number (from 0) is due. */
export function dueMs(pacing: Pacing, number: number): number {
  return pacing.startMs + number * pacing.everyMs;
}
