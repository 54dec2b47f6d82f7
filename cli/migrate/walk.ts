/** Walks over both trees together: each znode before those below it, in portions of bounded size. */
import { NoAuthError, NoNodeError } from "../../client/connect.ts";
import { childOf } from "../../protocol/paths.ts";
import { readChildren } from "../console/walk.ts";
import type { Pair } from "./difference.ts";
import { type Mirror, READ_AT_ONCE } from "./mirror.ts";
import { lasting, type Side } from "./znode.ts";

/** Znodes of a portion, and about how many bytes of data at which it ends. */
const PORTION_ZNODES_MAX = 1_024;
const PORTION_BYTES_SOFT_MAX: number = 4 * 1024 * 1024;
/** Where data is large, fewer znodes are read at a time. */
const READ_AT_ONCE_MIN = 8;
/** Where ZooKeeper keeps quotas and its configuration. */
export const OWN_NAME = "zookeeper";
export const OWN_PATH: string = `/${OWN_NAME}`;

export type WalkOptions = {
  /** The target is known to have nothing, so that it is not read. */
  readonly isEmpty: boolean;
  /** The znodes of ZooKeeper's own at the root are left out. */
  readonly withoutOwn: boolean;
};

export type Portion = {
  readonly pairs: readonly Pair[];
  /** Paths at which the target has a znode and the source has none; of a whole subtree the topmost. */
  readonly extras: readonly Pair[];
};

type Listed = { readonly below: readonly string[]; readonly extra: readonly string[] };

export async function* walkBoth(
  mirror: Mirror,
  { isEmpty, withoutOwn }: WalkOptions,
): AsyncGenerator<Portion, void, undefined> {
  const stack = ["/"];
  let pairs: Pair[] = [];
  let extras: Pair[] = [];
  let bytes = 0;
  let atOnce = READ_AT_ONCE_MIN;
  while (stack.length > 0) {
    mirror.signal.throwIfAborted();
    const paths = stack.splice(-atOnce).reverse();
    const read = await Promise.all(paths.map((path) => mirror.pair(path, isEmpty && path !== "/")));
    const lists = await Promise.all(read.map((pair) => listed(mirror, pair, withoutOwn)));
    const largest = Math.max(1, ...read.map(bytesOf));
    atOnce = Math.min(2 * atOnce, READ_AT_ONCE, Math.floor(PORTION_BYTES_SOFT_MAX / largest));
    atOnce = Math.max(atOnce, READ_AT_ONCE_MIN);
    for (const pair of read) {
      pairs.push(pair);
      bytes += bytesOf(pair);
    }
    for (const { below, extra } of lists) {
      for (const path of below) stack.push(path);
      // They may have come or gone between the two lists.
      const again = await mirror.pairs(extra);
      extras.push(...again.filter(isExtra));
      pairs.push(...again.filter((pair) => !isExtra(pair)));
    }
    if (pairs.length < PORTION_ZNODES_MAX && bytes < PORTION_BYTES_SOFT_MAX) continue;
    yield { pairs, extras };
    pairs = [];
    extras = [];
    bytes = 0;
  }
  yield { pairs, extras };
}

function isExtra({ source, target }: Pair): boolean {
  return source.kind !== "hidden" && lasting(source) === undefined && lasting(target) !== undefined;
}

async function listed(mirror: Mirror, pair: Pair, withoutOwn: boolean): Promise<Listed> {
  const { path, source, target } = pair;
  const from = lasting(source);
  if (from === undefined) return { below: [], extra: [] };
  const to = lasting(target);
  const [names, others] = await Promise.all([
    from.stat.numChildren === 0 ? [] : namesAt(mirror.source, path, mirror.signal),
    to === undefined || to.stat.numChildren === 0
      ? []
      : namesAt(mirror.target, path, mirror.signal),
  ]);
  const isMine = (name: string): boolean => !(withoutOwn && path === "/" && name === OWN_NAME);
  const known = new Set(names);
  return {
    below: names
      .filter(isMine)
      .map((name) => childOf(path, name))
      .reverse(),
    extra: others
      .filter((name) => !known.has(name) && isMine(name))
      .map((name) => childOf(path, name)),
  };
}

/** None of a znode that is gone, or whose children may not be read: then it could not be read itself either. */
async function namesAt(
  { client }: Side,
  path: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return (await readChildren(client, path, signal)).children;
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof NoAuthError) return [];
    throw error;
  }
}

function bytesOf({ source, target }: Pair): number {
  return (lasting(source)?.data?.length ?? 0) + (lasting(target)?.data?.length ?? 0);
}
