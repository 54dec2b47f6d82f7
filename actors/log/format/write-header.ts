/**
 * The mark that stands before the records of each write to a segment. A write begins only when the one before is durable,
 * so an intact mark proves that everything before it once was durable: that tells corruption from a write cut short.
 *
 *   offset  size  field (big-endian)
 *   0       4     magic; no record's length is as large
 *   4       4     CRC-32 of bytes 8 to 24
 *   8       8     offset of the mark in its file
 *   16      8     lastZxid of the record before
 */
import type { Crc32 } from "../../../protocol/record.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export const WRITE_HEADER_BYTES = 24;
/** Of a seal: the mark, and a record's length of 0. Nothing follows yet, whatever the segment held before it was used again. */
export const SEAL_BYTES: number = WRITE_HEADER_BYTES + 4;
const MAGIC = 0xff_7a_6f_64;
const MAGIC_FIRST_BYTE = 0xff;

export function encodeWriteHeader(offset: number, prevZxid: Zxid, crc32: Crc32): Uint8Array {
  const bytes = new Uint8Array(WRITE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  setUint53(view, 8, offset);
  setUint53(view, 16, prevZxid);
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

export type WriteHeader = { readonly offset: number; readonly prevZxid: Zxid };

/** The intact mark at `position`, if there is one. */
export function writeHeaderAt(
  bytes: Uint8Array,
  position: number,
  crc32: Crc32,
): WriteHeader | undefined {
  if (position + WRITE_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, WRITE_HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC) return undefined;
  if (view.getUint32(4) !== crc32(bytes.subarray(position + 8, position + WRITE_HEADER_BYTES))) {
    return undefined;
  }
  return { offset: getUint53(view, 8), prevZxid: getUint53(view, 16) as Zxid };
}

/**
 * Looks for an intact mark that says it belongs where it stands. `base`: offset of the bytes in their file. One that follows
 * a record before `notBefore` is a remnant of what the file held before it was used again.
 */
export function findWriteHeader(
  bytes: Uint8Array,
  { base, notBefore }: { readonly base: number; readonly notBefore: Zxid },
  crc32: Crc32,
): number | undefined {
  let position = bytes.indexOf(MAGIC_FIRST_BYTE);
  while (position !== -1) {
    const header = writeHeaderAt(bytes, position, crc32);
    if (header?.offset === base + position && header.prevZxid >= notBefore) return base + position;
    position = bytes.indexOf(MAGIC_FIRST_BYTE, position + 1);
  }
  return undefined;
}

function setUint53(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value % 2 ** 32);
}

function getUint53(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
}
