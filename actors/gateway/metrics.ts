/** A gateway counts these for the admin actor. */
import type { GatewayReport } from "../admin/messages.ts";
import { countLatency } from "./latencies.ts";
import { countLatencyOf, type LatencyMap } from "./latency-map.ts";
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
  /** How many took how long lately, always. */
  readonly map: LatencyMap;
};

export function newMetrics(): Metrics {
  const times = { answered: 0, totalMs: 0, minMs: 0, maxMs: 0, latencies: undefined };
  return { refused: 0, received: 0, sent: 0, ...times, map: [] };
}

/** Begins again with all counts but that of clients that were turned away, and those that are told by the window. */
export function resetMetrics(metrics: Metrics): void {
  const { refused, latencies, map } = metrics;
  Object.assign(metrics, newMetrics(), { refused, latencies, map });
}

export function countAnswered(
  metrics: Metrics,
  { request, startedMs }: Pick<Entry<Queueable>, "request" | "startedMs">,
  nowMs: number,
): void {
  const tookMs = nowMs - startedMs;
  metrics.minMs = metrics.answered === 0 || tookMs < metrics.minMs ? tookMs : metrics.minMs;
  metrics.maxMs = tookMs > metrics.maxMs ? tookMs : metrics.maxMs;
  metrics.answered += 1;
  metrics.totalMs += tookMs;
  if (metrics.latencies !== undefined) countLatency(metrics.latencies, tookMs);
  countLatencyOf(metrics.map, request, { startedMs, nowMs });
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
  const { refused, received, sent, answered, totalMs, minMs: min, maxMs: max } = metrics;
  return {
    kind: "gatewayReport",
    gateway,
    connections: connections.size,
    refused,
    received,
    sent,
    outstanding: outstandingOf(connections),
    latencyMs: { min, average: answered === 0 ? 0 : totalMs / answered, max },
    clients,
  };
}
