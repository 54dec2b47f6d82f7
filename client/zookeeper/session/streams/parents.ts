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
  const { path: root, recursive, subscription, known, untaken } = stream;
  if (!recursive || subscription === undefined) return due;
  const isThere = subscribersView(stream, due);
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
    isThere.note(path, kind !== "deleted");
    return true;
  });
  // What was its end is not told later, either.
  if (dropped.size > 0) stream.seen = stream.seen.filter((each) => !isDropped(each));
  return kept;
}

type View = ((path: string) => boolean) & {
  readonly note: (path: string, isThere: boolean) => void;
};

/** What the subscriber knows to be there, before the first of the changes and after each that is noted. */
function subscribersView(stream: Stream, due: readonly Seen[]): View {
  const there = new Map<string, boolean>();
  for (const { kind, path } of due) {
    if (!there.has(path)) there.set(path, kind !== "created");
  }
  const isThere = (path: string): boolean => there.get(path) ?? isThereBefore(stream, path);
  return Object.assign(isThere, {
    note: (path: string, is: boolean) => void there.set(path, is),
  });
}

/** Nothing of the path is due. What has been seen of it, and may not be told yet, says what was before. */
function isThereBefore({ known, after, seen }: Stream, path: string): boolean {
  const stat = known.get(path);
  if (stat !== undefined && stat.czxid <= after) return true;
  const [first] = seen.filter((each) => each.path === path).sort(inOrder);
  return first !== undefined && first.kind !== "created";
}
