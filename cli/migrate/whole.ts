/** The whole of both trees: copied, made equal, or compared. */
import { setTimeout as wait } from "node:timers/promises";
import type { Difference, Pair } from "./difference.ts";
import { differencesOf } from "./difference.ts";
import { type Counters, countersOf, type Mirror } from "./mirror.ts";
import { copyQuotas, quotaDifferences, quotasOf } from "./quotas.ts";
import { isEphemeral, lasting } from "./znode.ts";
import { walkBoth } from "./walk.ts";

export type WholeOptions = {
  /** The target is known to have nothing. */
  readonly isEmpty: boolean;
  /** ZooKeeper's own znodes are left out. */
  readonly withoutOwn: boolean;
  readonly withQuotas: boolean;
  /** Whether a znode that only the target has stays. */
  readonly keeps: (path: string) => boolean;
  readonly keepsOthers: boolean;
  readonly onProgress: (counts: Counts) => void;
};

/** What was read of the source. */
export type Counts = { znodes: number; bytes: number; ephemerals: number };

/** How long a difference is given to go away while clients write. */
const AGAIN_MS = 300;
const AGAIN_MAX = 3;

/** Makes all of the target equal to the source. */
export async function copyWhole(mirror: Mirror, options: WholeOptions): Promise<Counts> {
  const counts: Counts = { znodes: 0, bytes: 0, ephemerals: 0 };
  const counters = new Map<string, Counters>();
  // While one portion is written, the next one is read.
  let writing = Promise.resolve();
  for await (const { pairs, extras } of walkBoth(mirror, options)) {
    await writing;
    for (const [path, each] of countersOf(pairs)) counters.set(path, each);
    for (const pair of pairs) count(counts, pair);
    options.onProgress(counts);
    writing = mirror.settle([...pairs, ...extras.filter(({ path }) => !options.keeps(path))]);
    writing.catch(() => undefined);
  }
  await writing;
  await mirror.raise(counters);
  if (options.withQuotas) {
    const { keepsOthers } = options;
    const { source, target, signal } = mirror;
    await copyQuotas(source.client, target.client, { keepsOthers, signal });
  }
  return counts;
}

/** Calls `onDifference` with each, those that go away by themselves aside. */
export async function compareWhole(
  mirror: Mirror,
  options: WholeOptions,
  onDifference: (difference: Difference) => Promise<void>,
): Promise<Counts & { differences: number }> {
  const counts = { znodes: 0, bytes: 0, ephemerals: 0, differences: 0 };
  const { source, target, signal } = mirror;
  const tell = async (difference: Difference): Promise<void> => {
    counts.differences += 1;
    await onDifference(difference);
  };
  for await (const { pairs, extras } of walkBoth(mirror, options)) {
    const others = extras.filter(({ path }) => !options.keeps(path));
    for (const pair of pairs) count(counts, pair);
    options.onProgress(counts);
    for (const difference of await differencesLeft(mirror, [...pairs, ...others]))
      await tell(difference);
  }
  if (options.withQuotas) {
    const quotas = await Promise.all([
      quotasOf(source.client, signal),
      quotasOf(target.client, signal),
    ]);
    for (const difference of quotaDifferences(...quotas, options.keepsOthers))
      await tell(difference);
  }
  return counts;
}

/** What seems to differ, and still does when both servers have caught up. */
async function differencesLeft(
  mirror: Mirror,
  pairs: readonly Pair[],
): Promise<readonly Difference[]> {
  let left = pairs.filter((pair) => differencesOf(pair).length > 0);
  for (let again = 0; again < AGAIN_MAX && left.length > 0; again += 1) {
    const { source, target, signal } = mirror;
    await wait(AGAIN_MS, undefined, { signal });
    await Promise.all([source.client.sync("/", { signal }), target.client.sync("/", { signal })]);
    const pairsAgain = await mirror.pairs(left.map(({ path }) => path));
    left = pairsAgain.filter((pair) => differencesOf(pair).length > 0);
  }
  return left.flatMap(differencesOf);
}

function count(counts: Counts, { source }: Pair): void {
  const znode = lasting(source);
  if (znode !== undefined) {
    counts.znodes += 1;
    counts.bytes += znode.data?.length ?? 0;
  } else if (source.kind === "found" && isEphemeral(source.znode.stat)) {
    counts.ephemerals += 1;
  }
}
