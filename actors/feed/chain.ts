/**
 * Which change came before, for each path that begins like a changed one: so whoever follows some subtree can see what he has missed. The
 * paths that have not changed for long are forgotten, about half of what is known at a time. A path that is not known may have
 * changed, it is said, at the latest place that was forgotten, which is never too early: a subscriber may read again for nothing, and never
 * misses a change.
 */
import { type FeedPosition, feedSubject } from "../../protocol/feed.ts";
import { FEED_LEVELS_MAX, FEED_MARKED_MAX } from "../../protocol/limits.ts";

/** A path, and the last change at it or below it. */
type Known = { at: FeedPosition; line: Line | undefined };

/** What all messages of a path have in common. */
export type Line = {
  readonly subject: string;
  /** The path as JSON. */
  readonly quotedPath: string;
  /** The root, what has the first name of the path, what has the first two, and so on. */
  readonly levels: readonly Known[];
};

export type Chain = {
  readonly ensemble: string;
  readonly bytesMax: number;
  /** Nothing is known of what was changed up to here and not since. */
  floor: FeedPosition;
  /** By the path; the root's is "". Where a path is, all above it are too. */
  recent: Map<string, Known>;
  /** What `recent` was before it was full. What has changed since is in both. */
  older: Map<string, Known>;
  /** Nothing of `older` that is not in `recent` has changed after this. */
  olderEnd: FeedPosition;
  recentBytes: number;
  /** The paths of one name that became known last, FEED_MARKED_MAX at most. They are not forgotten as the others are. */
  readonly tops: Map<string, Known>;
};

/** What is known of a path takes this beside texts, and so does its line. */
const KNOWN_BYTES = 100;
const LEVEL_BYTES = 8;

export function createChain(
  ensemble: string,
  of: { readonly floor: FeedPosition; readonly bytesMax: number },
): Chain {
  return {
    ensemble,
    ...of,
    recent: new Map(),
    older: new Map(),
    olderEnd: of.floor,
    recentBytes: 0,
    tops: new Map(),
  };
}

type Next = {
  readonly line: Line;
  /** What came before: in all, below the first name of the path, below the first two, and so on, up to FEED_LEVELS_MAX. */
  readonly prev: readonly FeedPosition[];
};

/** A change at the path comes next. */
export function nextInChain(chain: Chain, path: string, at: FeedPosition): Next {
  const key = path === "/" ? "" : path;
  const line = chain.recent.get(key)?.line ?? lineOf(chain, key);
  const prev: FeedPosition[] = [];
  for (const known of line.levels) {
    prev.push(known.at);
    known.at = at;
  }
  if (chain.recentBytes > chain.bytesMax / 2) forgetOlder(chain, at);
  return { line, prev };
}

/** The last change of all. */
export function lastOf(chain: Chain): FeedPosition {
  return know(chain, "", "").at;
}

function lineOf(chain: Chain, path: string): Line {
  const levels = [know(chain, "", path)];
  let end = 0;
  while (end < path.length && levels.length <= FEED_LEVELS_MAX) {
    const slash = path.indexOf("/", end + 1);
    end = slash < 0 ? path.length : slash;
    levels.push(know(chain, path.slice(0, end), path));
  }
  const own = know(chain, path, path);
  if (own.line !== undefined) return own.line;
  const shown = path === "" ? "/" : path;
  const subject = feedSubject(chain.ensemble, shown);
  own.line = { subject, quotedPath: JSON.stringify(shown), levels };
  chain.recentBytes += lineBytes(own.line);
  return own.line;
}

function lineBytes({ subject, quotedPath, levels }: Line): number {
  return KNOWN_BYTES + subject.length + quotedPath.length + LEVEL_BYTES * levels.length;
}

function know(chain: Chain, path: string, whole: string): Known {
  const { recent, older, floor, tops } = chain;
  const there = recent.get(path);
  if (there !== undefined) return there;
  const known = older.get(path) ?? { at: floor, line: undefined };
  recent.set(path, known);
  if (path.lastIndexOf("/") === 0) keepTop(tops, path, known);
  // The beginning of a text keeps the whole text in memory.
  chain.recentBytes += KNOWN_BYTES + whole.length;
  if (known.line !== undefined) chain.recentBytes += lineBytes(known.line);
  return known;
}

function keepTop(tops: Map<string, Known>, path: string, known: Known): void {
  tops.delete(path);
  tops.set(path, known);
  const [oldest] = tops.keys();
  if (tops.size > FEED_MARKED_MAX && oldest !== undefined) tops.delete(oldest);
}

/** Everything that is recent is older now. */
function forgetOlder(chain: Chain, at: FeedPosition): void {
  chain.floor = chain.olderEnd;
  chain.olderEnd = at;
  chain.older = chain.recent;
  chain.recent = new Map();
  chain.recentBytes = 0;
}
