/** A data folder as bytes: each file as the number of its name, its length in 3 bytes, and its bytes. And checksums made right. */
import { crc32 } from "node:zlib";
import {
  INCARNATION_FILE,
  OWNER_FILE,
  PROMISE_FILE,
  SNAPSHOT_NEW_FILE,
  SPARE_FILE,
  VOTE_LOSS_FILE,
} from "../../../actors/log/format/files.ts";
import type { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";

/** Names that a folder of the fuzzer's may hold. */
const NAMES: readonly string[] = [
  OWNER_FILE,
  PROMISE_FILE,
  INCARNATION_FILE,
  "log.0000000100000000",
  "log.0000000100000001",
  "log.0000000100000009",
  "log.000000010000000a",
  "log.0000000200000000",
  "snapshot.0000000100000005",
  "snapshot.0000000100000009",
  SNAPSHOT_NEW_FILE,
  SPARE_FILE,
  VOTE_LOSS_FILE,
  "install.0000000100000009",
  "log.zzz",
  "notes.txt",
];
const HEADER_BYTES = 4;
const MARK_MAGIC = 0xff7a_6f64;
const MARK_BYTES = 24;
const CHUNK_MAGIC = 0x5a53_4e50;
const RECORD_BYTES_MIN = 64;
const CHUNK_BYTES_MIN = 32;

export type Files = Map<string, Uint8Array>;

export function filesOf(input: Uint8Array): Files {
  const files: Files = new Map();
  for (let at = 0; at + HEADER_BYTES <= input.length; ) {
    const [number = 0, high = 0, middle = 0, low = 0] = input.subarray(at, at + HEADER_BYTES);
    at += HEADER_BYTES;
    const length = Math.min(input.length - at, high * 65536 + middle * 256 + low);
    files.set(NAMES[number % NAMES.length] as string, input.slice(at, at + length));
    at += length;
  }
  return files;
}

export function bytesOfFiles(files: Files): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of files) {
    const number = NAMES.indexOf(name);
    if (number < 0) throw new Error(`${name} is not among the names of the fuzzer's folders`);
    const { length } = bytes;
    parts.push(Uint8Array.of(number, length >> 16, (length >> 8) & 255, length & 255), bytes);
  }
  return new Uint8Array(Buffer.concat(parts));
}

export function filesOnDisk(disk: MemoryDisk): Files {
  const files: Files = new Map();
  const listed = disk.perform({ kind: "list" });
  for (const { name, size } of listed.kind === "files" ? listed.files : []) {
    const read = disk.perform({ kind: "read", file: name, position: 0, length: size });
    if (read.kind === "bytes" && NAMES.includes(name)) files.set(name, withoutZeros(read.bytes));
  }
  return files;
}

/** A segment is longer than what is in it; a few zeros say the same. */
function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.slice(0, Math.min(bytes.length, end + 64));
}

/** With all checksums right for what is there, so that it is not damage but something that no writer makes. */
export function resealed(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x7b) return resealedLine(bytes);
  const sealed = bytes.slice();
  const view = new DataView(sealed.buffer);
  for (let at = 0; at + 8 <= sealed.length; ) {
    const word = view.getUint32(at);
    const isMark = word === MARK_MAGIC && at + MARK_BYTES <= sealed.length;
    const isChunk = word === CHUNK_MAGIC && at + CHUNK_BYTES_MIN <= sealed.length;
    const length = isMark ? MARK_BYTES : isChunk ? view.getUint32(at + 4) : word;
    const least = isMark ? MARK_BYTES : isChunk ? CHUNK_BYTES_MIN : RECORD_BYTES_MIN;
    if (length < least || at + length > sealed.length) {
      at += 4;
      continue;
    }
    const from = isChunk ? at + 12 : at + 8;
    view.setUint32(isChunk ? at + 8 : at + 4, crc32(sealed.subarray(from, at + length)));
    at += length;
  }
  return sealed;
}

/** JSON whose last field is its own checksum. */
function resealedLine(bytes: Uint8Array): Uint8Array {
  try {
    const { checksum: _, ...fields } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const checksum = crc32(JSON.stringify(fields)).toString(16).padStart(8, "0");
    return new TextEncoder().encode(`${JSON.stringify({ ...fields, checksum })}\n`);
  } catch {
    return bytes;
  }
}
