/**
 * A record: one batch in the replicated log. The same bytes are on the wire, in the log and in the lanes.
 *
 *   offset  size  field (big-endian)
 *   0       4     length of the whole record in bytes, this field included
 *   4       4     CRC-32 of bytes 8 to the end
 *   8       1     format version, 1
 *   9       1     kind: 1 barrier, 2 batch, 3 configuration
 *   10      2     submitter's server
 *   12      2     submitter's lane
 *   14      2     flags: 1 if quotas are enforced, else 0
 *   16      8     firstZxid (its high half is the epoch)
 *   24      8     lastZxid
 *   32      8     prevZxid: lastZxid of the record before
 *   40      8     time, Unix milliseconds of the leader, never decreasing along the log
 *   48      8     submitter's incarnation
 *   56      8     seq: the submitter's batch number, from 1 (0 when the leader itself submits)
 *   64            payload: a batch (`batch.ts`), the state machine's version and the leader's configuration
 *                 (`barrier.ts`), or a configuration (`configuration.ts`)
 */
import { assert } from "./assert.ts";
import { barrierConfiguration, barrierFault, isBeyondUs } from "./barrier.ts";
import { batchFault } from "./batch-check.ts";
import { type Configuration, decodeConfiguration } from "./configuration.ts";
import type { ServerId, Submitter } from "./ids.ts";
import { RECORD_BYTES_MAX } from "./limits.ts";
import { counterOf, type Epoch, epochOf, type Zxid } from "./zxid.ts";

export const RECORD_HEADER_BYTES = 64;
export const RECORD_VERSION = 1;

export type RecordKind = "barrier" | "batch" | "configuration";
const KIND_OFFSET = 9;
/** A flag of the header. */
const QUOTAS_ENFORCED = 1;
/** The kinds at the index that stands for them on the wire and on disk, from 1. */
const KINDS: readonly (RecordKind | undefined)[] = [undefined, "barrier", "batch", "configuration"];

export type RecordHeader = {
  readonly kind: RecordKind;
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly prevZxid: Zxid;
  readonly timeMs: number;
  /** Whether what goes beyond a hard limit of a quota is refused, as the leader is configured, so that all nodes apply a record alike. Default false. */
  readonly quotasEnforced?: boolean;
  /** Undefined if the leader itself submits the record: a barrier, a configuration, or the end of sessions. */
  readonly submitter: Submitter | undefined;
  readonly seq: number;
};

/** Continues a CRC-32 (IEEE 802.3) from `value` over the bytes. It is passed in, since the native one is in a module of Node. */
export type Crc32 = (bytes: Uint8Array, value?: number) => number;

