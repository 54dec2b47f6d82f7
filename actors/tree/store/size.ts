/**
 * About how much memory the tree takes, from its running totals: the same on every node. The runtime's heap holds its znodes,
 * paths and sessions; the values of znodes lie outside of it. Near its limits a tree has writes that grow it refused, by
 * whoever is asked for one, before they reach the log: what the log holds is always applied.
 */
import { logEvent } from "../../log-event.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { emit } from "../../topics.ts";
import type { TreeMemory } from "../messages.ts";
import type { Znodes, Znode } from "./znodes.ts";
import type { TreeState, TreeTurn } from "../state.ts";

export type TreeLimits = {
  /** Of znodes, paths and sessions, in the heap of a lane. From here on writes that grow the tree are refused. */
  readonly heapBytesMax: number;
  /** More than the heap can hold, another tree beside it included. A node that comes to it stops, with a word on why. */
  readonly heapBytesStop: number;
  /** Of all that, and of the values of znodes. */
  readonly bytesMax: number;
  /** Sessions; a further one is refused. */
  readonly sessionsMax: number;
  /** Watches of one lane; a read that asks for a further one is refused. */
  readonly watchesMax: number;
};

export const NO_LIMITS: TreeLimits = {
  heapBytesMax: Number.POSITIVE_INFINITY,
  heapBytesStop: Number.POSITIVE_INFINITY,
  bytesMax: Number.POSITIVE_INFINITY,
  sessionsMax: Number.POSITIVE_INFINITY,
  watchesMax: Number.POSITIVE_INFINITY,
};

/** A znode with its entries in the map of paths and in its parent's children, measured; its path comes on top. */
export const ZNODE_BYTES = 512;
const SESSION_BYTES = 512;
/** A map holds 2^24 entries. What is under way fits in between. */
const ZNODES_MAX = 16_000_000;
/** Where refused writes are taken again, so that it does not flap. */
const FREE_SHARE = 0.95;
const BYTES_OF_MB: number = 1024 * 1024;

export type TreeSize = { readonly heapBytes: number; readonly bytes: number };

function nodesHeapBytes({ byPath, pathBytes }: Znodes): number {
  return byPath.size * ZNODE_BYTES + pathBytes;
}

export function sizeOf({ znodes, sessions }: TreeState): TreeSize {
  const heapBytes = nodesHeapBytes(znodes) + sessions.size * SESSION_BYTES;
  return { heapBytes, bytes: heapBytes + znodes.dataBytes - znodes.pathBytes };
}

/** Stops a node whose heap would be full: what was committed elsewhere does not fit it, or its heap was larger when it did. */
export function stopIfTooLarge(turn: TreeTurn): void {
  const { state: tree, effects } = turn;
  const { heapBytesStop } = tree.options.limits;
  const loading = tree.loading === undefined ? 0 : nodesHeapBytes(tree.loading.znodes);
  const heapBytes = sizeOf(tree).heapBytes + loading;
  if (heapBytes <= heapBytesStop) return;
  const needed = Math.ceil(heapBytes / BYTES_OF_MB);
  const available = Math.floor(heapBytesStop / BYTES_OF_MB);
  const reason = `the tree needs ${needed} MB of heap or more and a lane of this node has ${available} MB for it: start it with NODE_OPTIONS=--max-old-space-size=${4 * needed} (MB)`;
  effects.push({ kind: "stopNode", reason });
}

/** Tells when the tree comes to its limits, and when it is well below them again. */
export function emitMemory(turn: TreeTurn): void {
  const { state: tree, effects } = turn;
  const { limits } = tree.options;
  const share = tree.memory.full ? FREE_SHARE : 1;
  const { heapBytes, bytes } = sizeOf(tree);
  const full =
    heapBytes >= limits.heapBytesMax * share ||
    bytes >= limits.bytesMax * share ||
    tree.znodes.byPath.size >= ZNODES_MAX * share;
  const sessionsFull = tree.sessions.size >= limits.sessionsMax;
  if (full === tree.memory.full && sessionsFull === tree.memory.sessionsFull) return;
  if (full !== tree.memory.full) {
    const { heapBytesMax, bytesMax } = limits;
    const detail = { znodes: tree.znodes.byPath.size, heapBytes, heapBytesMax, bytes, bytesMax };
    const event = full ? "treeFull" : "treeFits";
    effects.push(logEvent(event, detail));
  }
  const memory: TreeMemory = { kind: "treeMemory", full, sessionsFull };
  tree.memory = memory;
  effects.push(emit("memory", memory));
}

/** Whether the operation, done now, makes the tree larger. One that will fail may be said to. */
export function grows(tree: TreeState, operation: ClientOperation): boolean {
  if (operation.kind !== "multi") return isZnodeOperation(operation) && growth(tree, operation) > 0;
  let bytes = 0;
  for (const each of operation.operations) bytes += growth(tree, each);
  return bytes > 0;
}

function isZnodeOperation(operation: ClientOperation): operation is ZnodeOperation {
  return operation.kind === "create" || operation.kind === "setData";
}

function growth(tree: TreeState, operation: ZnodeOperation): number {
  const { path } = operation;
  switch (operation.kind) {
    case "create":
      return ZNODE_BYTES + path.length + (operation.data?.length ?? 0);
    case "setData": {
      const znode = tree.znodes.byPath.get(path);
      return znode === undefined ? 0 : (operation.data?.length ?? 0) - (znode.data?.length ?? 0);
    }
    case "delete": {
      const znode = tree.znodes.byPath.get(path);
      return znode === undefined ? 0 : -bytesOf(znode);
    }
    case "check":
      return 0;
  }
}

function bytesOf(znode: Znode): number {
  return ZNODE_BYTES + znode.path.length + (znode.data?.length ?? 0);
}
