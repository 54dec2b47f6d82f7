/** The znodes of a tree: a map from path to znode, the names of the children at each parent, and running totals. */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { nameOf, parentOf, SPECIAL_PATHS } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { createValues, putValue, releaseValue, type Slab, type Values } from "./values.ts";

export type Znode = {
  readonly path: string;
  data: Uint8Array | null;
  slab: Slab | undefined;
  acl: readonly Acl[];
  readonly czxid: Zxid;
  mzxid: Zxid;
  pzxid: Zxid;
  readonly ctime: number;
  mtime: number;
  version: number;
  /** How many children were ever created, which is the suffix of the next sequential child. Signed 32 bits, as in ZooKeeper. */
  creates: number;
  aversion: number;
  readonly ephemeralOwner: SessionId;
  numChildren: number;
  /** The names of the children. Undefined until there is the first. */
  children: Set<string> | undefined;
  /** The number of the last cut that has written this znode to its snapshot. */
  cut: number;
};

export type Znodes = {
  readonly byPath: Map<string, Znode>;
  readonly values: Values;
  /** The sum of the lengths of all paths and values, which ZooKeeper calls the approximate data size. */
  dataBytes: number;
  /** The sum of the lengths of all paths. */
  pathBytes: number;
  ephemerals: number;
};

const READ_ACL: readonly Acl[] = [{ permissions: 1, scheme: "world", id: "anyone" }];

/** The tree with which every ensemble starts, as ZooKeeper 3.8 shows it: these znodes do not count as created children. */
export function createZnodes(): Znodes {
  const znodes = emptyZnodes();
  for (const path of SPECIAL_PATHS) {
    const znode = createZnode(path, OPEN_ACL, ZXID_NONE, 0, SESSION_NONE);
    const parent = path === "/" ? undefined : znodes.byPath.get(parentOf(path));
    linkZnode(znodes, parent, znode);
    putData(znodes, znode, new Uint8Array(0));
    if (path !== "/zookeeper/config") continue;
    znode.acl = READ_ACL;
    znode.aversion = -1;
  }
  return znodes;
}

export function emptyZnodes(): Znodes {
  return { byPath: new Map(), values: createValues(), dataBytes: 0, pathBytes: 0, ephemerals: 0 };
}

export function isSpecial(path: string): boolean {
  return SPECIAL_PATHS.includes(path);
}

export function createZnode(
  path: string,
  acl: readonly Acl[],
  zxid: Zxid,
  timeMs: number,
  ephemeralOwner: SessionId,
): Znode {
  return {
    path,
    data: null,
    slab: undefined,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: timeMs,
    mtime: timeMs,
    version: 0,
    creates: 0,
    aversion: 0,
    ephemeralOwner,
    numChildren: 0,
    children: undefined,
    cut: 0,
  };
}

/** Adds the znode, with whatever data it has. `parent` is undefined for the root, or when the parent will be added later. */
export function linkZnode(znodes: Znodes, parent: Znode | undefined, znode: Znode): void {
  znodes.byPath.set(znode.path, znode);
  znodes.dataBytes += znode.path.length + (znode.data?.length ?? 0);
  znodes.pathBytes += znode.path.length;
  if (znode.ephemeralOwner !== SESSION_NONE) znodes.ephemerals += 1;
  if (parent !== undefined) addChild(parent, znode);
}

export function addChild(parent: Znode, znode: Znode): void {
  parent.children ??= new Set();
  parent.children.add(nameOf(znode.path));
  parent.numChildren = parent.children.size;
}

/** Removes the znode. It can still be read, and can be linked again. */
export function unlinkZnode(znodes: Znodes, parent: Znode, znode: Znode): void {
  znodes.byPath.delete(znode.path);
  znodes.dataBytes -= znode.path.length + (znode.data?.length ?? 0);
  znodes.pathBytes -= znode.path.length;
  if (znode.ephemeralOwner !== SESSION_NONE) znodes.ephemerals -= 1;
  parent.children?.delete(nameOf(znode.path));
  parent.numChildren = parent.children?.size ?? 0;
  releaseValue(znodes.values, znode);
}

/** Replaces the znode's data by a copy of `data`. */
export function putData(znodes: Znodes, znode: Znode, data: Uint8Array | null): void {
  znodes.dataBytes += (data?.length ?? 0) - (znode.data?.length ?? 0);
  putValue(znodes.values, znode, data);
}

/** The cversion that clients see: the number of creates and deletes of children together. */
export function cversionOf(znode: Znode): number {
  return (znode.creates * 2 - znode.numChildren) | 0;
}

export function statOf(znode: Znode): Stat {
  return {
    czxid: znode.czxid,
    mzxid: znode.mzxid,
    ctime: znode.ctime,
    mtime: znode.mtime,
    version: znode.version,
    cversion: cversionOf(znode),
    aversion: znode.aversion,
    ephemeralOwner: znode.ephemeralOwner,
    dataLength: znode.data === null ? 0 : znode.data.length,
    numChildren: znode.numChildren,
    pzxid: znode.pzxid,
  };
}
