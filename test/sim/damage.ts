/**
 * What a disk may do to a node while it is down: forget everything, lose, empty, cut or zero a file, change a byte, or have written
 * a block elsewhere.
 */
import { crc32 } from "node:zlib";
import {
  LOG_END_FILE,
  PROMISE_FILE,
  segmentZxid,
  snapshotZxid,
} from "../../actors/log/format/files.ts";
import { decodeLogEnd, encodeLogEnd } from "../../actors/log/segments/log-end.ts";
import {
  findWriteHeader,
  WRITE_HEADER_BYTES,
  writeHeaderAt,
  SEAL_BYTES,
} from "../../actors/log/format/write-header.ts";
import { verifyRecord } from "../../protocol/record.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { MemoryDisk } from "../../runtime/testing/memory-disk.ts";

/**
 * Returns what was done; undefined if there was nothing to damage. All of it is durable, and so is the log's end: a folder that is damaged
 * before `log-end` has reached the disk, and whose machine then loses its power, shows nothing of it (decision 11).
 */
export function damageDisk(disk: MemoryDisk, random: () => number): string | undefined {
  const done = damageSomething(disk, random);
  const hasEnd = disk.snapshot()[LOG_END_FILE] !== undefined;
  if (done !== undefined && hasEnd) disk.perform({ kind: "sync", file: LOG_END_FILE });
  return done;
}

function damageSomething(disk: MemoryDisk, random: () => number): string | undefined {
  const files = disk.snapshot();
  const names = Object.keys(files);
  if (random() < 0.3) return wipeDisk(disk);
  const last = lastSegment(names);
  if (last !== undefined && random() < 0.25) return loseBytes(disk, last, random);
  const file = pick(names.filter(isDamageable), random);
  const bytes = file === undefined ? undefined : files[file];
  if (file === undefined || bytes === undefined || bytes.length === 0) return undefined;
  if (random() < 0.4) return loseBytes(disk, file, random);
  // In the last segment only the records before the header of the last write, or before the seal, are known to be durable.
  const length = file === lastSegment(names) ? (marksOf(file, bytes).at(-1) ?? 0) : bytes.length;
  if (length === 0) return undefined;
  const position = Math.floor(random() * length);
  const into = bytes.subarray(0, length);
  const block = random() < 0.3 ? misplaced(files, into, position, random) : undefined;
  const done = block === undefined ? "changed" : "overwritten by another block";
  change(disk, file, position, block ?? flipped(bytes, position, random));
  return `${file} ${done} at ${position} of ${bytes.length}`;
}

function damagePromise(disk: MemoryDisk): string | undefined {
  const file = PROMISE_FILE;
  const bytes = disk.snapshot()[file];
  if (bytes === undefined) return undefined;
  change(disk, file, 0, new Uint8Array(bytes.length));
  return `${file} zeroed`;
}

function wipeDisk(disk: MemoryDisk): string {
  for (const file of Object.keys(disk.snapshot())) disk.perform({ kind: "remove", file });
  disk.perform({ kind: "syncFolder" });
  return "wiped";
}

export const lose: Readonly<
  Record<"everything" | "promise", (disk: MemoryDisk) => string | undefined>
> = { everything: wipeDisk, promise: damagePromise };

/**
 * Cuts the last write of the log short after it was synced, or changes it if it has no seal. This looks like a crash before the sync, so
 * it may be done only where enough other nodes hold the records. `after` is the zxid up to which the log is certainly left.
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
  const mark = start === undefined ? undefined : writeHeaderAt(bytes, start, crc32);
  // A segment gets its name when its first write is durable.
  if (start === undefined || start === 0 || mark === undefined) return undefined;
  if (!untellEnd(disk, files, mark.prevZxid)) return undefined;
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

/**
 * Sets `log-end` back to what its first place names, as if the power had failed before the others were synced. False: the first place
 * names a record after `after`, and it was synced.
 */
function untellEnd(
  disk: MemoryDisk,
  files: Readonly<Record<string, Uint8Array>>,
  after: Zxid,
): boolean {
  const bytes = files[LOG_END_FILE];
  if (bytes === undefined) return true;
  const first = bytes.slice();
  first.fill(0, FIRST_PLACE_BYTES);
  const synced = recordedEnd(first);
  if (synced === undefined || synced > after) return false;
  change(disk, LOG_END_FILE, 0, encodeLogEnd(synced, crc32));
  return true;
}

const FIRST_PLACE_BYTES = 512;

