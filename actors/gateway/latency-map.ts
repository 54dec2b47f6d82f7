/**
 * How long requests took, by kind of operation and by time: what a gateway keeps of the last ten minutes for the word `heat`. Counting is always
 * on, so that whoever comes to look sees what was before: a table of numbers for each ten seconds in which something was answered.
 */
import { LATENCY_COLUMN_MS, LATENCY_COLUMNS } from "../../protocol/limits.ts";
import { LATENCY_BUCKETS, LATENCY_KINDS, type LatencyCell } from "../admin/heat/messages.ts";
import { bucketOf } from "./latencies.ts";
import type { Queueable } from "./request-queue.ts";

export const BUCKETS_PER_POWER = 2;

/** The oldest first. */
export type LatencyMap = Column[];

type Column = {
  /** Which ten seconds of the gateway's clock. */
  readonly number: number;
  /** The buckets of the first kind, those of the second, and so on. */
  readonly counts: Uint32Array;
};

type LatencyKind = (typeof LATENCY_KINDS)[number];

const READS: Readonly<Record<string, LatencyKind>> = {
  getData: "get",
  exists: "exists",
  getChildren: "children",
  childrenPage: "children",
  childStats: "children",
  multiRead: "multi",
};
const WRITES: Readonly<Record<string, LatencyKind>> = {
  create: "create",
  setData: "set",
  delete: "delete",
  removeRecursive: "delete",
  multi: "multi",
  sync: "sync",
};
const NUMBERS: ReadonlyMap<LatencyKind, number> = new Map(
  LATENCY_KINDS.map((kind, number) => [kind, number]),
);

/** Undefined: no result is waited for, so it takes no time. */
function kindOf(request: Queueable): LatencyKind | undefined {
  if (request.kind === "read") return READS[request.read.kind] ?? "other";
  if (request.kind === "write") return WRITES[request.operation.kind] ?? "other";
  return undefined;
}

export function countLatencyOf(
  map: LatencyMap,
  request: Queueable,
  { startedMs, nowMs }: { readonly startedMs: number; readonly nowMs: number },
): void {
  const kind = kindOf(request);
  if (kind === undefined) return;
  const { counts } = columnAt(map, nowMs);
  const index =
    (NUMBERS.get(kind) ?? 0) * LATENCY_BUCKETS +
    bucketOf(nowMs - startedMs, BUCKETS_PER_POWER, LATENCY_BUCKETS);
  counts[index] = (counts[index] ?? 0) + 1;
}

function columnAt(map: LatencyMap, nowMs: number): Column {
  const number = Math.floor(nowMs / LATENCY_COLUMN_MS);
  const last = map.at(-1);
  if (last !== undefined && last.number >= number) return last;
  const column = { number, counts: new Uint32Array(LATENCY_KINDS.length * LATENCY_BUCKETS) };
  map.push(column);
  dropOld(map, number);
  return column;
}

function dropOld(map: LatencyMap, number: number): void {
  while ((map[0]?.number ?? number) <= number - LATENCY_COLUMNS) map.shift();
}

/** What is not zero. */
export function latencyCells(map: LatencyMap, nowMs: number): readonly LatencyCell[] {
  const now = Math.floor(nowMs / LATENCY_COLUMN_MS);
  dropOld(map, now);
  const cells: LatencyCell[] = [];
  for (const { number, counts } of map) {
    for (const [index, count] of counts.entries()) {
      if (count === 0) continue;
      const [kind, bucket] = [Math.floor(index / LATENCY_BUCKETS), index % LATENCY_BUCKETS];
      cells.push([now - number, kind, bucket, count]);
    }
  }
  return cells;
}
