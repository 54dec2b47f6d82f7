/** How many client connections the limit of open files allows: the log and the way to the other nodes must always find some. */
import type { ProcessReport } from "../actors/admin/messages.ts";

/** For files that are opened while a node runs: segments and snapshots, connections to NATS, a peer's snapshot, what Node itself opens. */
const RESERVE_FILES = 80;
/** With fewer connections than this the limit of open files is most likely not meant. */
const CONNECTIONS_FEW = 500;
/** A node that is told no limit, nor finds one. */
const CONNECTIONS_MAX = 100_000;

/** The most that there will ever be. */
export function connectionsMost(configured: number, report: ProcessReport | undefined): number {
  const most = configured > 0 ? configured : CONNECTIONS_MAX;
  return Math.min(most, report?.openFilesMax ?? most);
}

/** `connections`: as many of the open files are client connections. */
export function connectionsLeft(report: ProcessReport, connections: number): number {
  const others = report.openFiles - connections;
  return Math.max(0, report.openFilesMax - others - RESERVE_FILES);
}

/** For the log, when the limit is low; undefined when it is not, or when so few connections were asked for. */
export function openFilesWarning(
  configured: number,
  report: ProcessReport,
  connectionsMax: number,
):
  | { readonly openFilesMax: number; readonly connectionsMax: number; readonly hint: string }
  | undefined {
  const wanted = configured > 0 ? configured : CONNECTIONS_FEW;
  if (connectionsMax >= wanted) return undefined;
  const hint = "no more clients can connect; raise it with ulimit -n or LimitNOFILE";
  return { openFilesMax: report.openFilesMax, connectionsMax, hint };
}
