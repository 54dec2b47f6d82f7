/** The gateway's metrics, for the admin actor. */
import { REPORTED_CLIENTS_MAX } from "../../../protocol/limits.ts";
import type { GatewayReport } from "../../admin/messages.ts";
import { tell } from "../../inboxes.ts";
import type { ZooKeeperGatewayEffect, State, Turn } from "./state.ts";

const REPORT_INTERVAL_MS = 1000;

/** Reports if anything changed since the last report, then waits for the next time. */
export function reportInTurn(turn: Turn): void {
  const { state } = turn;
  const metrics = metricsOf(state);
  const before = state.reported;
  const changed =
    before === undefined ||
    before.connections !== metrics.connections ||
    before.refused !== metrics.refused ||
    before.received !== metrics.received ||
    before.sent !== metrics.sent ||
    before.outstanding !== metrics.outstanding;
  if (changed) reportNow(turn);
  turn.effects.push(reportTimer());
}

export function reportTimer(): ZooKeeperGatewayEffect {
  return { kind: "startTimer", timer: "report", afterMs: REPORT_INTERVAL_MS };
}

export function reportNow({ state, effects }: Turn): void {
  const metrics = metricsOf(state);
  state.reported = metrics;
  effects.push(tell(`tree/${state.lane}`, { kind: "reportMetrics" }));
  effects.push(tell("admin", { ...metrics, clients: clientLines(state) }));
}

function metricsOf(state: State): Omit<GatewayReport, "clients"> {
  const { latency } = state;
  let outstanding = 0;
  for (const { queue } of state.connections.values()) outstanding += queue.length;
  return {
    kind: "gatewayReport",
    gateway: state.name,
    connections: state.connections.size,
    refused: state.refused,
    received: state.received,
    sent: state.sent,
    outstanding,
    latencyMs: {
      min: latency.min,
      average: latency.count === 0 ? 0 : latency.total / latency.count,
      max: latency.max,
    },
  };
}

/** As `stat` prints them; the number in brackets tells whether the server reads the connection. */
function clientLines(state: State): string[] {
  const lines: string[] = [];
  for (const {
    remoteAddress,
    phase,
    paused,
    queue,
    received,
    sent,
  } of state.connections.values()) {
    if (lines.length === REPORTED_CLIENTS_MAX) break;
    const reads = phase.kind === "word" || phase.kind === "closing" || paused ? 0 : 1;
    const metrics = `queued=${queue.length},recved=${received},sent=${sent}`;
    lines.push(` /${remoteAddress}[${reads}](${metrics})`);
  }
  return lines;
}
