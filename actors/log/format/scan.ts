/**
 * Reads a segment from its start, a chunk at a time, and says where its intact records end and what comes after. A segment
 * that was used before has remnants there: marks and records whose zxids are all below those of its own.
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

/** Any record fits, so every chunk brings the scan on. */
const CHUNK_BYTES: number = RECORD_BYTES_MAX + 64 * 1024;

export type ScannedRecord = {
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly offset: number;
  readonly length: number;
  readonly timeMs: number;
};

export type SegmentEnd = {
  /** End of the last intact record. */
  readonly end: number;
  /** What stands there; `empty` when the rest is zeros or remnants. */
  readonly fault: string;
  /** Bytes from the end to the last one that is not zero, unless they are known to be remnants. */
  readonly dirtyBytes: number;
  /** Remnants there, as a mark among them shows, and nothing of the segment's own. */
  readonly remnantBytes: number;
  /** A write of the segment's own began at the end. */
  readonly begun: boolean;
  /** The bytes at the end were durable once: they are damaged, not a write cut short. */
  readonly wasDurable: boolean;
  /** Offset of the next intact mark further on, which is what shows that they were. */
  readonly nextWriteHeader: number | undefined;
  /** An intact mark or record stands there, but it follows this zxid: what lies between is missing. */
  readonly follows: Zxid | undefined;
};

/** `bytes`: the whole record, a view that is good during the call only. */
type OnRecord = (record: ScannedRecord, bytes: Uint8Array) => void;

type Scan = {
  /** Of the segment's name: its own records are not before it. */
  readonly firstZxid: Zxid;
  readonly crc32: Crc32;
  readonly onRecord: OnRecord;
  offset: number;
  lastZxid: Zxid;
};

type Fault = {
  readonly fault: string;
  readonly follows: Zxid | undefined;
  /** A write of this segment's own began there. */
  readonly begun: boolean;
  /** Nothing was written behind the seal. */
  readonly sealed: boolean;
};

const EMPTY: Fault = { fault: "empty", follows: undefined, begun: false, sealed: false };

/**
 * `lastZxid`: of the record before the segment, or before offset `from` of it. Calls `onRecord` for each intact record, in
 * order.
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
    const bytes = yield* readBytes(file, base, Math.min(CHUNK_BYTES, size - base));
    const stop = scanChunk(scan, bytes, base + bytes.length >= size);
    if (stop !== undefined) {
      found = stop;
      break;
    }
  }
  const rest = yield* scanRest(file, size, scan, found.sealed ? SEAL_BYTES : 0);
  // A crash does not make a whole record with a right checksum and the wrong place.
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

/** Takes in what is intact. Undefined: go on with a chunk that begins at `scan.offset`. */
function scanChunk(scan: Scan, bytes: Uint8Array, isLast: boolean): Fault | undefined {
  const base = scan.offset;
  let position = 0;
  while (position < bytes.length) {
    if (!isLast && bytes.length - position < WRITE_HEADER_BYTES) return undefined;
    const written = writeHeaderAt(bytes, position, scan.crc32);
    if (written !== undefined) {
      if (written.offset !== base + position || written.prevZxid !== scan.lastZxid) {
        return outOfPlace(scan, "mark", written.prevZxid);
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

/** The zxid that the segment's first record follows, if its first mark is intact. */
export function firstPrevZxid(file: string, crc32: Crc32): Procedure<Zxid | undefined> {
  return prevZxidAt(file, 0, crc32);
}

/** The zxid that the mark at `offset` follows, if it is intact. */
export function* prevZxidAt(
  file: string,
  offset: number,
  crc32: Crc32,
): Procedure<Zxid | undefined> {
  const header = writeHeaderAt(yield* readBytes(file, offset, WRITE_HEADER_BYTES), 0, crc32);
  return header?.offset === offset ? header.prevZxid : undefined;
}

function outOfPlace(scan: Scan, what: "mark" | "record", prevZxid: Zxid): Fault {
  // The first mark and record of a segment follow one of another segment; from then on none does.
  const isRemnant = scan.offset > 0 && prevZxid < scan.firstZxid;
  const follows = isRemnant ? undefined : prevZxid;
  return { ...EMPTY, fault: `a ${what} that follows zxid ${formatZxid(prevZxid)}`, follows };
}

/** The header says so, of a record that is not whole. Nothing that was there before can. */
function claimsToFollow(scan: Scan, bytes: Uint8Array, position: number): boolean {
  if (scan.offset === 0 || position + RECORD_HEADER_BYTES > bytes.length) return false;
  return recordHeader(bytes.subarray(position)).prevZxid === scan.lastZxid;
}

/** The next record stands where it would behind its mark, so only the mark is bad. */
function isRecordAfter(scan: Scan, bytes: Uint8Array, position: number): boolean {
  const checked = verifyRecord(bytes, position, scan.crc32);
  if ("fault" in checked) return false;
  return recordHeader(bytes.subarray(position)).prevZxid === scan.lastZxid;
}

/** Looks at everything after the intact records and their seal: is it zeros, and is there the mark of a later write? */
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
    const bytes = yield* readBytes(file, base, Math.min(CHUNK_BYTES, size - base));
    if (bytes.length === 0) break;
    const dirty = lengthWithoutZeros(bytes);
    if (dirty > 0) {
      dirtyBytes = base + dirty - scan.offset;
      // A mark at the very end belongs to the write that is looked at; only a later one proves anything.
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
    base += bytes.length - (WRITE_HEADER_BYTES - 1); // a mark may lie across two chunks
  }
  return { dirtyBytes, nextWriteHeader, hasOldWriteHeader };
}

function lengthWithoutZeros(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return length;
}
