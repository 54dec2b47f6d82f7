/** Formats what a look found as text for people. */
import type { FolderIdentity } from "../../actors/log/format/files.ts";
import { votersText } from "../../protocol/configuration.ts";
import { EPOCH_NONE, formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { timeText } from "../../server/offline/time-text.ts";
import type { Look, SegmentFacts, SnapshotFacts } from "./findings.ts";

export function lookText(path: string, look: Look, pid: number | undefined): readonly string[] {
  return [
    ...headLines(path, look, pid),
    "",
    ...logLines(look),
    "",
    ...snapshotLines(look.snapshots),
    ...(look.others.length === 0 ? [] : ["", ...otherLines(look)]),
    "",
  ];
}

function headLines(path: string, look: Look, pid: number | undefined): readonly string[] {
  const { identity, incarnation, promise, voteLoss } = look;
  const rows = [
    ["folder", path],
    [
      "node",
      identity === undefined
        ? "unknown"
        : `${identity.server} of ensemble ${identity.ensemble}, format version ${identity.version}`,
    ],
    ...(identity?.own === undefined ? [] : ownRows(identity.own)),
    ["started", incarnation === undefined ? "unknown" : `incarnation ${incarnation}`],
    [
      "promise",
      promise === undefined || promise.epoch === EPOCH_NONE
        ? "none"
        : `epoch ${promise.epoch}, to node ${promise.candidate}`,
    ],
    [
      "vote",
      voteLoss === undefined ? "yes" : `no: ${voteLoss.reason}, since epoch ${voteLoss.epoch}`,
    ],
    [
      "in use",
      pid === undefined
        ? "no"
        : `by process ${pid}, which goes on writing: this is what was there a moment ago`,
    ],
  ];
  return table(rows);
}

function ownRows({ identity, members, configuration }: FolderIdentity): readonly string[][] {
  return [
    ["folder's identity", identity],
    ["members", members.join(", ")],
    [
      "belongs to",
      configuration === undefined
        ? "no ensemble yet"
        : `ensemble ${configuration.ensembleId}, configuration ${configuration.version}: ${votersText(configuration)}`,
    ],
  ];
}

function logLines({ segments, baseZxid, lastZxid }: Look): readonly string[] {
  if (segments.length === 0) return [`log: empty, after zxid ${formatZxid(baseZxid)}`];
  const total = (of: (segment: SegmentFacts) => number): number =>
    segments.reduce((sum, segment) => sum + of(segment), 0);
  const [records, batches, operations] = [
    total((segment) => segment.records),
    total((segment) => segment.batches),
    total((segment) => segment.operations),
  ];
  const title = `log: ${records} records (${batches} batches, ${operations} operations), after zxid ${formatZxid(baseZxid)} to ${formatZxid(lastZxid)}`;
  const head = [
    "segment",
    "size",
    "free",
    "records",
    "batches",
    "operations",
    "first zxid",
    "last zxid",
    "from",
    "to",
  ];
  const rows = segments.map((segment) => [
    segment.file,
    sizeText(segment.size),
    sizeText(segment.freeBytes),
    String(segment.records),
    String(segment.batches),
    String(segment.operations),
    zxidText(segment.firstZxid),
    zxidText(segment.lastZxid),
    optionalTime(segment.firstTimeMs),
    optionalTime(segment.lastTimeMs),
  ]);
  return [title, ...table([head, ...rows], "  ")];
}

function snapshotLines(snapshots: readonly SnapshotFacts[]): readonly string[] {
  if (snapshots.length === 0) return ["snapshots: none"];
  const head = [
    "snapshot",
    "size",
    "zxid",
    "chunks",
    "znodes",
    "sessions",
    "submitters",
    "configuration",
    "as of",
    "",
  ];
  const rows = snapshots.map((snapshot) => [
    snapshot.file,
    sizeText(snapshot.size),
    formatZxid(snapshot.zxid),
    String(snapshot.chunks),
    String(snapshot.znodes),
    String(snapshot.sessions),
    String(snapshot.submitters),
    String(snapshot.configuration?.version ?? "none"),
    optionalTime(snapshot.timeMs),
    snapshot.valid ? "valid" : "DAMAGED",
  ]);
  return ["snapshots:", ...table([head, ...rows], "  ")];
}

function otherLines({ others }: Look): readonly string[] {
  const rows = others.map(({ file, size, what }) => [file, sizeText(size), what]);
  return ["other files:", ...table(rows, "  ")];
}

/** Aligns the columns, with two spaces between them. */
function table(rows: readonly (readonly string[])[], indent = ""): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}

function zxidText(zxid: Zxid | undefined): string {
  return zxid === undefined ? "-" : formatZxid(zxid);
}

function optionalTime(timeMs: number | undefined): string {
  return timeMs === undefined ? "-" : timeText(timeMs);
}

const UNIT = 1024;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Formats a size: `640 B`, `1.5 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= UNIT && unit < UNITS.length - 1) {
    value /= UNIT;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** How far a read has come. */
export function readingText(doneBytes: number, allBytes: number): string {
  const percent = allBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / allBytes) * 100));
  return `reading ${sizeText(allBytes)}: ${percent} %`;
}
