/**
 * What a look at a znode says of its changes. A Stat tells of two: when the znode was created, and when its data was set last. That it was
 * deleted is told by its absence, or by another creation.
 */
import type { Stat } from "../../../../protocol/stat.ts";
import { earlierOf, laterOf, type Zxid } from "../../../../protocol/zxid.ts";
import type { Seen, Stream } from "./state.ts";

export function observeThere(
  stream: Stream,
  path: string,
  { stat, data }: { readonly stat: Stat; readonly data: Uint8Array | null },
  deletions: readonly Zxid[],
): void {
  const { known, untaken, after } = stream;
  const before = known.get(path);
  const isSame = before?.czxid === stat.czxid;
  if (before !== undefined && !isSame) {
    observeGone(stream, path, stat.czxid, deletions);
  }
  known.set(path, stat);
  const { czxid, mzxid } = stat;
  if (!isSame && czxid > after)
    stream.seen.push({ zxid: czxid, kind: "created", path, stat, data });
  const isKnown = isSame && !untaken.delete(path);
  const sinceMzxid = isKnown ? before.mzxid : Math.max(czxid, after);
  if (mzxid > sinceMzxid) stream.seen.push({ zxid: mzxid, kind: "data", path, stat, data });
}

/**
 * The znode is not there any more, at `zxid`. Events that have said when znodes of this path were deleted are more exact. What was
 * below it is looked at by itself.
 */
export function observeGone(
  stream: Stream,
  path: string,
  zxid: Zxid,
  deletions: readonly Zxid[],
): void {
  const { known, untaken, seen } = stream;
  const stat = known.get(path);
  if (stat === undefined) return;
  known.delete(path);
  untaken.delete(path);
  // Others may have been said of earlier znodes of this path.
  const deletedAt = deletions.find((each) => each > stat.mzxid && each <= zxid);
  // After a reconnect the event may be of another znode than the one that was known.
  const isSure = deletedAt !== undefined && stream.walk?.isFirst !== false;
  if (!isSure) stream.goneBy = laterOf(stream.goneBy, deletedAt ?? zxid);
  const isBefore = (each: Seen): boolean =>
    each.kind === "deleted" && isBelow(path, each.path) && each.zxid > stat.czxid;
  const above = deletedAt === undefined ? seen.filter(isBefore).map((each) => each.zxid) : [];
  const at = deletedAt ?? above.reduce(earlierOf, zxid);
  if (stream.goneBy > at) {
    // What was below it was gone by then.
    stream.seen = seen.map((each) => {
      const isLate = each.kind === "deleted" && each.zxid > at && each.stat.czxid < at;
      return isLate && isBelow(each.path, path) ? { ...each, zxid: at } : each;
    });
  }
  stream.seen.push({ zxid: at, kind: "deleted", path, stat });
}

function isBelow(path: string, ancestor: string): boolean {
  return path.startsWith(ancestor === "/" ? "/" : `${ancestor}/`) && path !== ancestor;
}

/** Deeper ones first. */
export function deepestFirst(paths: Iterable<string>): readonly string[] {
  return [...paths].sort((one, other) => depthOf(other) - depthOf(one));
}

/**
 * The order in which changes of one zxid are told: what is deleted before what is created, children before their parents and parents
 * before their children.
 */
export function inOrder(one: Seen, other: Seen): number {
  if (one.zxid !== other.zxid) return one.zxid - other.zxid;
  const [isDeleted, isOtherDeleted] = [one.kind === "deleted", other.kind === "deleted"];
  if (isDeleted !== isOtherDeleted) return isDeleted ? -1 : 1;
  const deeper = depthOf(one.path) - depthOf(other.path);
  return isDeleted ? -deeper : deeper;
}

function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) depth += 1;
  return path === "/" ? 0 : depth;
}
