/**
 * Whether the tree of a data folder fits the heap of a lane, judged before it is loaded: by the newest snapshot, whose chunks
 * say how many entries they hold.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { ZNODE_BYTES } from "../actors/tree/store/size.ts";
import { SNAPSHOT_CHUNK_BYTES_MAX } from "../protocol/limits.ts";
import { CHUNK_HEADER_BYTES, chunkHeader } from "../protocol/snapshot.ts";
import type { Placement } from "./threads/choice.ts";

const SNAPSHOT = /^snapshot\.[0-9a-f]{16}$/;
/** What a lane takes without a tree. */
const LANE_BYTES: number = 12 * 1024 * 1024;
/** The share of the heap that a tree may fill at a start. */
const HEAP_SHARE_MAX = 0.9;
/** The share of the heap that is advised for a tree, so that it can grow: see `memory-limits.ts`. */
const TREE_SHARE = 0.35;
const BYTES_OF_MB: number = 1024 * 1024;

/** Why the node should not start, as a message; undefined when it may. A folder that cannot be read is judged by the log. */
export function heapProblem(
  dataDir: string,
  { heapBytes, threads }: { readonly heapBytes: number; readonly threads: Placement["threads"] },
): string | undefined {
  const entries = entriesOfNewest(dataDir);
  const neededBytes = entries * ZNODE_BYTES;
  if (entries === 0 || neededBytes + LANE_BYTES <= heapBytes * HEAP_SHARE_MAX) return undefined;
  const mb = (bytes: number): number => Math.ceil(bytes / BYTES_OF_MB);
  const wanted = mb(neededBytes / TREE_SHARE);
  const flag = `NODE_OPTIONS=--max-old-space-size=${wanted} (MB)`;
  const [holder, advice] =
    threads === "one"
      ? ["this process", flag]
      : ["each lane of this process", `${flag}, or --lane-heap-bytes ${wanted * BYTES_OF_MB}`];
  return `the tree in ${dataDir} (${entries} znodes and sessions) takes about ${mb(neededBytes)} MB of heap and ${holder} has ${mb(heapBytes)} MB: set ${advice}, and start it again`;
}

function entriesOfNewest(dataDir: string): number {
  try {
    const newest = readdirSync(dataDir)
      .filter((name) => SNAPSHOT.test(name))
      .sort()
      .at(-1);
    return newest === undefined ? 0 : entriesOf(join(dataDir, newest));
  } catch {
    return 0;
  }
}

function entriesOf(path: string): number {
  const file = openSync(path, "r");
  try {
    const header = new Uint8Array(CHUNK_HEADER_BYTES);
    let entries = 0;
    let position = 0;
    while (readSync(file, header, 0, header.length, position) === header.length) {
      const { length, entries: count, last } = chunkHeader(header);
      // A damaged snapshot is judged by the log, which reads all of it.
      if (length < header.length || length > SNAPSHOT_CHUNK_BYTES_MAX || count > length) return 0;
      entries += count;
      position += length;
      if (last) break;
    }
    return entries;
  } finally {
    closeSync(file);
  }
}