function recordedEnd(bytes: Uint8Array | undefined): Zxid | undefined {
  try {
    return bytes === undefined ? undefined : decodeLogEnd(bytes, crc32);
  } catch {
    return undefined;
  }
}

/**
 * Removes a file or a part of it. In the last segment it removes so much that a record which `log-end` names is lost, or that none is
 * left: a smaller loss there looks like that of a power failure.
 */
function loseBytes(disk: MemoryDisk, file: string, random: () => number): string | undefined {
  const files = disk.snapshot();
  const bytes = files[file] ?? new Uint8Array(0);
  const isLast = file === lastSegment(Object.keys(files));
  const length = isLast ? recordedLength(file, files) : bytes.length;
  const position = random() < 0.5 ? 0 : Math.floor(random() * length);
  const how = random();
  if (how < 0.3 && !(isLast && !isMissed(files, bytes))) {
    disk.perform({ kind: "remove", file });
    disk.perform({ kind: "syncFolder" });
    return `${file} removed`;
  }
  const isEmpty = bytes.subarray(position, length).every((byte) => byte === 0);
  if (how < 0.65 || isEmpty) {
    disk.perform({ kind: "truncate", file, length: position });
    disk.perform({ kind: "sync", file });
    return `${file} cut at ${position} of ${bytes.length}`;
  }
  change(disk, file, position, new Uint8Array(bytes.length - position));
  return `${file} zeroed from ${position} of ${bytes.length}`;
}

/**
 * Returns the length of the last segment up to the write header behind the last record that `log-end` names, or up to its first
 * one.
 */
function recordedLength(file: string, files: Readonly<Record<string, Uint8Array>>): number {
  const bytes = files[file] ?? new Uint8Array(0);
  const recorded = recordedEnd(files[LOG_END_FILE]) ?? ZXID_NONE;
  const marks = marksOf(file, bytes).filter((at) => {
    const prevZxid = writeHeaderAt(bytes, at, crc32)?.prevZxid;
    return at > 0 && prevZxid !== undefined && prevZxid <= recorded;
  });
  return marks.at(-1) ?? WRITE_HEADER_BYTES;
}

/** Whether `log-end` names a record of the segment, and no snapshot that could replace the whole log reaches as far. */
function isMissed(files: Readonly<Record<string, Uint8Array>>, segment: Uint8Array): boolean {
  const recorded = recordedEnd(files[LOG_END_FILE]) ?? ZXID_NONE;
  const before = writeHeaderAt(segment, 0, crc32)?.prevZxid;
  const snapshots = Object.keys(files).map((name) => snapshotZxid(name) ?? ZXID_NONE);
  return before !== undefined && recorded > before && snapshots.every((zxid) => zxid < recorded);
}

/** Whether there is a write header without a record. */
function isSeal(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at + WRITE_HEADER_BYTES, at + SEAL_BYTES).every((byte) => byte === 0);
}

function endOfWrite(bytes: Uint8Array, start: number): number {
  for (let at = start + WRITE_HEADER_BYTES; ; ) {
    const checked = verifyRecord(bytes, at, crc32);
    if ("fault" in checked) return at;
    at += checked.length;
  }
}

function change(disk: MemoryDisk, file: string, position: number, bytes: Uint8Array): void {
  disk.perform({ kind: "write", file, position, buffers: [bytes] });
  disk.perform({ kind: "sync", file });
}

function flipped(bytes: Uint8Array, position: number, random: () => number): Uint8Array {
  return new Uint8Array([(bytes[position] ?? 0) ^ (1 << Math.floor(random() * 8))]);
}

/** Returns where the writes of a segment begin, its seal included, without the remnants of an earlier use. */
function marksOf(file: string, bytes: Uint8Array): number[] {
  const marks: number[] = [];
  const notBefore = segmentZxid(file);
  for (let base = 0; ; base = (marks.at(-1) ?? 0) + 1) {
    const first = base === 0 && writeHeaderAt(bytes, 0, crc32)?.offset === 0;
    const next = first ? 0 : findWriteHeader(bytes.subarray(base), { base, notBefore }, crc32);
    if (next === undefined) return marks;
    marks.push(next);
  }
}

const BLOCK_BYTES = 512;

/** Returns a block of some file that differs from the bytes at the position. */
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

/** The file that names the owner of the folder is left alone: without it a node does not start. */
function isDamageable(name: string): boolean {
  if (name === "promise" || name === LOG_END_FILE) return true;
  return name.startsWith("log.") || name.startsWith("snapshot.");
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
