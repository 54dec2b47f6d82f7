/** What a soak says while it runs and when it is over. */
import type { ChangeStream } from "./change-stream.ts";
import type { History } from "./history.ts";

export type Progress = {
  readonly history: History;
  readonly elapsedMs: number;
  /** Writes acknowledged, since the last progress. */
  readonly perSecond: number;
};

export type Report = {
  readonly seed: number;
  readonly nodes: number;
  readonly elapsedMs: number;
  readonly history: History;
  readonly stream: ChangeStream | undefined;
  /** Of the largest node at any time. */
  readonly residentBytesMax: number;
  readonly notes: readonly string[];
};

const GAPS_SHOWN = 25;

export function progressLine({ history, elapsedMs, perSecond }: Progress): string {
  const { counts, faults, violations } = history;
  const active = faults.active().map(({ kind }) => kind);
  return [
    `${Math.round(elapsedMs / 1000)} s`,
    `${counts.writes} writes (${Math.round(perSecond)}/s)`,
    `${counts.reads} reads`,
    `${faults.windows.length} faults`,
    `now: ${active.length === 0 ? "none" : active.join(" + ")}`,
    `${violations.total} violations`,
  ].join(" · ");
}

export function reportText(report: Report): string {
  const { history, stream } = report;
  const { counts, faults, violations } = history;
  const kinds = [...faults.counts()].map(([kind, count]) => `  ${kind.padEnd(22)} ${count}`);
  const gaps = faults.gaps().slice(0, GAPS_SHOWN);
  return [
    "",
    `soak with seed ${report.seed}: ${report.nodes} nodes, ${Math.round(report.elapsedMs / 1000)} s`,
    ...report.notes,
    "",
    "faults",
    ...(kinds.length === 0 ? ["  none"] : kinds),
    "",
    `writes acknowledged      ${counts.writes}`,
    `reads                    ${counts.reads}`,
    `watch events             ${counts.events}`,
    `changes streamed         ${stream?.count ?? 0} (${stream?.compactions ?? 0} times compacted)`,
    `sessions                 ${counts.sessions} (${counts.expired} expired)`,
    `connections lost, moved  ${counts.losses}, ${counts.moves}`,
    `memory of a node at most ${Math.round(report.residentBytesMax / 2 ** 20)} MiB`,
    "",
    "longest time without an acknowledged write, by the faults at that time",
    ...gaps.map(({ during, gapMs }) => `  ${String(Math.round(gapMs)).padStart(6)} ms  ${during}`),
    "",
    ...violationLines(violations.counts),
    ...violations.kept.map(({ rule, text }) => `  ${rule}: ${text}`),
  ].join("\n");
}

function violationLines(counts: ReadonlyMap<string, number>): readonly string[] {
  if (counts.size === 0) return ["no violations"];
  const each = [...counts].map(([rule, count]) => `${count} ${rule}`);
  return [`VIOLATIONS: ${each.join(", ")}`];
}
