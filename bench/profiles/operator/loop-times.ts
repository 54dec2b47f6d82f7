/** How long the threads of nodes were busy at a stretch, as the nodes themselves measure it and tell at `/metrics`. */
import type { Target } from "../../targets/target.ts";

/** Maps a series, which is a bucket of a histogram of one thread, to its count. */
export type Buckets = ReadonlyMap<string, number>;

const BUCKET = /^(zooid_(?:turn|event_loop_delay)_seconds)_bucket\{(.*)\} (\d+)$/gm;

/** `node` keeps the series of several nodes apart. */
export function bucketsOf(
  metricsText: string,
  node: number,
): readonly (readonly [string, number])[] {
  return [...metricsText.matchAll(BUCKET)].map(([, name, labels, count]) => [
    `${name}{node="${node}",${labels}}`,
    Number(count),
  ]);
}

/** As all nodes of an ensemble say that they are now. Each takes some milliseconds of its main thread to say so. */
export async function bucketsOfAll({
  adminUrls = [],
}: Pick<Target, "adminUrls">): Promise<Buckets> {
  const all = await Promise.all(
    adminUrls.map(async (url, node) =>
      bucketsOf(await (await fetch(`${url}/metrics`)).text(), node),
    ),
  );
  return new Map(all.flat());
}

/**
 * Returns, in milliseconds, the upper bound of the highest bucket that has counted anything between the two times; 0 if none has.
 * Buckets are cumulative: each counts what the lower ones do, too.
 */
export function longestMs(
  name: "zooid_turn_seconds" | "zooid_event_loop_delay_seconds",
  { before, after }: { readonly before: Buckets; readonly after: Buckets },
): number {
  const grown = new Map<string, [number, number][]>();
  for (const [series, count] of after) {
    const [, thread, le] = /^(.*),le="([^"]+)"\}$/.exec(series) ?? [];
    if (thread === undefined || !series.startsWith(`${name}{`)) continue;
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le) * 1000;
    const buckets = grown.get(thread) ?? [];
    buckets.push([bound, count - (before.get(series) ?? 0)]);
    grown.set(thread, buckets);
  }
  let longest = 0;
  for (const buckets of grown.values()) {
    buckets.sort(([first], [second]) => first - second);
    const total = buckets.at(-1)?.[1] ?? 0;
    if (total === 0) continue;
    // The lowest bound below which all of them are.
    longest = Math.max(longest, buckets.find(([, count]) => count === total)?.[0] ?? 0);
  }
  return longest;
}
