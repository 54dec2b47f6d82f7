/**
 * What a node may hold in memory, derived from the machine where the configuration does not say it. Znodes lie outside of the heap,
 * sessions and what only few znodes have in it. Shares of each: a tree whose writes are refused from there on has memory left to grow by
 * all that is under way on five nodes, to leave gaps where data was, and to be loaded again beside what it was.
 */
import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { TreeLimits } from "../actors/tree/store/size.ts";
import { CHANGE_RING_BYTES_MAX, GATEWAY_HELD_BYTES_MAX } from "../protocol/limits.ts";
import type { PlacedConfig } from "./threads/choice.ts";

export type Machine = {
  /** The size of the old generation of this thread's heap, which holds what lives for long. */
  readonly heapBytes: number;
  /** The memory of the machine, or what the control group of the process allows. */
  readonly memoryBytes: number;
};

export type MemoryLimits = {
  readonly tree: TreeLimits;
  /** For each gateway of a lane. */
  readonly heldBytesMax: number;
  readonly ringBytesMax: number;
};

type Configured = Pick<
  PlacedConfig,
  "lanes" | "maxTreeBytes" | "maxSessions" | "maxWatches" | "maxHeldBytes"
>;

const TREE_HEAP_SHARE = 0.35;
/** From here on the node stops: the heap might have no space left before the next collection. */
const HEAP_STOP_SHARE = 0.9;
/** There are two trees while a snapshot is loaded, and what has died in one takes at most about as much again. */
const TREE_MEMORY_SHARE = 0.25;
/** From here on the node stops: the system would end it without saying why. */
const MEMORY_STOP_SHARE = 0.8;
/** The share of the heap that each of these may take: what is held for connections, sessions, watches, and recent changes. */
const OTHER_HEAP_SHARE: number = 1 / 16;
/** What a session takes in the heap with all that is kept for it; below it the same for a watch. */
const SESSION_BYTES = 1024;
const WATCH_BYTES = 256;
/** The most that the young generation takes of V8's limit. */
const YOUNG_BYTES: number = 192 * 1024 * 1024;

/** As the calling thread sees it: lanes have heaps of their own. */
export function machine(): Machine {
  const limit = getHeapStatistics().heap_size_limit;
  const constrained = process.constrainedMemory();
  const memoryBytes = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  return { heapBytes: Math.max(limit - YOUNG_BYTES, Math.floor(limit / 16)), memoryBytes };
}

/** The size at which the tree of a lane stops its node. */
export function treeBytesStop(memoryBytes: number, lanes: number): number {
  return Math.floor((memoryBytes * MEMORY_STOP_SHARE) / lanes);
}

export function memoryLimits(
  config: Configured,
  { heapBytes, memoryBytes }: Machine,
): MemoryLimits {
  const { lanes, maxTreeBytes, maxSessions, maxWatches, maxHeldBytes } = config;
  const other = Math.floor(heapBytes * OTHER_HEAP_SHARE);
  const orElse = (configured: number, derived: number): number =>
    configured > 0 ? configured : Math.floor(derived);
  return {
    tree: {
      heapBytesMax: Math.floor(heapBytes * TREE_HEAP_SHARE),
      heapBytesStop: Math.floor(heapBytes * HEAP_STOP_SHARE),
      bytesMax: orElse(maxTreeBytes, (memoryBytes * TREE_MEMORY_SHARE) / lanes),
      bytesStop: treeBytesStop(memoryBytes, lanes),
      sessionsMax: orElse(maxSessions, other / SESSION_BYTES),
      watchesMax: orElse(maxWatches, other / WATCH_BYTES),
    },
    heldBytesMax: orElse(maxHeldBytes, Math.min(GATEWAY_HELD_BYTES_MAX, other / lanes)),
    ringBytesMax: Math.min(CHANGE_RING_BYTES_MAX, other),
  };
}
