/**
 * Whether the memory of a lane can hold the tree of a data folder, judged before it is loaded: by the newest snapshot, whose chunks
 * say how many entries they hold.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { entryBytes } from "../actors/tree/store/arena.ts";
import { ZNODE_BYTES } from "../actors/tree/store/znodes.ts";
import { SNAPSHOT_CHUNK_BYTES_MAX } from "../protocol/limits.ts";
import { CHUNK_HEADER_BYTES, chunkHeader } from "../protocol/snapshot.ts";

const SNAPSHOT = /^snapshot\.[0-9a-f]{16}$/;
/** The least that a znode takes: one character of a name, and no data. */
const ENTRY_BYTES_MIN: number = ZNODE_BYTES + entryBytes(1, 0);
const BYTES_OF_MB: number = 1024 * 1024;

/**
 * Why the node should not start, as a message; undefined when it may. `bytesStop` is what each of `lanes` has for its tree. A folder that
 * cannot be read is judged by the log.
 */
export function memoryProblem(
  dataDir: string,
  bytesStop: number,
  lanes: number,
): string | undefined {
  const entries = entriesOfNewest(dataDir);
  const neededBytes = entries * ENTRY_BYTES_MIN;
  if (neededBytes <= bytesStop) return undefined;
  const mb = (bytes: number): number => Math.ceil(bytes / BYTES_OF_MB);
  const needs = `the tree in ${dataDir} (${entries} znodes and sessions) takes ${mb(neededBytes)} MB of memory or more`;
  return lanes === 1
    ? `${needs} and this process has ${mb(bytesStop)} MB for it: start it where there is more memory`
    : `${needs} and each of the ${lanes} lanes of this process has ${mb(bytesStop)} MB for it: start it with fewer lanes, or where there is more memory`;
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
