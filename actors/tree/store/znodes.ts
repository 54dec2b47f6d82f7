/** The znodes: one map by path, the children's names at each parent, and running totals. */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { nameOf, parentOf, SPECIAL_PATHS } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { createValues, putValue, releaseValue, type Chunk, type Values } from "./values.ts";

export type Znode = {
  readonly path: string;
  data: Uint8Array | null;
  chunk: Chunk | undefined;
  acl: readonly Acl[];
  readonly czxid: Zxid;
  mzxid: Zxid;
  pzxid: Zxid;
  readonly ctime: number;
  mtime: number;
  version: number;
  /** How many children were ever created: the suffix of the next sequential one. Signed 32 bits, as in ZooKeeper. */
  creates: number;
  aversion: number;
  readonly ephemeralOwner: SessionId;
  numChildren: number;
  /** Their names. Undefined until the first. */
  children: Set<string> | undefined;
  /** Number of the last cut of a snapshot that has written it. */
  cut: number;
};

export type Nodes = {
  readonly byPath: Map<string, Znode>;
  readonly values: Values;
  /** Lengths of all paths and data: ZooKeeper's approximate data size. */
  dataBytes: number;
  /** Lengths of all paths. */
  pathBytes: number;
  ephemerals: number;
};

const READ_ACL: readonly Acl[] = [{ permissions: 1, scheme: "world", id: "anyone" }];

/** The tree that every ensemble starts with, as ZooKeeper 3.8 answers it: no creates are counted for these. */
export function createNodes(): Nodes {
  const nodes = emptyNodes();
  for (const path of SPECIAL_PATHS) {
    const node = createZnode(path, OPEN_ACL, ZXID_NONE, 0, SESSION_NONE);
    const parent = path === "/" ? undefined : nodes.byPath.get(parentOf(path));
    insertNode(nodes, parent, node);
    putData(nodes, node, new Uint8Array(0));
    if (path !== "/zookeeper/config") continue;
    node.acl = READ_ACL;
    node.aversion = -1;
  }
  return nodes;
}

export function emptyNodes(): Nodes {
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
    chunk: undefined,
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

/** Puts the node, with whatever data it has, below its parent (undefined for the root, or when it comes later). */
export function insertNode(nodes: Nodes, parent: Znode | undefined, node: Znode): void {
  nodes.byPath.set(node.path, node);
  nodes.dataBytes += node.path.length + (node.data?.length ?? 0);
  nodes.pathBytes += node.path.length;
  if (node.ephemeralOwner !== SESSION_NONE) nodes.ephemerals += 1;
  if (parent !== undefined) addChild(parent, node);
}

export function addChild(parent: Znode, node: Znode): void {
  parent.children ??= new Set();
  parent.children.add(nameOf(node.path));
  parent.numChildren = parent.children.size;
}

/** Takes the node out. It can still be read, and be inserted again. */
export function removeNode(nodes: Nodes, parent: Znode, node: Znode): void {
  nodes.byPath.delete(node.path);
  nodes.dataBytes -= node.path.length + (node.data?.length ?? 0);
  nodes.pathBytes -= node.path.length;
  if (node.ephemeralOwner !== SESSION_NONE) nodes.ephemerals -= 1;
  parent.children?.delete(nameOf(node.path));
  parent.numChildren = parent.children?.size ?? 0;
  releaseValue(nodes.values, node);
}

/** Gives the node its own copy of `data`. */
export function putData(nodes: Nodes, node: Znode, data: Uint8Array | null): void {
  nodes.dataBytes += (data?.length ?? 0) - (node.data?.length ?? 0);
  putValue(nodes.values, node, data);
}

/** What clients see as cversion: creates and deletes of children together. */
export function cversionOf(node: Znode): number {
  return (node.creates * 2 - node.numChildren) | 0;
}

export function statOf(node: Znode): Stat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: cversionOf(node),
    aversion: node.aversion,
    ephemeralOwner: node.ephemeralOwner,
    dataLength: node.data === null ? 0 : node.data.length,
    numChildren: node.numChildren,
    pzxid: node.pzxid,
  };
}
