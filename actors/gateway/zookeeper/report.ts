/** The gateway tells the admin actor its metrics, with a line for each client. */
import { REPORTED_CLIENTS_MAX } from "../../../protocol/limits.ts";
import { tell } from "../../inboxes.ts";
import { REPORT_INTERVAL_MS, reportOf } from "../metrics.ts";
import type { Connection, ZooKeeperGatewayEffect, State, Turn } from "./state.ts";

/** The admin actor may have been started again, and knows only what it is told: a report is repeated after this many milliseconds. */
const REPORT_AGAIN_MS = 5000;

/** Reports if anything changed since the last report, or if that was long ago, then waits for the next time. */
export function reportInTurn(turn: Turn): void {
  const { state, nowMs } = turn;
  const now = reportOf(state, []);
  const before = state.reported;
  const changed =
    before === undefined ||
    nowMs - state.reportedMs >= REPORT_AGAIN_MS ||
    before.connections !== now.connections ||
    before.refused !== now.refused ||
    before.received !== now.received ||
    before.sent !== now.sent ||
    before.outstanding !== now.outstanding;
  if (changed) reportNow(turn);
  turn.effects.push(reportTimer());
}

export function reportTimer(): ZooKeeperGatewayEffect {
  return { kind: "startTimer", timer: "report", afterMs: REPORT_INTERVAL_MS };
}

export function reportNow({ state, effects, nowMs }: Turn): void {
  const report = reportOf(state, clientLines(state));
  state.reported = report;
  state.reportedMs = nowMs;
  effects.push(tell(`tree/${state.lane}`, { kind: "reportMetrics" }));
  effects.push(tell("admin", report));
}

/** Returns lines as `stat` prints them; the number in brackets says whether the server reads the connection. */
function clientLines(state: State): string[] {
  const lines: string[] = [];
  for (const connection of state.connections.values()) {
    if (lines.length === REPORTED_CLIENTS_MAX) break;
    lines.push(`${clientLine(connection)})`);
  }
  return lines;
}

/** The line without the bracket that ends it. */
export function clientLine(connection: Connection): string {
  const { remoteAddress, queue, received, sent } = connection;
  const reads = isRead(connection) ? 1 : 0;
  return ` /${remoteAddress}[${reads}](queued=${queue.length},recved=${received},sent=${sent}`;
}

export function isRead({ phase, paused }: Connection): boolean {
  return phase.kind !== "word" && phase.kind !== "ended" && !paused;
}
