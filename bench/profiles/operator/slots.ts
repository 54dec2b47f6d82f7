/** Slots of time, and the requests of a load that belong to them. */
import type { Samples } from "../../load/samples.ts";

/** By `systemMs`. `toMs` does not belong to it. */
export type Span = { readonly fromMs: number; readonly toMs: number };

/** In milliseconds. */
export type Latencies = { readonly reads: readonly number[]; readonly writes: readonly number[] };

/**
 * Returns the latencies of the requests that were sent within each span. A request counts as a whole where it was sent, also if its reply came
 * later: what slows it down there would otherwise take it from the count. `spans` do not overlap, and follow each other in time. What was
 * sent between them is left out.
 */
export function latenciesOf(
  spans: readonly Span[],
  chunks: readonly Samples[],
): readonly Latencies[] {
  const found = spans.map(() => ({ reads: [] as number[], writes: [] as number[] }));
  for (const { sentMs, latencyMs, isRead } of chunks) {
    for (const [index, atMs] of sentMs.entries()) {
      const at = lastBegun(spans, atMs);
      const latencies = found[at];
      if (latencies === undefined || atMs >= (spans[at]?.toMs ?? 0)) continue;
      (isRead[index] === 1 ? latencies.reads : latencies.writes).push(latencyMs[index] ?? 0);
    }
  }
  return found;
}

/** The index of the last span that had begun at a time; -1 if none had. */
function lastBegun(spans: readonly Span[], atMs: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.fromMs ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
