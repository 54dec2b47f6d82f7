/**
 * How long requests took by where they went: what a gateway keeps of the last ten minutes for the word `heat`, each minute by itself. Counting is
 * always on. The first answers of each second are all counted, and of further ones some, each for as many as it stands for; slow requests are counted
 * every one, so that a rare one is not missed.
 */
import {
  LATENCY_PREFIX_COLUMN_MS,
  LATENCY_PREFIX_COLUMNS,
  LATENCY_PREFIX_COUNTED,
  LATENCY_PREFIX_EVERY,
  LATENCY_PREFIX_LENGTH_MAX,
  LATENCY_PREFIXES_MAX,
} from "../../protocol/limits.ts";
import { LATENCY_BUCKETS, type PrefixLatencies } from "../admin/heat/messages.ts";
import {
  aboveOf,
  addCounts,
  countsOf,
  listedPrefixes,
  type PrefixCounts,
  prefixOf,
} from "../path-prefixes.ts";
import { BUCKETS_PER_POWER } from "./latency-map.ts";
import { bucketOf } from "./latencies.ts";
import { pathOf } from "./request-path.ts";
import type { Queueable } from "./request-queue.ts";
import { nextDistance, type Sampling } from "./sampling.ts";

const SECOND_MS = 1000;
const LIMITS = {
  prefixesMax: LATENCY_PREFIXES_MAX,
  lengthMax: LATENCY_PREFIX_LENGTH_MAX,
  kinds: LATENCY_BUCKETS,
} as const;

export type PrefixMap = Sampling & {
  /** Until when, by the gateway's clock, so many answers are still counted every one. */
  untilMs: number;
  left: number;
  /** How many further ones go by before one is counted. */
  distance: number;
  /** The oldest first. */
  readonly columns: { readonly number: number; readonly counts: PrefixCounts }[];
};

export function newPrefixMap(): PrefixMap {
  const sampling = { every: LATENCY_PREFIX_EVERY, seed: 1, distance: 1 };
  return { ...sampling, untilMs: Number.NEGATIVE_INFINITY, left: 0, columns: [] };
}

/** For how many answers one of this time counts that is not slow. 0: it is not looked at. */
export function prefixWeight(map: PrefixMap, nowMs: number): number {
  if (nowMs >= map.untilMs) {
    map.untilMs = nowMs + SECOND_MS;
    map.left = LATENCY_PREFIX_COUNTED;
  }
  if (map.left > 0) {
    map.left -= 1;
    return 1;
  }
  map.distance -= 1;
  if (map.distance > 0) return 0;
  map.distance = nextDistance(map);
  return map.every;
}

/** `weight`: for how many it counts. */
export function countPrefixOf(
  map: PrefixMap,
  request: Queueable,
  { startedMs, nowMs, weight }: Readonly<Record<"startedMs" | "nowMs" | "weight", number>>,
): void {
  const path = pathOfQueued(request);
  if (path === undefined) return;
  const column = columnAt(map, nowMs);
  const own = prefixOf(path, LIMITS);
  // One that stands for many says nothing of how often its own name comes, unless that has come before.
  const prefix = weight === 1 || column.has(own) ? own : aboveOf(own);
  const counts = countsOf(column, prefix, LIMITS);
  const bucket = bucketOf(nowMs - startedMs, BUCKETS_PER_POWER, LATENCY_BUCKETS);
  counts[bucket] = (counts[bucket] ?? 0) + weight;
}

function pathOfQueued(request: Queueable): string | undefined {
  if (request.kind === "read") return pathOf(request.read);
  return request.kind === "write" ? pathOf(request.operation) : undefined;
}

function columnAt({ columns }: PrefixMap, nowMs: number): PrefixCounts {
  const number = Math.floor(nowMs / LATENCY_PREFIX_COLUMN_MS);
  const last = columns.at(-1);
  if (last !== undefined && last.number >= number) return last.counts;
  const counts: PrefixCounts = new Map();
  columns.push({ number, counts });
  dropOld(columns, number);
  return counts;
}

function dropOld(columns: PrefixMap["columns"], number: number): void {
  while ((columns[0]?.number ?? number) <= number - LATENCY_PREFIX_COLUMNS) columns.shift();
}

/** All ten minutes together, the most frequent first. */
export function prefixLatencies(map: PrefixMap, nowMs: number): readonly PrefixLatencies[] {
  dropOld(map.columns, Math.floor(nowMs / LATENCY_PREFIX_COLUMN_MS));
  const all: PrefixCounts = new Map();
  for (const column of map.columns) {
    for (const [prefix, counts] of column.counts) {
      addCounts(all, prefix, counts.entries(), LATENCY_BUCKETS);
    }
  }
  return listedPrefixes(all, LATENCY_PREFIXES_MAX);
}
