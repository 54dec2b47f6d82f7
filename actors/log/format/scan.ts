/**
 * Reads a segment from its start, one piece after the other, and finds where its intact records end and what comes after. A segment that
 * was used before has remnants there: write headers and records whose zxids are all below those of its own.
 */
import { RECORD_BYTES_MAX } from "../../../protocol/limits.ts";
import {
  type Crc32,
  RECORD_HEADER_BYTES,
  recordHeader,
  verifyRecord,
} from "../../../protocol/record.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { segmentZxid } from "./files.ts";
import { findWriteHeader, WRITE_HEADER_BYTES, writeHeaderAt, SEAL_BYTES } from "./write-header.ts";
import { type Procedure, readBytes } from "./procedure.ts";

/** How many bytes are read at once. Any record fits, so every read advances the scan. */
const READ_BYTES: number = RECORD_BYTES_MAX + 64 * 1024;

export type ScannedRecord = {
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly offset: number;
  readonly length: number;
  readonly timeMs: number;
};

export type SegmentEnd = {
  /** The end of the last intact record. */
  readonly end: number;
  /** What is wrong with the bytes at `end`; `empty` if the rest is zeros or remnants. */
  readonly fault: string;
  /** How many bytes there are from `end` to the last one that is not zero, unless they are known to be remnants. */
  readonly dirtyBytes: number;
  /** The same number if the bytes are known to be remnants, because an old write header is among them and nothing of the segment's own. */
  readonly remnantBytes: number;
  /** Whether a write of the segment's own began at `end`. */
  readonly begun: boolean;
  /** Whether the bytes at `end` were durable once. Then they are damaged; otherwise they are a write that a crash cut short. */
  readonly wasDurable: boolean;
  /** The offset of the next intact write header, if there is one. It proves that the bytes before it were durable. */
  readonly nextWriteHeader: number | undefined;
  /** At `end` is an intact write header or record that follows this other zxid, so what lies between is missing. */
  readonly follows: Zxid | undefined;
};

/** Called with each intact record. `bytes` is a view of the whole record that is valid during the call only. */
type OnRecord = (record: ScannedRecord, bytes: Uint8Array) => void;

type Scan = {
  /** The zxid in the segment's name. No record of the segment's own is before it. */
  readonly firstZxid: Zxid;
  readonly crc32: Crc32;
  readonly onRecord: OnRecord;
  offset: number;
  lastZxid: Zxid;
};

type Fault = {
  readonly fault: string;
  readonly follows: Zxid | undefined;
  /** Whether a write of this segment's own began there. */
  readonly begun: boolean;
  /** Whether there is a seal, after which nothing was written. */
  readonly sealed: boolean;
};

const EMPTY: Fault = { fault: "empty", follows: undefined, begun: false, sealed: false };

/**
 * Scans a segment from the offset `from` on. `lastZxid` is the end of the record before that place. Calls `onRecord` for each intact
 * record, in order.
 */
export function* scanSegment(
  segment: {
    readonly file: string;
    readonly size: number;
    readonly lastZxid: Zxid;
    readonly from?: number;
  },
  crc32: Crc32,
  onRecord: OnRecord,
): Procedure<SegmentEnd> {
  const { file, size, lastZxid, from = 0 } = segment;
  const scan: Scan = { firstZxid: segmentZxid(file), crc32, onRecord, offset: from, lastZxid };
  let found = EMPTY;
  while (scan.offset < size) {
    const base = scan.offset;
    const bytes = yield* readBytes(file, base, Math.min(READ_BYTES, size - base));
    const stop = scanBytes(scan, bytes, base + bytes.length >= size);
    if (stop !== undefined) {
      found = stop;
      break;
    }
  }
  const rest = yield* scanRest(file, size, scan, found.sealed ? SEAL_BYTES : 0);
  // A crash cannot leave a whole record with the right checksum in the wrong place.
  const wasDurable = found.follows !== undefined || rest.nextWriteHeader !== undefined;
  const isRemnant = rest.hasOldWriteHeader && !wasDurable && !found.begun;
  return {
    end: scan.offset,
    fault: rest.dirtyBytes === 0 || isRemnant ? "empty" : found.fault,
    dirtyBytes: isRemnant ? 0 : rest.dirtyBytes,
    remnantBytes: isRemnant ? rest.dirtyBytes : 0,
    begun: found.begun,
    wasDurable,
    nextWriteHeader: rest.nextWriteHeader,
    follows: found.follows,
  };
}

