/**
 * A chunk of a snapshot: a piece of the replicated state as it was at one zxid. A snapshot is its chunks one after the other, in files
 * and on the wire. It is complete when every chunk verifies, they are in sequence from index 0, and the last one is flagged as the last.
 *
 *   offset  size  field (big-endian)
 *   0       4     magic, `ZSNP`
 *   4       4     length of the whole chunk in bytes, this header included
 *   8       4     CRC-32 of bytes 12 to the end
 *   12      1     format version, 4; version 1 had no configurations, 1 and 2 neither lifetimes of znodes nor addresses of sessions, 1 to 3
 *                 no results of numbered writes
 *   13      1     kind: 1 state of the tree
 *   14      1     1 in the last chunk of the snapshot, else 0
 *   15      1     reserved, 0
 *   16      8     zxid: the snapshot holds everything up to it and nothing after it
 *   24      4     index of the chunk, from 0
 *   28      4     count of entries
 *   32            payload: the entries (`snapshot-entries.ts`)
 *
 * The first 13 bytes have the same meaning in every version.
 */
import { assert } from "./assert.ts";
import { SNAPSHOT_CHUNK_BYTES_MAX } from "./limits.ts";
import { type Crc32, getUint53, setUint53 } from "./record.ts";
import type { Zxid } from "./zxid.ts";

export const CHUNK_HEADER_BYTES = 32;
export const SNAPSHOT_VERSION = 4;
const MAGIC = 0x5a53_4e50;
const KIND_TREE = 1;

export type ChunkHeader = {
  /** The bytes of the whole chunk, with its header. */
  readonly length: number;
  readonly zxid: Zxid;
  readonly index: number;
  readonly last: boolean;
  readonly entries: number;
};

export type ChunkFault =
  /** There are fewer bytes than the chunk needs. */
  | "incomplete"
  | "badMagic"
  | "badLength"
  | "badChecksum"
  /** The version or the kind is not known to this code. */
  | "badVersion";

/** Checks the chunk at `offset`. Returns its length, or what is wrong with it. */
export function verifyChunk(
  bytes: Uint8Array,
  offset: number,
  crc32: Crc32,
): { readonly length: number } | { readonly fault: ChunkFault } {
  const left = bytes.length - offset;
  if (left < CHUNK_HEADER_BYTES) return { fault: "incomplete" };
  const view = viewAt(bytes, offset);
  if (view.getUint32(0) !== MAGIC) return { fault: "badMagic" };
  const length = view.getUint32(4);
  if (length < CHUNK_HEADER_BYTES || length > SNAPSHOT_CHUNK_BYTES_MAX) {
    return { fault: "badLength" };
  }
  if (left < length) return { fault: "incomplete" };
  if (view.getUint32(8) !== crc32(bytes.subarray(offset + 12, offset + length))) {
    return { fault: "badChecksum" };
  }
  const version = view.getUint8(12);
  if (version < 1 || version > SNAPSHOT_VERSION) return { fault: "badVersion" };
  if (view.getUint8(13) !== KIND_TREE) return { fault: "badVersion" };
  return { length };
}

/**
 * Reads the header of the chunk at `offset`, of which at least CHUNK_HEADER_BYTES must be present. Before the chunk has been verified,
 * the header may be damaged: its `length` says only how many bytes to read for `verifyChunk`.
 */
export function chunkHeader(bytes: Uint8Array, offset = 0): ChunkHeader {
  const view = viewAt(bytes, offset);
  return {
    length: view.getUint32(4),
    zxid: getUint53(view, 16) as Zxid,
    index: view.getUint32(24),
    last: view.getUint8(14) === 1,
    entries: view.getUint32(28),
  };
}

export function chunkPayload(chunk: Uint8Array): Uint8Array {
  return chunk.subarray(CHUNK_HEADER_BYTES);
}

/** Writes the header of a chunk whose payload is in place already, behind CHUNK_HEADER_BYTES. */
export function sealChunk(
  bytes: Uint8Array,
  header: Omit<ChunkHeader, "length">,
  crc32: Crc32,
): void {
  assert(bytes.length >= CHUNK_HEADER_BYTES, "a chunk has room for its header");
  assert(bytes.length <= SNAPSHOT_CHUNK_BYTES_MAX, "a chunk stays below the limit of a chunk");
  const view = viewAt(bytes, 0);
  view.setUint32(0, MAGIC);
  view.setUint32(4, bytes.length);
  view.setUint8(12, SNAPSHOT_VERSION);
  view.setUint8(13, KIND_TREE);
  view.setUint8(14, header.last ? 1 : 0);
  view.setUint8(15, 0);
  setUint53(view, 16, header.zxid);
  view.setUint32(24, header.index);
  view.setUint32(28, header.entries);
  view.setUint32(8, crc32(bytes.subarray(12)));
}

function viewAt(bytes: Uint8Array, offset: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
}
