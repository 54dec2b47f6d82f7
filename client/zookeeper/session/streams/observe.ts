/**
 * What a look at a znode says of its changes. A Stat tells of two: when the znode was created, and when its data was set last. That it was
 * deleted is told by its absence, or by another creation.
 */
import type { Stat } from "../../../../protocol/stat.ts";
import { earlierOf, type Zxid } from "../../../../protocol/zxid.ts";
import type { Seen, Stream } from "./state.ts";

export function observeThere(
  stream: Stream,
  path: string,
  { stat, data }: { readonly stat: Stat; readonly data: Uint8Array | null },
  deletedAt: Zxid | undefined,
): void {
  const { known, seen, after } = stream;
  const before = known.get(path);
  const isSame = before?.czxid === stat.czxid;
  if (before !== undefined && !isSame) {
    observeGone(stream, path, stat.czxid, deletedAt);
  }
  known.set(path, stat);
  const { czxid, mzxid } = stat;
  if (!isSame && czxid > after) seen.push({ zxid: czxid, kind: "created", path, stat, data });
  const sinceMzxid = isSame ? before.mzxid : Math.max(czxid, after);
  if (mzxid > sinceMzxid) seen.push({ zxid: mzxid, kind: "data", path, stat, data });
}

/**
 * The znode is not there any more, at `zxid`. An event that has said when it was deleted is more exact. What was below it is looked at by
 * itself.
 */
export function observeGone(
  { known, seen, after }: Stream,
  path: string,
  zxid: Zxid,
  deletedAt: Zxid | undefined,
): void {
  const stat = known.get(path);
  if (stat === undefined) return;
  known.delete(path);
  // It may have been said of an earlier znode of this path.
  const isSaid = deletedAt !== undefined && deletedAt > Math.max(after, stat.mzxid);
  seen.push({ zxid: isSaid ? earlierOf(deletedAt, zxid) : zxid, kind: "deleted", path, stat });
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
