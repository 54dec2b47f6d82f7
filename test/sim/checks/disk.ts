/**
 * Checks I6 on the disk itself: a power failure loses nothing that the log counts as durable, and what the log has truncated is not
 * there.
 */
import { crc32 } from "node:zlib";
import {
  LOG_END_FILE,
  segmentName,
  segmentZxid,
  snapshotName,
} from "../../../actors/log/format/files.ts";
import { decodeLogEnd } from "../../../actors/log/segments/log-end.ts";
import {
  findWriteHeader,
  WRITE_HEADER_BYTES,
  SEAL_BYTES,
} from "../../../actors/log/format/write-header.ts";
import type { LogState } from "../../../actors/log/log.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { must } from "./violation.ts";

type Seen = { readonly lastZxid: number; readonly snapshots: number; readonly truncations: number };

export class DiskChecks {
  /** By incarnation: how the log stood when its disk was looked at last. */
  readonly #seen = new WeakMap<LogState, Seen>();

  /** After every step of the log actor. Its procedures come one at a time, so all that it counts is synced by then. */
  afterLog(node: number, disk: MemoryDisk, state: LogState): void {
    if (!state.recovered || state.stopped) return;
    const { index, snapshots, truncations } = state;
    const seen = this.#seen.get(state);
    const now = { lastZxid: index.lastZxid, snapshots: snapshots.length, truncations };
    if (seen?.truncations !== undefined && seen.truncations !== truncations) {
      checkCut(node, disk, state);
    } else if (seen?.lastZxid === now.lastZxid && seen.snapshots === now.snapshots) {
      return;
    }
    this.#seen.set(state, now);
    checkSynced(node, disk, state);
    checkTold(node, disk, state);
  }
}

const ALL_SYNCED = { isNamed: true, isCut: false, writtenFrom: Infinity };

function checkSynced(node: number, disk: MemoryDisk, { segments, snapshots }: LogState): void {
  const unsynced = disk.unsynced();
  // Behind the end there may be a seal, on which nothing depends.
  const counted: readonly (readonly [string, number])[] = [
    ...segments.map(({ name, end }) => [name, end] as const),
    ...snapshots.map(({ zxid }) => [snapshotName(zxid), Infinity] as const),
  ];
  for (const [file, end] of counted) {
    const { isNamed, isCut, writtenFrom } = unsynced.get(file) ?? ALL_SYNCED;
    must(isNamed && !isCut && writtenFrom >= end, "I6 memory is the disk", () => {
      return `node ${node} counts on ${file}, which a power failure may still take back`;
    });
  }
}

/** Checks that `log-end` names no record beyond the log: else an undamaged log would be taken for a damaged one. */
function checkTold(node: number, disk: MemoryDisk, { index }: LogState): void {
  const told = decodeLogEnd(disk.content(LOG_END_FILE) ?? new Uint8Array(0), crc32);
  must(told <= index.lastZxid, "I6 memory is the disk", () => {
    return `node ${node} tells that its log reaches ${formatZxid(told)}, and it ends at ${formatZxid(index.lastZxid)}`;
  });
}

/** A truncation leaves nothing after the log's end, neither in the last segment nor in later ones. */
function checkCut(node: number, disk: MemoryDisk, { segments }: LogState): void {
  const files = disk.snapshot();
  const kept = new Set(segments.map(({ name }) => name));
  const later = Object.keys(files).find((name) => isSegment(name) && !kept.has(name));
  must(later === undefined, "I6 memory is the disk", () => {
    return `node ${node} has cut its log and still has ${later}`;
  });
  const last = segments.at(-1);
  if (last === undefined) return;
  const { name, end } = last;
  const rest = files[name]?.subarray(end) ?? new Uint8Array(0);
  const isSealed = rest.subarray(WRITE_HEADER_BYTES, SEAL_BYTES).every((byte) => byte === 0);
  const from = isSealed ? SEAL_BYTES : 0;
  // Remnants of an earlier use of the segment may be there. Their write headers follow records that come before its own.
  const where = { base: end + from, notBefore: segmentZxid(name) };
  const left = findWriteHeader(rest.subarray(from), where, crc32);
  must(left === undefined, "I6 memory is the disk", () => {
    return `node ${node} has cut its log, and records are left in ${name} at ${left}`;
  });
}

const SEGMENT_NAME_LENGTH: number = segmentName(0 as never).length;

function isSegment(name: string): boolean {
  return name.startsWith("log.") && name.length === SEGMENT_NAME_LENGTH;
}
