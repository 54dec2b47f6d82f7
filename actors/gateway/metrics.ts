/** A gateway counts these for the admin actor. */
import type { GatewayReport } from "../admin/messages.ts";
import { countLatency } from "./latencies.ts";
import { countLatencyOf, type LatencyMap } from "./latency-map.ts";
import { countPrefixOf, newPrefixMap, type PrefixMap, prefixWeight } from "./prefix-latencies.ts";
import type { Entry, Queueable } from "./request-queue.ts";
import type { GatewayConnection, GatewayState } from "./gateway-state.ts";

/** A gateway reports once in this many milliseconds. */
export const REPORT_INTERVAL_MS = 1000;

export type Metrics = {
  /** Clients that were turned away before they had a connection. */
  refused: number;
  received: number;
  sent: number;
  /** The number of requests that were answered; below, how long they took. */
  answered: number;
  totalMs: number;
  minMs: number;
  maxMs: number;
  /** How many took how long, while somebody asks (`busy.ts`). */
  latencies: Float64Array | undefined;
  /** How many took how long lately, always: by kind, and by path. */
  readonly map: LatencyMap;
  readonly prefixes: PrefixMap;
  /** Reads and writes that took `slowMs` or longer. */
  slow: number;
  readonly slowMs: number;
  /** How long the turn of the loop that began at that time was held up. Undefined: none was since long ago. */
  heldUp: { readonly turnMs: number; readonly ms: number } | undefined;
};

/** `slowMs`: how long a slow request takes. Default: none is slow. */
export function newMetrics(slowMs: number = Number.POSITIVE_INFINITY): Metrics {
  const times = { answered: 0, totalMs: 0, minMs: 0, maxMs: 0, latencies: undefined };
  const lately = { map: [], prefixes: newPrefixMap() };
  const slow = { slow: 0, slowMs, heldUp: undefined };
  return { refused: 0, received: 0, sent: 0, ...times, ...lately, ...slow };
}

/** In the turn of the loop that has begun at this time. */
export function noteHeldUp(metrics: Metrics, ms: number, turnMs: number): void {
  const { heldUp } = metrics;
  const before = heldUp?.turnMs === turnMs ? heldUp.ms : 0;
  metrics.heldUp = { turnMs, ms: before + ms };
}

/** When an answer leaves in the turn of the loop that has begun at this time, as far as is known. */
export function answeredAtMs(metrics: Metrics, turnMs: number): number {
  const { heldUp } = metrics;
  if (heldUp === undefined) return turnMs;
  if (heldUp.turnMs === turnMs) return turnMs + heldUp.ms;
  metrics.heldUp = undefined;
  return turnMs;
}

/** Begins again with all counts but those of slow requests, of clients that were turned away, and those that are told by the window. */
export function resetMetrics(metrics: Metrics): void {
  const { refused, slow, latencies, map, prefixes, heldUp } = metrics;
  const kept = { refused, slow, latencies, map, prefixes, heldUp };
  Object.assign(metrics, newMetrics(metrics.slowMs), kept);
}

/** In the turn of the loop that has begun at `turnMs`. Returns whether it was a slow request. */
export function countAnswered(
  metrics: Metrics,
  { request, startedMs }: Pick<Entry<Queueable>, "request" | "startedMs">,
  turnMs: number,
): boolean {
  const nowMs = answeredAtMs(metrics, turnMs);
  const tookMs = nowMs - startedMs;
  metrics.minMs = metrics.answered === 0 || tookMs < metrics.minMs ? tookMs : metrics.minMs;
  metrics.maxMs = tookMs > metrics.maxMs ? tookMs : metrics.maxMs;
  metrics.answered += 1;
  metrics.totalMs += tookMs;
  if (metrics.latencies !== undefined) countLatency(metrics.latencies, tookMs);
  if (request.kind !== "read" && request.kind !== "write") return false;
  const isSlow = tookMs >= metrics.slowMs;
  countLatencyOf(metrics.map, request, { startedMs, nowMs });
  const weight = isSlow ? 1 : prefixWeight(metrics.prefixes, nowMs);
  if (weight > 0) countPrefixOf(metrics.prefixes, request, { startedMs, nowMs, weight });
  if (isSlow) metrics.slow += 1;
  return isSlow;
}

/** How many requests wait or are under way. */
export function outstandingOf(
  connections: ReadonlyMap<number, { readonly queue: { readonly length: number } }>,
): number {
  let outstanding = 0;
  for (const { queue } of connections.values()) outstanding += queue.length;
  return outstanding;
}

export function reportOf<Connection extends GatewayConnection>(
  { name: gateway, connections, metrics }: GatewayState<Connection>,
  clients: readonly string[],
): GatewayReport {
  const { refused, received, sent, answered, totalMs, minMs: min, maxMs: max, slow } = metrics;
  return {
    kind: "gatewayReport",
    gateway,
    connections: connections.size,
    refused,
    received,
    sent,
    outstanding: outstandingOf(connections),
    latencyMs: { min, average: answered === 0 ? 0 : totalMs / answered, max },
    slow,
    clients,
  };
}
