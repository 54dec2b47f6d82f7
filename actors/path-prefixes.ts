/**
 * Counts by how paths begin, in bounded memory: by their first two names while there are few such beginnings. Too many of them make the rarest be counted
 * with what is above them, by the first name, and the rarest of those with all others. So the sum is always exact, and what comes often is apart.
 */

import { ownedText } from "./owned-text.ts";

/** Stands for all paths that are not counted by a beginning of theirs. */
export const OTHER_PATHS = "";

/** How many of which kind, by beginnings of paths. The keys hold on to nothing else. */
export type PrefixCounts = Map<string, Uint32Array>;

type PrefixLimits = {
  /** So many beginnings are kept apart; one more makes the rarest go. */
  readonly prefixesMax: number;
  /** UTF-16 units of a beginning that is kept apart. */
  readonly lengthMax: number;
};

/** The first two names of the path, `/a/b` of `/a/b/c`. */
export function prefixOf(path: string, { lengthMax }: Pick<PrefixLimits, "lengthMax">): string {
  const second = path.indexOf("/", 1);
  const third = second === -1 ? -1 : path.indexOf("/", second + 1);
  const end = third === -1 ? path.length : third;
  if (end <= lengthMax) return third === -1 ? path : path.slice(0, end);
  return second === -1 || second > lengthMax ? OTHER_PATHS : path.slice(0, second);
}

/** What the prefix is counted with where it is not apart. */
export function aboveOf(prefix: string): string {
  const second = prefix.indexOf("/", 1);
  return second === -1 ? OTHER_PATHS : prefix.slice(0, second);
}

/** The counts of the prefix, to which the caller adds. `kinds`: how many kinds there are. */
export function countsOf(
  all: PrefixCounts,
  prefix: string,
  { prefixesMax, kinds }: Pick<PrefixLimits, "prefixesMax"> & { readonly kinds: number },
): Uint32Array {
  const known = all.get(prefix);
  if (known !== undefined) return known;
  if (all.size >= prefixesMax) cut(all, prefixesMax / 2, (prefixesMax * 3) / 4);
  const counts = all.get(prefix) ?? new Uint32Array(kinds);
  all.set(ownedText(prefix), counts);
  return counts;
}

/** Adds counts of a beginning of paths, whether one more is too many or not. */
export function addCounts(
  all: PrefixCounts,
  prefix: string,
  counts: Iterable<readonly [kind: number, count: number]>,
  kinds: number,
): void {
  const sum = all.get(prefix) ?? new Uint32Array(kinds);
  for (const [kind, count] of counts) sum[kind] = (sum[kind] ?? 0) + count;
  all.set(prefix, sum);
}

/** So many at most. The most frequent first, each with the counts that are not zero. */
export function listedPrefixes(
  all: PrefixCounts,
  prefixesMax: number,
): readonly {
  readonly prefix: string;
  readonly counts: readonly (readonly [kind: number, count: number])[];
}[] {
  if (all.size > prefixesMax) {
    cut(all, (prefixesMax * 3) / 4, prefixesMax);
    for (const entry of ranked(all).slice(prefixesMax - 1)) moveTo(all, OTHER_PATHS, entry);
  }
  return ranked(all).map(([prefix, counts]) => {
    return { prefix, counts: [...counts.entries()].filter(([, count]) => count > 0) };
  });
}

/** The `kept` most frequent ones stay apart, and others too, if there are no more than `enough` then. */
function cut(all: PrefixCounts, kept: number, enough: number): void {
  for (const names of [2, 1]) {
    for (const entry of ranked(all).slice(kept)) {
      const [prefix] = entry;
      if (namesIn(prefix) === names) moveTo(all, aboveOf(prefix), entry);
    }
    if (all.size <= enough) return;
  }
}

function moveTo(
  all: PrefixCounts,
  to: string,
  [prefix, counts]: readonly [string, Uint32Array],
): void {
  if (prefix === to) return;
  all.delete(prefix);
  addCounts(all, to, counts.entries(), counts.length);
}

function namesIn(prefix: string): number {
  if (prefix === OTHER_PATHS) return 0;
  return prefix.includes("/", 1) ? 2 : 1;
}

/** The most frequent first. */
function ranked(all: PrefixCounts): readonly (readonly [string, Uint32Array])[] {
  return [...all]
    .map((entry) => ({ entry, total: totalOf(entry[1]) }))
    .sort((left, right) => right.total - left.total)
    .map(({ entry }) => entry);
}

function totalOf(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
