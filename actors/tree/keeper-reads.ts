/**
 * The reads that ClickHouse Keeper has beyond ZooKeeper's, and the znodes by which its clients learn what a server can do. As in Keeper, who
 * asks has to be allowed to read each child of which more than the name is told.
 */
import { grants, Permission } from "../../protocol/access.ts";
import { Code } from "../../protocol/codes.ts";
import type { Who } from "../../protocol/identities.ts";
import { LISTED_BYTES_MAX, LISTED_MAX } from "../../protocol/limits.ts";
import type { ListChildren, Read, ReadResult } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import { SESSION_NONE } from "../../protocol/ids.ts";
import { KEEPER_PATH, KEEPER_ZNODES } from "../../protocol/zookeeper/keeper.ts";
import { ZXID_NONE } from "../../protocol/zxid.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { ZnodeId } from "./store/znodes.ts";
import type { TreeState } from "./state.ts";

const NO_AUTH: ReadResult = { kind: "error", code: Code.noAuth };
const THROTTLED: ReadResult = { kind: "error", code: Code.throttled };

/** Lists the children of the znode that are of the sort asked for. */
export function listChildren(
  tree: TreeState,
  znode: ZnodeId,
  { only, having }: ListChildren,
  who: Who,
): ReadResult {
  const { znodes } = tree;
  if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
  const stat = znodes.stat(znode);
  const [withStats, withValues] = [having?.stats === true, having?.values === true];
  const isPlain = only === "all" && !withStats && !withValues;
  if (isPlain) {
    const none = having === undefined ? undefined : { stats: [], values: [] };
    return { kind: "listed", children: znodes.children(znode), stat, having: none };
  }
  const count = znodes.numChildren(znode);
  if ((withStats || withValues) && count > LISTED_MAX) return THROTTLED;
  tree.lookedAt += count;
  const children: string[] = [];
  const stats: Stat[] = [];
  const values: (Uint8Array | null)[] = [];
  let bytes = 0;
  let isGuarded = false;
  znodes.visitChildren(znode, (child) => {
    if (isGuarded || bytes > LISTED_BYTES_MAX) return;
    isGuarded = !grants(znodes.acl(child), Permission.read, who);
    const sort = znodes.ephemeralOwner(child) === SESSION_NONE ? "persistent" : "ephemeral";
    if (isGuarded || (only !== "all" && only !== sort)) return;
    children.push(znodes.name(child));
    if (withStats) stats.push(znodes.stat(child));
    if (!withValues) return;
    bytes += znodes.dataLength(child);
    values.push(znodes.data(child));
  });
  if (isGuarded) return NO_AUTH;
  if (bytes > LISTED_BYTES_MAX) return THROTTLED;
  const had = having === undefined ? undefined : { stats, values };
  return { kind: "listed", children, stat, having: had };
}

/** The paths below the znode, level by level. What may not be read is left out with all below it, as if it were not there. */
export function listRecursive(
  tree: TreeState,
  top: ZnodeId,
  { znodesMax }: Extract<Read, { readonly kind: "listRecursive" }>,
  who: Who,
): ReadResult {
  const { znodes } = tree;
  if (!grants(znodes.acl(top), Permission.read, who)) return NO_AUTH;
  const found = [top];
  const paths: string[] = [];
  let [looked, bytes] = [0, 0];
  for (const parent of found) {
    if (paths.length >= znodesMax) break;
    const count = znodes.numChildren(parent);
    looked += count;
    if (looked > LISTED_MAX) return THROTTLED;
    tree.lookedAt += count;
    znodes.visitChildren(parent, (child) => {
      if (paths.length >= znodesMax || bytes > LISTED_BYTES_MAX) return;
      if (!grants(znodes.acl(child), Permission.read, who)) return;
      const path = znodes.path(child);
      bytes += path.length;
      found.push(child);
      paths.push(path);
    });
    if (bytes > LISTED_BYTES_MAX) return THROTTLED;
  }
  return { kind: "paths", paths };
}

/**
 * What a read of ZooKeeper's protocol is answered for one of Keeper's own znodes, where the tree has none. They are in no tree and in no list
 * of the root's children; a client may make znodes of its own at these paths, as in ZooKeeper.
 */
export function systemZnode(from: GatewayName, read: Read): ReadResult | undefined {
  if (!("path" in read) || !read.path.startsWith(KEEPER_PATH)) return undefined;
  if (!from.startsWith("zookeeper/")) return undefined;
  const data = KEEPER_ZNODES.get(read.path);
  if (data === undefined) return undefined;
  const stat: Stat = { ...NO_STAT, dataLength: data.length };
  switch (read.kind) {
    case "exists":
      return { kind: "stat", stat };
    case "getData":
      return { kind: "data", data, stat };
    case "getChildren":
      return { kind: "children", children: [], stat };
    default:
      return undefined;
  }
}

const NO_STAT: Stat = {
  ...{ czxid: ZXID_NONE, mzxid: ZXID_NONE, ctime: 0, mtime: 0, version: 0, cversion: 0 },
  ...{ aversion: 0, ephemeralOwner: 0, dataLength: 0, numChildren: 0, pzxid: ZXID_NONE },
};
