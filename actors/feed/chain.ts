/**
 * Which change came before, for each path that begins like a changed one: so whoever follows some subtree can see what he has missed. The
 * paths that have not changed for longest are forgotten first. A path that is not known may have changed, it is said, at the
 * latest place that was forgotten, which is never too early: a subscriber may read again for nothing, and never misses a change.
 */
import type { FeedPosition } from "../../protocol/feed.ts";
import { FEED_LEVELS_MAX } from "../../protocol/limits.ts";

type Entry = { at: FeedPosition; bytes: number };

export type Chain = {
  readonly bytesMax: number;
  /** Nothing is known of what was changed up to here and not since. */
  floor: FeedPosition;
  bytes: number;
  /** The last change at a path or below it, by the path, the one that changed last at the end. The root's path is "". */
  readonly last: Map<string, Entry>;
};

/** What an entry takes beside its path. */
const ENTRY_BYTES = 120;

export function createChain(floor: FeedPosition, bytesMax: number): Chain {
  return { bytesMax, floor, bytes: 0, last: new Map() };
}

/** A change at the path comes next. Returns what came before it: in all, below the first name of its path, below the first two, and so on. */
export function nextInChain(chain: Chain, path: string, at: FeedPosition): FeedPosition[] {
  const before = [replaceLast(chain, "", path, at)];
  if (path !== "/") {
    let end = 0;
    while (end < path.length && before.length <= FEED_LEVELS_MAX) {
      const slash = path.indexOf("/", end + 1);
      end = slash < 0 ? path.length : slash;
      before.push(replaceLast(chain, path.slice(0, end), path, at));
    }
  }
  forgetOldest(chain);
  return before;
}

function replaceLast(chain: Chain, above: string, path: string, at: FeedPosition): FeedPosition {
  const { last } = chain;
  // The beginning of a text keeps the whole text in memory.
  const bytes = ENTRY_BYTES + path.length;
  const entry = last.get(above);
  if (entry === undefined) {
    last.set(above, { at, bytes });
    chain.bytes += bytes;
    return chain.floor;
  }
  const { at: before } = entry;
  chain.bytes += bytes - entry.bytes;
  entry.at = at;
  entry.bytes = bytes;
  last.delete(above);
  last.set(above, entry);
  return before;
}

function forgetOldest(chain: Chain): void {
  const { last } = chain;
  for (const [path, { at, bytes }] of last) {
    if (chain.bytes <= chain.bytesMax) return;
    last.delete(path);
    chain.bytes -= bytes;
    if (at > chain.floor) chain.floor = at;
  }
}
