/**
 * The header before the records of each write to a segment. A write begins only when the one before it is durable. So an intact write
 * header proves that everything before it was durable once, and that distinguishes corruption from a write that a crash cut short.
 *
 *   offset  size  field (big-endian)
 *   0       4     magic number, larger than the length of any record
 *   4       4     CRC-32 of bytes 8 to 24
 *   8       8     offset of the write header in its file
 *   16      8     last zxid of the record before
 */
import type { Crc32 } from "../../../protocol/record.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export const WRITE_HEADER_BYTES = 24;
/** The bytes of a seal: a write header and the length 0 of a record. Nothing follows it, whatever the segment held in an earlier use. */
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

/** The intact write header at `position`, if there is one. */
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
 * Looks for an intact write header that says that it belongs where it is. `base` is the offset of the bytes in their file. A header that
 * follows a record before `notBefore` is a remnant of an earlier use of the file, and is passed over.
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
