/**
 * Children by pages, for parents with so many that one answer would be too large and take too long. A page is a stretch of the ring in which
 * children stand in the order in which they came, so it takes time for what it has, however many there are. Nothing is kept between two
 * pages: the client tells the last names that it was given. Children that come meanwhile stand behind all others, so what is there all the
 * time is given once. Each replica has an order of its own, and a deletion that is undone puts a child behind all others: with another
 * order it is not known where to go on, and the client begins again.
 */
import { PAGE_CHILDREN_MAX } from "../../protocol/limits.ts";
import type { ChildrenPage, PageBefore, ReadResult } from "../../protocol/reads.ts";
import type { ZnodeId } from "./store/znodes.ts";
import type { TreeState } from "./state.ts";

export function childrenPage(
  tree: TreeState,
  parent: ZnodeId,
  { path, after, childrenMax }: ChildrenPage,
): ReadResult {
  const { znodes } = tree;
  const order = orderOf(tree);
  const about = { kind: "page", stat: znodes.stat(parent), order } as const;
  const place = after?.order === order ? placeOf(tree, parent, path, after) : undefined;
  if (after !== undefined && place === undefined) return { ...about, children: [], end: "lost" };
  const children: string[] = [];
  const max = Math.min(childrenMax, PAGE_CHILDREN_MAX);
  let child = znodes.childAfter(parent, place);
  for (; child !== undefined && children.length < max; child = znodes.childAfter(parent, child)) {
    children.push(znodes.name(child));
  }
  return { ...about, children, end: child === undefined ? "last" : "more" };
}

/** It is the same as long as no child changes its place at this replica, and no other replica ever had it. */
function orderOf({ options, startedWallMs, znodes }: TreeState): string {
  return `${options.server}.${options.lane}.${startedWallMs}.${znodes.moves}`;
}

/** The last of the named children that is still there. One of the same name that came later stands elsewhere. */
function placeOf(
  { znodes }: TreeState,
  parent: ZnodeId,
  path: string,
  { names, zxid }: PageBefore,
): ZnodeId | undefined {
  const prefix = path === "/" ? "/" : `${path}/`;
  for (const name of names.toReversed()) {
    const child = znodes.findChild(parent, prefix + name);
    if (child !== undefined && znodes.czxid(child) <= zxid) return child;
  }
  return undefined;
}
