/**
 * An estimate of the memory that the tree takes. It comes from running totals and is the same on every node. The znodes, paths and
 * sessions lie in the heap of JavaScript; the values of znodes lie outside of it. Near the limits the gateways refuse writes that grow
 * the tree. They are refused before they reach the log, since what is committed must be applied.
 */
import { logEvent } from "../../log-event.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { emit } from "../../topics.ts";
import type { TreeMemory } from "../messages.ts";
import type { Znodes, Znode } from "./znodes.ts";
import type { TreeState, TreeTurn } from "../state.ts";

export type TreeLimits = {
  /** Bytes of znodes, paths and sessions in the heap of a lane. From here on writes that grow the tree are refused. */
  readonly heapBytesMax: number;
  /** Bytes in the heap at which the node stops and says why. They count a tree that is being loaded beside the present one. */
  readonly heapBytesStop: number;
  /** Bytes of znodes, paths, sessions and values. From here on writes that grow the tree are refused. */
  readonly bytesMax: number;
  /** The number of sessions from which on a further session is refused. */
  readonly sessionsMax: number;
  /** The number of watches on one lane from which on a read that asks for a further watch is refused. */
  readonly watchesMax: number;
};

export const NO_LIMITS: TreeLimits = {
  heapBytesMax: Number.POSITIVE_INFINITY,
  heapBytesStop: Number.POSITIVE_INFINITY,
  bytesMax: Number.POSITIVE_INFINITY,
  sessionsMax: Number.POSITIVE_INFINITY,
  watchesMax: Number.POSITIVE_INFINITY,
};

/** The measured bytes of a znode, with its entries in the map of paths and in its parent's children, but without its path. */
export const ZNODE_BYTES = 512;
const SESSION_BYTES = 512;
/** A JavaScript map holds 2^24 entries. The difference is for the writes under way when this number is reached. */
const ZNODES_MAX = 16_000_000;
/** The share of the limits below which writes are taken again, so that the tree does not flap between the two. */
const FREE_SHARE = 0.95;
const BYTES_OF_MB: number = 1024 * 1024;

export type TreeSize = { readonly heapBytes: number; readonly bytes: number };

function znodesHeapBytes({ byPath, pathBytes }: Znodes): number {
  return byPath.size * ZNODE_BYTES + pathBytes;
}

export function sizeOf({ znodes, sessions }: TreeState): TreeSize {
  const heapBytes = znodesHeapBytes(znodes) + sessions.size * SESSION_BYTES;
  return { heapBytes, bytes: heapBytes + znodes.dataBytes - znodes.pathBytes };
}

/**
 * Stops a node whose heap cannot hold the tree. That happens when other nodes, or this one at an earlier start, have more heap and
 * have committed more than this heap can hold.
 */
export function stopIfTooLarge(turn: TreeTurn): void {
  const { state: tree, effects } = turn;
  const { heapBytesStop } = tree.options.limits;
  const loading = tree.loading === undefined ? 0 : znodesHeapBytes(tree.loading.znodes);
  const heapBytes = sizeOf(tree).heapBytes + loading;
  if (heapBytes <= heapBytesStop) return;
  const needed = Math.ceil(heapBytes / BYTES_OF_MB);
  const available = Math.floor(heapBytesStop / BYTES_OF_MB);
  const reason = `the tree needs ${needed} MB of heap or more and a lane of this node has ${available} MB for it: start it with NODE_OPTIONS=--max-old-space-size=${4 * needed} (MB)`;
  effects.push({ kind: "stopNode", reason });
}

/** Emits `memory` when the tree reaches its limits, and when it is well below them again. */
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

/** Whether the operation, if it were applied now, would make the tree larger. The answer may be yes for one that will fail. */
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
