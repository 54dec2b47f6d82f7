/** What a disk may do to a node while it is down: forget everything, lose a file, change a byte, or have written a block elsewhere. */
import { crc32 } from "node:zlib";
import { segmentZxid } from "../../actors/log/files.ts";
import { findMark, MARK_BYTES, markAt, SEAL_BYTES } from "../../actors/log/mark.ts";
import { verifyRecord } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { MemoryDisk } from "../../runtime/disks/memory.ts";

/** What was done; undefined: nothing, since there was nothing to damage. Everything done is durable. */
export function damageDisk(disk: MemoryDisk, random: () => number): string | undefined {
  const files = disk.snapshot();
  const names = Object.keys(files);
  if (random() < 0.3) {
    for (const file of names) disk.perform({ kind: "remove", file });
    disk.perform({ kind: "syncFolder" });
    return "wiped";
  }
  const file = pick(names.filter(isDamageable), random);
  const bytes = file === undefined ? undefined : files[file];
  if (file === undefined || bytes === undefined || bytes.length === 0) return undefined;
  if (file.startsWith("log.") && file !== lastSegment(names) && random() < 0.3) {
    disk.perform({ kind: "remove", file });
    disk.perform({ kind: "syncFolder" });
    return `${file} removed`;
  }
  // Of the last segment, what comes before the mark of its last write, or the seal: that shows that it was durable.
  const length = file === lastSegment(names) ? (marksOf(file, bytes).at(-1) ?? 0) : bytes.length;
  if (length === 0) return undefined;
  const position = Math.floor(random() * length);
  const into = bytes.subarray(0, length);
  const block = random() < 0.3 ? misplaced(files, into, position, random) : undefined;
  const done = block === undefined ? "changed" : "overwritten by another block";
  change(disk, file, position, block ?? flipped(bytes, position, random));
  return `${file} ${done} at ${position} of ${bytes.length}`;
}

/**
 * The last write of the log is cut short, or changed where it has no seal, after it was synced. That is not to be told from a
 * crash before the sync, so it may be done only where others hold enough. `after`: the zxid that is left for certain.
 */
export function loseLastWrite(
  disk: MemoryDisk,
  random: () => number,
): { readonly done: string; readonly after: Zxid } | undefined {
  const files = disk.snapshot();
  const file = lastSegment(Object.keys(files));
  const bytes = file === undefined ? undefined : files[file];
  if (file === undefined || bytes === undefined) return undefined;
  const marks = marksOf(file, bytes);
  const sealAt = marks.find((at) => isSeal(bytes, at));
  const start = marks.findLast((at) => at !== sealAt);
  const mark = start === undefined ? undefined : markAt(bytes, start, crc32);
  if (start === undefined || mark === undefined) return undefined;
  const end = sealAt ?? endOfWrite(bytes, start);
  const position = start + Math.floor(random() * (end - start));
  if (sealAt !== undefined || random() < 0.5) {
    disk.perform({ kind: "truncate", file, length: position });
    disk.perform({ kind: "sync", file });
    return { done: `${file} cut short at ${position} of ${end}`, after: mark.prevZxid };
  }
  change(disk, file, position, flipped(bytes, position, random));
  return { done: `${file} changed at ${position} of ${end}`, after: mark.prevZxid };
}

/** A mark without a record. */
function isSeal(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at + MARK_BYTES, at + SEAL_BYTES).every((byte) => byte === 0);
}

function endOfWrite(bytes: Uint8Array, start: number): number {
  for (let at = start + MARK_BYTES; ; ) {
    const checked = verifyRecord(bytes, at, crc32);
    if ("fault" in checked) return at;
    at += checked.length;
  }
}

function change(disk: MemoryDisk, file: string, position: number, bytes: Uint8Array): void {
  disk.perform({ kind: "write", file, position, chunks: [bytes] });
  disk.perform({ kind: "sync", file });
}

function flipped(bytes: Uint8Array, position: number, random: () => number): Uint8Array {
  return new Uint8Array([(bytes[position] ?? 0) ^ (1 << Math.floor(random() * 8))]);
}

/** Where the writes of a segment begin, a seal among them; not those of what it held before it was used again. */
function marksOf(file: string, bytes: Uint8Array): number[] {
  const marks: number[] = [];
  const notBefore = segmentZxid(file);
  for (let base = 0; ; base = (marks.at(-1) ?? 0) + 1) {
    const first = base === 0 && markAt(bytes, 0, crc32)?.offset === 0;
    const next = first ? 0 : findMark(bytes.subarray(base), { base, notBefore }, crc32);
    if (next === undefined) return marks;
    marks.push(next);
  }
}

const BLOCK_BYTES = 512;

/** A block of some file that differs from what stands at the position. */
function misplaced(
  files: Readonly<Record<string, Uint8Array>>,
  into: Uint8Array,
  position: number,
  random: () => number,
): Uint8Array | undefined {
  const from = pick(Object.values(files), random);
  if (from === undefined) return undefined;
  const at = Math.floor(random() * from.length);
  const block = from.slice(at, at + Math.min(BLOCK_BYTES, into.length - position));
  const there = into.subarray(position, position + block.length);
  return Buffer.compare(block, there) === 0 ? undefined : block;
}

/** Not the file that says whose folder it is, without which a node does not start. */
function isDamageable(name: string): boolean {
  return name.startsWith("log.") || name.startsWith("snapshot.") || name === "promise";
}

function lastSegment(names: readonly string[]): string | undefined {
  return names
    .filter((name) => name.startsWith("log."))
    .toSorted()
    .at(-1);
}

function pick<Value>(values: readonly Value[], random: () => number): Value | undefined {
  return values[Math.floor(random() * values.length)];
}
