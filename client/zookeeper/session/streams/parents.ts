/**
 * A znode is told to be created after its parent. A look may have found one whose parent is gone before it was looked at itself: what that was
 * cannot be told, so neither can what was below it, which is gone with it.
 */
import { parentOf } from "../../../../protocol/paths.ts";
import { inOrder } from "./observe.ts";
import type { Seen, Stream } from "./state.ts";

/**
 * Those of the changes, which are in order, whose parents the subscriber knows then. The others are forgotten. Whoever takes over a stream that
 * nobody has will have read what was there.
 */
export function withParents(stream: Stream, due: readonly Seen[]): readonly Seen[] {
  const { path: root, recursive, subscription, known, untaken, after } = stream;
  const hasCreated = due.some(({ kind }) => kind === "created");
  if (!recursive || subscription === undefined || !hasCreated) return due;
  // What the subscriber knows to be there: of what has been seen, the first change of a path says what was before it.
  const there = new Map<string, boolean>();
  for (const { kind, path } of stream.seen.toSorted(inOrder)) {
    if (!there.has(path)) there.set(path, kind !== "created");
  }
  const isThere = (path: string): boolean =>
    there.get(path) ?? (known.get(path)?.czxid ?? Infinity) <= after;
  const dropped = new Map<string, number>();
  const isDropped = ({ path, stat }: Seen): boolean => dropped.get(path) === stat.czxid;
  const kept = due.filter((each) => {
    const { kind, path, stat } = each;
    if (kind === "created" && path !== root && !isThere(parentOf(path))) {
      dropped.set(path, stat.czxid);
      if (known.get(path)?.czxid === stat.czxid) {
        known.delete(path);
        untaken.delete(path);
      }
    }
    if (isDropped(each)) return false;
    there.set(path, kind !== "deleted");
    return true;
  });
  // What was its end is not told later, either.
  if (dropped.size > 0) stream.seen = stream.seen.filter((each) => !isDropped(each));
  return kept;
}