export function encodeRecord(header: RecordHeader, payload: Uint8Array, crc32: Crc32): Uint8Array {
  const length = RECORD_HEADER_BYTES + payload.length;
  assert(length <= RECORD_BYTES_MAX, "a record stays below the limit of a record");
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  view.setUint8(8, RECORD_VERSION);
  view.setUint8(KIND_OFFSET, KINDS.indexOf(header.kind));
  view.setUint16(10, header.submitter?.server ?? 0);
  view.setUint16(12, header.submitter?.lane ?? 0);
  view.setUint16(14, header.quotasEnforced === true ? QUOTAS_ENFORCED : 0);
  setUint53(view, 16, header.firstZxid);
  setUint53(view, 24, header.lastZxid);
  setUint53(view, 32, header.prevZxid);
  setUint53(view, 40, header.timeMs);
  setUint53(view, 48, header.submitter?.incarnation ?? 0);
  setUint53(view, 56, header.seq);
  bytes.set(payload, RECORD_HEADER_BYTES);
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

/** Reads the header of a record whose checksum has been verified. */
export function recordHeader(record: Uint8Array): RecordHeader {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const seq = getUint53(view, 56);
  const header: RecordHeader = {
    kind: KINDS[view.getUint8(KIND_OFFSET)] ?? "batch",
    firstZxid: getUint53(view, 16) as Zxid,
    lastZxid: getUint53(view, 24) as Zxid,
    prevZxid: getUint53(view, 32) as Zxid,
    timeMs: getUint53(view, 40),
    submitter:
      seq === 0
        ? undefined
        : {
            server: view.getUint16(10) as ServerId,
            lane: view.getUint16(12),
            incarnation: getUint53(view, 48),
          },
    seq,
  };
  const isEnforced = (view.getUint16(14) & QUOTAS_ENFORCED) !== 0;
  return isEnforced ? { ...header, quotasEnforced: true } : header;
}

/**
 * What is wrong with a peer's record whose checksum has been verified, if its log has no epoch above `epochMax`; undefined if
 * nothing is.
 */
export function recordFault(record: Uint8Array, epochMax: Epoch): string | undefined {
  const kind = KINDS[record[KIND_OFFSET] ?? 0];
  if (kind === undefined) return "its kind is unknown";
  const { firstZxid, lastZxid, prevZxid, timeMs, submitter, seq } = recordHeader(record);
  for (const value of [firstZxid, lastZxid, prevZxid, timeMs, submitter?.incarnation ?? 0, seq]) {
    if (!Number.isSafeInteger(value)) return "a number is out of range";
  }
  const epoch = epochOf(firstZxid);
  if (epoch > epochMax) return "its epoch is after its leader's";
  if (epochOf(lastZxid) !== epoch || lastZxid < firstZxid) return "its zxids are of two epochs";
  if (prevZxid >= firstZxid) return "its zxids do not grow";
  if (kind === "barrier") {
    const isFirst = counterOf(firstZxid) === 0 && lastZxid === firstZxid;
    if (!isFirst) return "a barrier is the first of its epoch, alone";
    return barrierFault(recordPayload(record));
  }
  if (kind === "configuration") return configurationFault(record);
  return batchFault(recordPayload(record), lastZxid - firstZxid + 1);
}

function configurationFault(record: Uint8Array): string | undefined {
  const { firstZxid, lastZxid } = recordHeader(record);
  if (lastZxid !== firstZxid) return "a configuration takes one zxid";
  const configuration = decodeConfiguration(recordPayload(record));
  return configuration?.since === firstZxid ? undefined : "it holds no configuration of its zxid";
}

/** Cheaper than reading the whole header: a node that starts calls it for every record. */
export function isConfigurationRecord(record: Uint8Array): boolean {
  return KINDS[record[KIND_OFFSET] ?? 0] === "configuration";
}

/** The configuration that a verified record makes, or that a barrier names as its leader's. Undefined if the record names none. */
export function recordConfiguration(record: Uint8Array): Configuration | undefined {
  const kind = KINDS[record[KIND_OFFSET] ?? 0];
  if (kind === "configuration") return decodeConfiguration(recordPayload(record));
  return kind === "barrier" ? barrierConfiguration(recordPayload(record)) : undefined;
}

export function recordPayload(record: Uint8Array): Uint8Array {
  return record.subarray(RECORD_HEADER_BYTES);
}

export type RecordFault =
  /** There are fewer bytes than the record needs: the log ends here, or a write was cut short. */
  | "incomplete"
  /** The length is 0: this is preallocated space that was never written. */
  | "empty"
  | "badLength"
  | "badChecksum"
  /** The format, the kind, or a barrier's state machine is of a later version than this code knows. */
  | "badVersion";

/** Checks the record at `offset`. Returns its length, or what is wrong with it. */
export function verifyRecord(
  bytes: Uint8Array,
  offset: number,
  crc32: Crc32,
): { readonly length: number } | { readonly fault: RecordFault } {
  const left = bytes.length - offset;
  if (left < 4) return { fault: "incomplete" };
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, left);
  const length = view.getUint32(0);
  if (length === 0) return { fault: "empty" };
  if (length < RECORD_HEADER_BYTES || length > RECORD_BYTES_MAX) return { fault: "badLength" };
  if (left < length) return { fault: "incomplete" };
  if (view.getUint32(4) !== crc32(bytes.subarray(offset + 8, offset + length))) {
    return { fault: "badChecksum" };
  }
  if (view.getUint8(8) !== RECORD_VERSION) return { fault: "badVersion" };
  const kind = KINDS[view.getUint8(KIND_OFFSET)];
  if (kind === undefined) return { fault: "badVersion" };
  if (kind === "barrier") {
    const payload = bytes.subarray(offset + RECORD_HEADER_BYTES, offset + length);
    if (isBeyondUs(payload)) return { fault: "badVersion" };
  }
  return { length };
}

/** Writes a safe integer as 64 bits, big-endian. `getUint53` reads it. */
export function setUint53(view: DataView, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a 64-bit field is exact in a number");
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value % 2 ** 32);
}

export function getUint53(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
}
