/**
 * The bytes of a backup file: a header, and then frames one after the other. docs/internals/backup-format.md describes what is in them.
 *
 *   offset  size  field of the header (big-endian)
 *   0       8     magic, `ZOOIDBAK`
 *   8       4     format version, 1
 *
 *   offset  size  field of a frame
 *   0       4     length of the whole frame in bytes, this field included
 *   4       4     CRC-32 of bytes 8 to the end
 *   8       1     kind: 1 manifest, 2 chunk of the snapshot, 3 record of the log, 4 end
 *   9             payload
 *
 * The header has the same meaning in every version, so that a newer file can be distinguished from a damaged one.
 */
import { crc32 } from "node:zlib";
import { RECORD_BYTES_MAX, SNAPSHOT_CHUNK_BYTES_MAX } from "../../../protocol/limits.ts";

export const BACKUP_VERSION = 1;
export const HEADER_BYTES = 12;
export const FRAME_HEADER_BYTES = 9;
export const FRAME_BYTES_MAX: number =
  FRAME_HEADER_BYTES + Math.max(SNAPSHOT_CHUNK_BYTES_MAX, RECORD_BYTES_MAX);

const MAGIC = Buffer.from("ZOOIDBAK", "latin1");

export type FrameKind = "manifest" | "chunk" | "record" | "end";
/** The kinds at the index that stands for them in a frame, from 1. */
const KINDS: readonly (FrameKind | undefined)[] = [undefined, "manifest", "chunk", "record", "end"];

export function encodeHeader(): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(BACKUP_VERSION, MAGIC.length);
  return bytes;
}

/** Returns what is wrong with the header of a file; undefined if this code can read the file. */
export function headerProblem(bytes: Buffer): string | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return "it does not begin as a backup of zooid does";
  }
  const version = bytes.readUInt32BE(MAGIC.length);
  return version === BACKUP_VERSION
    ? undefined
    : `it has format version ${version}, and this zooid reads version ${BACKUP_VERSION}: use the version that wrote it, or a later one`;
}

/** The header of a frame. Its payload follows in the file, so that a large one is not copied. */
export function encodeFrameHeader(kind: FrameKind, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  bytes.writeUInt32BE(FRAME_HEADER_BYTES + payload.length, 0);
  bytes.writeUInt8(KINDS.indexOf(kind), 8);
  bytes.writeUInt32BE(crc32(payload, crc32(bytes.subarray(8))), 4);
  return bytes;
}

/** How long the frame is that begins with these bytes; undefined if none can be so long. */
export function frameLength(header: Buffer): number | undefined {
  const length = header.readUInt32BE(0);
  return length >= FRAME_HEADER_BYTES && length <= FRAME_BYTES_MAX ? length : undefined;
}

/** The kind of a whole frame; undefined if its checksum is wrong or its kind is none. */
export function frameKind(frame: Buffer): FrameKind | undefined {
  if (frame.readUInt32BE(4) !== crc32(frame.subarray(8))) return undefined;
  return KINDS[frame.readUInt8(8)];
}
