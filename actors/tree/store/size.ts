/**
 * An estimate of the memory that the tree takes. It comes from running totals and is the same on every node. The znodes lie outside of
 * the heap of JavaScript; sessions lie in it, and so does what only few znodes have. Near the limits the gateways refuse writes that
 * grow the tree. They are refused before they reach the log, since what is committed must be applied.
 */
import { logEvent } from "../../log-event.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { type Acl, isOpenEntry } from "../../../protocol/acl.ts";
import { emit } from "../../topics.ts";
import type { TreeMemory } from "../messages.ts";
import { aclHeapBytes } from "./acl-lists.ts";
import { entryBytes } from "./arena.ts";
import { EXTRA_HEAP_BYTES, ZNODE_BYTES } from "./znodes.ts";
import type { TreeState, TreeTurn } from "../state.ts";

export type TreeLimits = {
  /** Bytes of sessions, and of what only few znodes have, in the heap of a lane. From here on writes that grow the tree are refused. */
  readonly heapBytesMax: number;
  /** Bytes in the heap at which the node stops and says why. They count a tree that is being loaded beside the present one. */
  readonly heapBytesStop: number;
  /** Bytes of znodes and sessions. From here on writes that grow the tree are refused. */
  readonly bytesMax: number;
  /** Bytes of znodes and sessions at which the node stops and says why. They count a tree that is being loaded beside the present one. */
  readonly bytesStop: number;
  /** The number of sessions from which on a further session is refused. */
  readonly sessionsMax: number;
  /** The number of watches on one lane from which on a read that asks for a further watch is refused. */
  readonly watchesMax: number;
};

export const NO_LIMITS: TreeLimits = {
  heapBytesMax: Number.POSITIVE_INFINITY,
  heapBytesStop: Number.POSITIVE_INFINITY,
  bytesMax: Number.POSITIVE_INFINITY,
  bytesStop: Number.POSITIVE_INFINITY,
  sessionsMax: Number.POSITIVE_INFINITY,
  watchesMax: Number.POSITIVE_INFINITY,
};

const SESSION_BYTES = 512;
/** The share of what the store can number, from which on the tree is full. The rest is for the writes under way by then. */
const USED_SHARE_MAX = 0.9;
/** The share of the limits below which writes are taken again, so that the tree does not flap between the two. */
const FREE_SHARE = 0.95;
const BYTES_OF_MB: number = 1024 * 1024;

export type TreeSize = { readonly heapBytes: number; readonly bytes: number };

export function sizeOf({
  znodes,
  sessions,
  kept,
  quotas,
}: Pick<TreeState, "znodes" | "sessions" | "kept"> & Partial<Pick<TreeState, "quotas">>): TreeSize {
  const ofSessions = sessions.size * SESSION_BYTES + kept.bytes;
  const heapBytes = znodes.heapBytes + ofSessions + (quotas?.heapBytes ?? 0);
  return { heapBytes, bytes: heapBytes + znodes.bytes };
}

/**
 * Stops a node whose memory cannot hold the tree. That happens when other nodes, or this one at an earlier start, have more memory and
 * have committed more than this node can hold.
 */
export function stopIfTooLarge(turn: TreeTurn): void {
  const { state: tree, effects } = turn;
  const { heapBytesStop, bytesStop } = tree.options.limits;
  const present = sizeOf(tree);
  const loading = tree.loading === undefined ? { heapBytes: 0, bytes: 0 } : sizeOf(tree.loading);
  const heapBytes = present.heapBytes + loading.heapBytes;
  const bytes = present.bytes + loading.bytes;
  const needed = (size: number): number => Math.ceil(size / BYTES_OF_MB);
  const there = (size: number): number => Math.floor(size / BYTES_OF_MB);
  if (heapBytes > heapBytesStop) {
    const megabytes = needed(heapBytes);
    const reason = `the tree needs ${megabytes} MB of heap or more and a lane of this node has ${there(heapBytesStop)} MB for it: start it with NODE_OPTIONS=--max-old-space-size=${4 * megabytes} (MB)`;
    effects.push({ kind: "stopNode", reason });
  } else if (bytes > bytesStop) {
    const reason = `the tree needs ${needed(bytes)} MB of memory or more and a lane of this node has ${there(bytesStop)} MB for it: start it with fewer lanes or where there is more memory`;
    effects.push({ kind: "stopNode", reason });
  }
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
    tree.znodes.usedShare >= USED_SHARE_MAX * share;
  const sessionsFull = tree.sessions.size >= limits.sessionsMax;
  if (full === tree.memory.full && sessionsFull === tree.memory.sessionsFull) return;
  if (full !== tree.memory.full) {
    const { heapBytesMax, bytesMax } = limits;
    const detail = { znodes: tree.znodes.size, heapBytes, heapBytesMax, bytes, bytesMax };
    const event = full ? "treeFull" : "treeFits";
    effects.push(logEvent(event, detail));
  }
  const memory: TreeMemory = { kind: "treeMemory", full, sessionsFull };
  tree.memory = memory;
  effects.push(emit("memory", memory));
}

/** Whether the operation, if it were applied now, would make the tree larger. The answer may be yes for one that will fail. */
export function grows(tree: TreeState, operation: ClientOperation): boolean {
  if (operation.kind === "setAcl") return growthOfAcl(tree, operation) > 0;
  if (operation.kind !== "multi") return isZnodeOperation(operation) && growth(tree, operation) > 0;
  let bytes = 0;
  for (const each of operation.operations) bytes += growth(tree, each);
  return bytes > 0;
}

/** Also a list that other znodes have takes its place with each. */
function growthOfAcl(
  { znodes }: TreeState,
  { path, acl }: Extract<ClientOperation, { readonly kind: "setAcl" }>,
): number {
  const znode = znodes.find(path);
  return znode === undefined ? 0 : listBytes(acl) - listBytes(znodes.acl(znode));
}

function listBytes(acl: readonly Acl[]): number {
  return acl.every(isOpenEntry) ? 0 : EXTRA_HEAP_BYTES + aclHeapBytes(acl);
}

function isZnodeOperation(operation: ClientOperation): operation is ZnodeOperation {
  return operation.kind === "create" || operation.kind === "setData";
}

function growth({ znodes }: TreeState, operation: ZnodeOperation): number {
  const { path } = operation;
  switch (operation.kind) {
    case "create": {
      const name = path.length - path.lastIndexOf("/") - 1;
      const { ephemeral, lifetime } = operation.mode;
      const extra = ephemeral || lifetime !== undefined ? EXTRA_HEAP_BYTES : 0;
      return (
        ZNODE_BYTES +
        entryBytes(name, operation.data?.length ?? 0) +
        extra +
        listBytes(operation.acl)
      );
    }
    case "setData": {
      const znode = znodes.find(path);
      return znode === undefined ? 0 : (operation.data?.length ?? 0) - znodes.dataLength(znode);
    }
    case "delete": {
      const znode = znodes.find(path);
      return znode === undefined ? 0 : -znodes.bytesOf(znode);
    }
    // What they delete is not counted: a multi that needs the room for something else can delete one by one.
    case "tryRemove":
    case "removeRecursive":
    case "checkNotExists":
    case "checkStat":
    case "check":
    case "refusal":
      return 0;
  }
}