/** Takes the intact records at the beginning of `bytes`. Undefined: the scan goes on with bytes that begin at `scan.offset`. */
function scanBytes(scan: Scan, bytes: Uint8Array, isLast: boolean): Fault | undefined {
  const base = scan.offset;
  let position = 0;
  while (position < bytes.length) {
    if (!isLast && bytes.length - position < WRITE_HEADER_BYTES) return undefined;
    const written = writeHeaderAt(bytes, position, scan.crc32);
    if (written !== undefined) {
      if (written.offset !== base + position || written.prevZxid !== scan.lastZxid) {
        return outOfPlace(scan, "write header", written.prevZxid);
      }
      position += WRITE_HEADER_BYTES;
    }
    const checked = verifyRecord(bytes, position, scan.crc32);
    if ("fault" in checked) {
      if (checked.fault === "incomplete" && !isLast) return undefined;
      const sealed = written !== undefined && checked.fault === "empty";
      const begun =
        written !== undefined ||
        claimsToFollow(scan, bytes, position) ||
        isRecordAfter(scan, bytes, position + WRITE_HEADER_BYTES);
      return { ...EMPTY, fault: checked.fault, begun: begun && !sealed, sealed };
    }
    const record = bytes.subarray(position, position + checked.length);
    const header = recordHeader(record);
    if (header.prevZxid !== scan.lastZxid || header.lastZxid <= scan.lastZxid) {
      return outOfPlace(scan, "record", header.prevZxid);
    }
    const { firstZxid, lastZxid, timeMs } = header;
    const offset = base + position;
    scan.onRecord({ firstZxid, lastZxid, offset, length: checked.length, timeMs }, record);
    position += checked.length;
    scan.lastZxid = lastZxid;
    scan.offset = base + position;
  }
  return undefined;
}

/** The zxid that the segment's first record follows, if its first write header is intact. */
export function firstPrevZxid(file: string, crc32: Crc32): Procedure<Zxid | undefined> {
  return prevZxidAt(file, 0, crc32);
}

/** The zxid that the write header at `offset` follows, if it is intact. */
export function* prevZxidAt(
  file: string,
  offset: number,
  crc32: Crc32,
): Procedure<Zxid | undefined> {
  const header = writeHeaderAt(yield* readBytes(file, offset, WRITE_HEADER_BYTES), 0, crc32);
  return header?.offset === offset ? header.prevZxid : undefined;
}

function outOfPlace(scan: Scan, what: "write header" | "record", prevZxid: Zxid): Fault {
  // The first write header and the first record of a segment follow a record of another segment. No later one of its own does.
  const isRemnant = scan.offset > 0 && prevZxid < scan.firstZxid;
  const follows = isRemnant ? undefined : prevZxid;
  return { ...EMPTY, fault: `a ${what} that follows zxid ${formatZxid(prevZxid)}`, follows };
}

/** Whether the header of an incomplete record says that it follows the last one. No remnant can say so. */
function claimsToFollow(scan: Scan, bytes: Uint8Array, position: number): boolean {
  if (scan.offset === 0 || position + RECORD_HEADER_BYTES > bytes.length) return false;
  return recordHeader(bytes.subarray(position)).prevZxid === scan.lastZxid;
}

/** Whether the next record is where it would be behind its write header. Then only the write header is damaged. */
function isRecordAfter(scan: Scan, bytes: Uint8Array, position: number): boolean {
  const checked = verifyRecord(bytes, position, scan.crc32);
  if ("fault" in checked) return false;
  return recordHeader(bytes.subarray(position)).prevZxid === scan.lastZxid;
}

/** Looks at everything after the intact records and their seal: whether it is zeros, and whether a later write header is among it. */
function* scanRest(
  file: string,
  size: number,
  scan: Scan,
  sealBytes: number,
): Procedure<{
  dirtyBytes: number;
  nextWriteHeader: number | undefined;
  hasOldWriteHeader: boolean;
}> {
  let dirtyBytes = 0;
  let nextWriteHeader: number | undefined;
  let hasOldWriteHeader = false;
  let base = scan.offset + sealBytes;
  while (base < size) {
    const bytes = yield* readBytes(file, base, Math.min(READ_BYTES, size - base));
    if (bytes.length === 0) break;
    const dirty = lengthWithoutZeros(bytes);
    if (dirty > 0) {
      dirtyBytes = base + dirty - scan.offset;
      // A write header directly at the end belongs to the write that is being judged. Only a later one proves something about it.
      const from = base === scan.offset ? 1 : 0;
      const rest = bytes.subarray(from);
      nextWriteHeader ??= findWriteHeader(
        rest,
        { base: base + from, notBefore: scan.firstZxid },
        scan.crc32,
      );
      hasOldWriteHeader ||=
        findWriteHeader(rest, { base: base + from, notBefore: ZXID_NONE }, scan.crc32) !==
        undefined;
    }
    if (base + bytes.length >= size) break;
    // A write header may lie across the bytes of two reads, so they overlap.
    base += bytes.length - (WRITE_HEADER_BYTES - 1);
  }
  return { dirtyBytes, nextWriteHeader, hasOldWriteHeader };
}

function lengthWithoutZeros(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return length;
}
