/** The answer to `heat`: how long requests took lately, of all gateways of the node together. */
import type { ServerId } from "../../../protocol/ids.ts";
import {
  LATENCY_COLUMN_MS,
  LATENCY_COLUMNS,
  LATENCY_PREFIXES_MAX,
} from "../../../protocol/limits.ts";
import { addCounts, listedPrefixes, type PrefixCounts } from "../../path-prefixes.ts";
import type { Part } from "../messages.ts";
import {
  type HeatAnswer,
  LATENCY_BUCKETS,
  LATENCY_KINDS,
  type LatencyCell,
  type PrefixLatencies,
} from "./messages.ts";

/** The longest time of each bucket, in milliseconds. */
const UP_TO_MS: readonly number[] = Array.from(
  { length: LATENCY_BUCKETS },
  (_, bucket) => Math.round(2 ** (bucket / 2) * 62.5) / 1000,
);

export function heatOf(node: ServerId, parts: readonly Part[]): HeatAnswer {
  const counts = new Map<string, LatencyCell>();
  for (const [column, kind, bucket, count] of parts.flatMap(({ latencies }) => latencies ?? [])) {
    const key = `${column} ${kind} ${bucket}`;
    const before = counts.get(key)?.[3] ?? 0;
    counts.set(key, [column, kind, bucket, before + count]);
  }
  return {
    ...{ node, columnMs: LATENCY_COLUMN_MS, columns: LATENCY_COLUMNS },
    ...{ kinds: LATENCY_KINDS, upToMs: UP_TO_MS, cells: [...counts.values()] },
    prefixes: together(parts.flatMap(({ prefixes }) => prefixes ?? [])),
  };
}

/** What comes seldom at all gateways is counted with what is above it here too. */
function together(prefixes: readonly PrefixLatencies[]): readonly PrefixLatencies[] {
  const all: PrefixCounts = new Map();
  for (const { prefix, counts } of prefixes) addCounts(all, prefix, counts, LATENCY_BUCKETS);
  return listedPrefixes(all, LATENCY_PREFIXES_MAX);
}

export function heatText(node: ServerId, parts: readonly Part[]): string {
  return `${JSON.stringify(heatOf(node, parts))}\n`;
}
