/**
 * A stream that could not begin where its subscriber wanted goes on for a while without one: the subscriber reads the znodes, and begins
 * again at the zxid of that read. Where znodes come and go all the time there would be a gap each time; this stream has seen all of them go.
 */
import type { Subscribe } from "../messages.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { isGoneBy, want } from "./entries.ts";
import type { Entry, Stream, Streams } from "./state.ts";

export const LINGER_MS = 30_000;
/** How many deletions it remembers, and between how many pairs of zxids it is not sure. */
const REMEMBERED_MAX = 16_384;

/** A stream without a subscriber that has seen everything since then. */
export function adoptable(
  { byPath }: Streams,
  { path, recursive, after }: Pick<Subscribe, "path" | "recursive" | "after">,
): Stream | undefined {
  for (const stream of byPath.get(path) ?? []) {
    const isFree = stream.subscription === undefined && stream.recursive === recursive;
    const isUnsure = stream.unsure.some(({ from, to }) => from < after && after < to);
    if (isFree && stream.startedAt <= after && !isUnsure) return stream;
  }
  return undefined;
}

/** Goes back to where the subscriber wants to begin. What happened since is looked at again, for its data. */
export function adopt(stream: Stream, wish: Subscribe, lastZxid: Zxid): void {
  const { subscription, after, isExact } = wish;
  stream.subscription = subscription;
  stream.isExact = isExact;
  stream.lingersUntilMs = Infinity;
  stream.givenThrough = undefined;
  stream.unconsumed = 0;
  stream.after = after;
  const { known, untaken, deletions, entries, recursive, staying } = stream;
  stream.hasGap = false;
  for (const entry of entries.values()) {
    for (const each of [entry, entry.next]) {
      if (each !== undefined) passOver(stream, each, lastZxid);
    }
  }
  // The subscriber knows of no other znodes than those that were there then.
  stream.seen = [...stream.seen, ...deletions].filter(({ zxid, kind, stat }) => {
    return kind === "deleted" && zxid > after && stat.czxid <= after;
  });
  stream.deletions = [];
  stream.unsure = [];
  for (const [path, stat] of known) {
    const { czxid, mzxid } = stat;
    if (czxid <= after && mzxid <= after) continue;
    if (czxid > after) known.delete(path);
    else untaken.add(path);
    want(stream, { path, floor: after, data: true, children: recursive && !staying });
  }
}

/** What has happened to a znode that is still to be looked at, as the subscriber knows it that has read at `after`. */
function passOver(stream: Stream, entry: Entry, lastZxid: Zxid): void {
  const { known, untaken, after, isExact, staying } = stream;
  const { path, floor, deletedAt, deletedBehind = after } = entry;
  if (!staying) {
    // What happened after the watch has fired nobody has said.
    entry.isOlder = isExact && floor < after;
    return;
  }
  if (deletedBehind < after) {
    // An event that names no zxid is of one up to the latest answer.
    if (isExact && deletedAt === undefined && after < lastZxid) stream.hasGap = true;
    known.delete(path);
    untaken.delete(path);
  }
  if (!known.has(path)) entry.isOlder = isExact && floor < after && !isGoneBy(entry, after);
}

/** Nobody may take the stream over from between these zxids. */
export function noteUnsure(stream: Stream, from: Zxid, to: Zxid): void {
  if (to > from + 1) stream.unsure.push({ from, to });
}

/** It does not wait for ever, nor remember everything. */
export function dropLate(stream: Stream, drop: () => void, nowMs: number): void {
  const { lingersUntilMs, deletions, unsure } = stream;
  const most = Math.max(deletions.length, unsure.length);
  if (nowMs >= lingersUntilMs || most > REMEMBERED_MAX) drop();
}
