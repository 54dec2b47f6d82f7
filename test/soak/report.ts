/** What a soak says while it runs and when it is over. */
import { FAULT_KINDS } from "./fault-plan.ts";
import type { History } from "./history.ts";
import type { NativeLoad } from "./native-load.ts";
import type { ServerWords } from "./server-words.ts";

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
  readonly native: NativeLoad | undefined;
  /** The resident memory of the largest node at any time. */
  readonly residentBytesMax: number;
  /** The digest of every node's tree at the end. */
  readonly digests: ReadonlyMap<string, string>;
  readonly words: ServerWords;
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
  const { history, native, words } = report;
  const { counts, faults, violations } = history;
  const gaps = faults.gaps();
  // Deaths that nobody asked for and stalls of this machine are in the log too, to excuse what they delay.
  const injected = [...faults.counts()].filter(([kind]) => isFaultKind(kind));
  const others = [...faults.counts()].filter(([kind]) => !isFaultKind(kind));
  return [
    "",
    `soak with seed ${report.seed}: ${report.nodes} nodes, ${Math.round(report.elapsedMs / 1000)} s`,
    ...report.notes,
    "",
    `faults: ${injected.reduce((total, [, count]) => total + count, 0)}`,
    ...rows(injected),
    ...(others.length === 0 ? [] : ["", "besides", ...rows(others)]),
    "",
    "clients",
    ...rows([
      ["writes acknowledged", counts.writes],
      ["writes refused", counts.refused],
      ["writes without an answer", counts.unknown],
      ["reads", counts.reads],
      ["watch events", counts.events],
      ["changes streamed", native?.stream.count ?? 0],
      ["streams from the past", counts.lateStreams],
      ["streams told compacted", counts.compacted + (native?.stream.compactions ?? 0)],
      ["answers held against history", native?.truth.compared ?? 0],
      ["sessions", counts.sessions],
      ["sessions left to expire", counts.silenced],
      ["sessions lost by faults", counts.expired],
      ["connections lost", counts.losses],
      ["connections moved", counts.moves],
    ]),
    ...(native?.truth.isOver === true ? ["  the rest came after a gap in the history"] : []),
    "",
    "nodes",
    ...rows(words),
    ...rows([
      ["wrong starts refused", history.intruders.refusals],
      ["processes kept out", history.intruders.keptOutside],
    ]),
    ...rows([["MiB of memory, at most", Math.round(report.residentBytesMax / 2 ** 20)]]),
    ...rows([...report.digests].map(([name, digest]) => [`digest of ${name}`, digest])),
    "",
    `longest pause of acknowledged writes: ${Math.round(gaps[0]?.gapMs ?? 0)} ms; by the faults at that time`,
    ...gaps.slice(0, GAPS_SHOWN).map(({ during, gapMs }) => {
      return `  ${String(Math.round(gapMs)).padStart(6)} ms  ${during}`;
    }),
    "",
    ...violationLines(violations.counts),
    ...violations.kept.map(({ rule, text }) => `  ${rule}: ${text}`),
  ].join("\n");
}

function isFaultKind(kind: string): boolean {
  return FAULT_KINDS.some((each) => each === kind);
}

function rows(of: Iterable<readonly [string, number | string]>): readonly string[] {
  const all = [...of];
  return all.length === 0
    ? ["  none"]
    : all.map(([name, value]) => `  ${name.padEnd(30)} ${value}`);
}

function violationLines(counts: ReadonlyMap<string, number>): readonly string[] {
  if (counts.size === 0) return ["no violations"];
  const each = [...counts].map(([rule, count]) => `${count} ${rule}`);
  return [`VIOLATIONS: ${each.join(", ")}`];
}
