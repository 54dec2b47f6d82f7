/**
 * The file `log-end` says, outside of the log, how far the log was durable. A log that ends before that has lost its end, and must not be
 * taken for a log that ended there (decision 11). The file has the same zxid twice, in two blocks:
 *
 *   offset  size  field (big-endian)
 *   0       4     magic
 *   4       4     CRC-32 of bytes 8 to 16
 *   8       8     a zxid: the log was durable up to it, and was not truncated below it since
 *   4096          the same fields again
 *
 * The first place is written when the file is made and when the log is truncated. The second follows the log, mostly without a sync, so a
 * power failure may leave it old or torn. What an intact place says is true, so the higher of the two counts.
 */
import { assert } from "../../../protocol/assert.ts";
import type { Crc32 } from "../../../protocol/record.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { damaged, LOG_END_FILE } from "../format/files.ts";
import { performIfSpace, type Procedure } from "../format/procedure.ts";
import { performWithReserve } from "../disk-space.ts";
import type { LogState } from "../state.ts";

const PLACE_BYTES = 16;
/** The places are apart by a block of any disk, so that no write tears both. */
const SECOND_PLACE = 4096;
export const LOG_END_BYTES: number = SECOND_PLACE + PLACE_BYTES;
const MAGIC = 0x7a_65_6e_64;

export function encodeLogEnd(zxid: Zxid, crc32: Crc32): Uint8Array {
  const bytes = new Uint8Array(LOG_END_BYTES);
  const place = encodePlace(zxid, crc32);
  bytes.set(place);
  bytes.set(place, SECOND_PLACE);
  return bytes;
}

/** Throws `FileDamaged` if neither place is intact, since no crash leaves the file like that. */
export function decodeLogEnd(bytes: Uint8Array, crc32: Crc32): Zxid {
  const first = decodePlace(bytes, 0, crc32);
  const second = decodePlace(bytes, SECOND_PLACE, crc32);
  if (bytes.length !== LOG_END_BYTES) throw damaged(LOG_END_FILE);
  if (first === undefined && second === undefined) throw damaged(LOG_END_FILE);
  return Math.max(first ?? ZXID_NONE, second ?? ZXID_NONE) as Zxid;
}

function encodePlace(zxid: Zxid, crc32: Crc32): Uint8Array {
  const bytes = new Uint8Array(PLACE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(8, Math.floor(zxid / 2 ** 32));
  view.setUint32(12, zxid % 2 ** 32);
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

function decodePlace(bytes: Uint8Array, offset: number, crc32: Crc32): Zxid | undefined {
  const place = bytes.subarray(offset, offset + PLACE_BYTES);
  if (place.length < PLACE_BYTES) return undefined;
  const view = new DataView(place.buffer, place.byteOffset, PLACE_BYTES);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== crc32(place.subarray(8))) {
    return undefined;
  }
  const zxid = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
  return Number.isSafeInteger(zxid) ? (zxid as Zxid) : undefined;
}

/** Whether the log is durable further than the file says. */
export function isLogEndOutdated({ index, logEnd }: LogState): boolean {
  return index.lastZxid > logEnd;
}

/** Writes the log's end without a sync, so that it costs an append nothing. If it is lost, an older end is only weaker evidence. */
export function* writeLogEnd(state: LogState): Procedure {
  yield* performIfSpace([writePlace(state, SECOND_PLACE, state.index.lastZxid)]);
  // The new end is noted even if a file system that copies what it overwrites had no space for it. The older one is true too.
  state.logEnd = state.index.lastZxid;
}

/** Writes the log's end with a sync, after a new segment, so that it is noticed if that segment as a whole is ever missing. */
export function* writeLogEndDurably(state: LogState): Procedure {
  yield* performIfSpace([
    writePlace(state, SECOND_PLACE, state.index.lastZxid),
    { kind: "sync", file: LOG_END_FILE },
  ]);
  state.logEnd = state.index.lastZxid;
}

/**
 * Must be called before the log is truncated after `zxid`, or begins there again. It writes one place after the other, so that one of
 * them is intact at any moment. Returns false if a file system that copies what it overwrites had no space: the log must then stay as
 * it is.
 */
export function* lowerEnd(state: LogState, zxid: Zxid): Procedure<boolean> {
  if (state.logEnd <= zxid) return true;
  for (const position of [SECOND_PLACE, 0]) {
    const lowered = yield* performWithReserve(state, [
      writePlace(state, position, zxid),
      { kind: "sync", file: LOG_END_FILE },
    ]);
    if (!lowered) return false;
  }
  state.logEnd = zxid;
  return true;
}

function writePlace(state: LogState, position: number, zxid: Zxid): DiskOperation {
  assert(zxid <= state.index.lastZxid, "only what is durable is written to log-end");
  const buffers = [encodePlace(zxid, state.settings.crc32)];
  return { kind: "write", file: LOG_END_FILE, position, buffers };
}
