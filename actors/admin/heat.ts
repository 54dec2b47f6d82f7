/** The answer to `heat`: how long requests took lately, of all gateways of the node together. */
import type { ServerId } from "../../protocol/ids.ts";
import { LATENCY_COLUMN_MS, LATENCY_COLUMNS } from "../../protocol/limits.ts";
import {
  type HeatAnswer,
  LATENCY_BUCKETS,
  LATENCY_KINDS,
  type LatencyCell,
  type Part,
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
  };
}

export function heatText(node: ServerId, parts: readonly Part[]): string {
  return `${JSON.stringify(heatOf(node, parts))}\n`;
}
