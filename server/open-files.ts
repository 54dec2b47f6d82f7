/** How many client connections the limit of open files allows: the log and the way to the other nodes must always find some. */
import type { ProcessReport } from "../actors/admin/messages.ts";

/** For files that are opened while a node runs: segments and snapshots, connections to NATS, a peer's snapshot, what Node itself opens. */
const RESERVE_FILES = 80;
/** A limit of open files that allows fewer connections than this was most likely not set on purpose. */
const CONNECTIONS_FEW = 500;
/** The limit of a node that is given none and finds none. */
const CONNECTIONS_MAX = 100_000;

/** The most connections that the node will ever allow, by its configuration and the limit of open files. */
export function connectionsMost(configured: number, report: ProcessReport | undefined): number {
  const most = configured > 0 ? configured : CONNECTIONS_MAX;
  return Math.min(most, report?.openFilesMax ?? most);
}

/** How many connections the open files allow in all, when `connections` of them are client connections now. */
export function connectionsLeft(report: ProcessReport, connections: number): number {
  const others = report.openFiles - connections;
  return Math.max(0, report.openFilesMax - others - RESERVE_FILES);
}

/** What is logged when the limit is low. Undefined: it is not, or so few connections were configured. */
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
