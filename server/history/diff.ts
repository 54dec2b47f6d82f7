/**
 * What has become of the tree between two zxids. The log says which znodes were touched; two trees, one after the other, say what they were before
 * and after. Each touched znode takes some hundred bytes until all of the answer has been given, so their number has a limit.
 */
import { isPublic } from "../../protocol/access.ts";
import type { Acl } from "../../protocol/acl.ts";
import { HISTORY_DIFF_ZNODES_MAX } from "./limits.ts";
import { isAtOrBelow } from "../../protocol/paths.ts";
import type { Stat } from "../../protocol/stat.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { OfflineTree } from "../offline/offline-tree.ts";
import type { Hiding } from "./changes.ts";
import { HistoryError } from "./errors.ts";
import type { Past } from "./past.ts";

export type DiffQuery = {
  readonly from: Zxid;
  /** Not before `from`. */
  readonly to: Zxid;
  /** It, and all below it. */
  readonly path: string;
  /** How many znodes may have been touched. Default HISTORY_DIFF_ZNODES_MAX. */
  readonly znodesMax?: number;
};

export type ZnodeThen = { readonly stat: Stat; readonly acl: readonly Acl[] };

/** What of a znode is another. `recreated`: it was deleted and made again. */
export type Changed = "data" | "acl" | "recreated";

export type Difference = {
  readonly kind: "created" | "changed" | "deleted";
  readonly path: string;
  readonly what: readonly Changed[];
  readonly before: ZnodeThen | undefined;
  readonly after: ZnodeThen | undefined;
};

/** The differences by path. A znode of which only the children are others is none: they are. */
export async function diffOf(
  past: Past,
  query: DiffQuery & Hiding,
): Promise<readonly Difference[]> {
  const { from, to, hidesClosed } = query;
  past.check(from);
  past.check(to);
  const touched = await touchedIn(past, query);
  const before = thenOf((await past.treeAt(from)).tree, touched.keys());
  const paths = [...touched.keys()].sort();
  return paths.flatMap((each) => {
    const difference = differenceOf(each, before.get(each), touched.get(each));
    if (difference === undefined || (hidesClosed && isClosed(difference))) return [];
    return [difference];
  });
}

/** What the touched znodes are at the end. The tree itself is given up before the next one is built. */
async function touchedIn(
  past: Past,
  { from, to, path, znodesMax = HISTORY_DIFF_ZNODES_MAX }: DiffQuery,
): Promise<ReadonlyMap<string, ZnodeThen | undefined>> {
  const touched = new Set<string>();
  const span = { start: past.startFor(from), after: from, to };
  const tree = await past.visit(span, ({ path: changed }) => {
    if (isAtOrBelow(changed, path)) touched.add(changed);
    return touched.size <= znodesMax;
  });
  if (touched.size > znodesMax) {
    throw new HistoryError(
      "ZOOID_HISTORY_TOO_LARGE",
      `more than ${znodesMax} znodes were touched from ${formatZxid(from)} to ${formatZxid(to)}: ask for a path, or for zxids that are closer together`,
    );
  }
  return thenOf(tree, touched);
}

function thenOf(
  { state: { znodes } }: OfflineTree,
  paths: Iterable<string>,
): ReadonlyMap<string, ZnodeThen | undefined> {
  const then = new Map<string, ZnodeThen | undefined>();
  for (const path of paths) {
    const id = znodes.find(path);
    then.set(path, id === undefined ? undefined : { stat: znodes.stat(id), acl: znodes.acl(id) });
  }
  return then;
}

function differenceOf(
  path: string,
  before: ZnodeThen | undefined,
  after: ZnodeThen | undefined,
): Difference | undefined {
  if (before === undefined && after === undefined) return undefined;
  if (before === undefined) return { kind: "created", path, what: [], before, after };
  if (after === undefined) return { kind: "deleted", path, what: [], before, after };
  const what = changedIn(before.stat, after.stat);
  return what.length === 0 ? undefined : { kind: "changed", path, what, before, after };
}

function changedIn(before: Stat, after: Stat): readonly Changed[] {
  if (before.czxid !== after.czxid) return ["recreated"];
  const data: readonly Changed[] = before.mzxid === after.mzxid ? [] : ["data"];
  return before.aversion === after.aversion ? data : [...data, "acl"];
}

/** Not everybody might read the znode before, or after. */
function isClosed({ before, after }: Difference): boolean {
  return [before, after].some((then) => then !== undefined && !isPublic(then.acl));
}
