/** How records are appended to the log: as a group, with one write header and one sync, to the last segment or to a new one. */
import { assert } from "../../../protocol/assert.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { segmentName } from "../format/files.ts";
import { writeLogEndDurably } from "./log-end.ts";
import { encodeWriteHeader, WRITE_HEADER_BYTES } from "../format/write-header.ts";
import { performIfSpace, type Procedure, removeIfThere } from "../format/procedure.ts";
import { becomeFull, giveBack } from "../disk-space.ts";
import { takeSpare } from "./spares.ts";
import { type LogState, type PendingRecord, report, log, type Segment } from "../state.ts";

/** Writes the records, with one sync for each segment that they go to. A new segment is rare, so that is nearly always one sync. */
export function* appendGroup(state: LogState, records: readonly PendingRecord[]): Procedure {
  let next = 0;
  while (next < records.length) {
    const current = state.segments.at(-1);
    const fitting = current === undefined ? 0 : countFitting(state, current, records, next);
    const done =
      current === undefined || fitting === 0
        ? yield* startSegment(state, records, next)
        : yield* writeToSegment(state, current, records.slice(next, next + fitting));
    if (done === 0) {
      becomeFull(state);
      return;
    }
    next += done;
    const { index, truncations } = state;
    report(state, { kind: "appended", lastZxid: index.lastZxid, truncations });
  }
}

function countFitting(
  state: LogState,
  segment: Segment,
  records: readonly PendingRecord[],
  from: number,
): number {
  let left = state.settings.segmentBytes - segment.end - WRITE_HEADER_BYTES;
  let count = 0;
  for (const record of records.slice(from)) {
    left -= record.bytes.length;
    if (left < 0) break;
    count += 1;
  }
  return count;
}

/** Returns how many records were written: all of them, or none because the disk had no space. */
function* writeToSegment(
  state: LogState,
  segment: Segment,
  records: readonly PendingRecord[],
): Procedure<number> {
  const file = segment.name;
  const done = yield* performIfSpace([
    { kind: "write", file, position: segment.end, buffers: buffersOf(state, segment, records) },
    { kind: "sync", file },
  ]);
  if (!done) {
    yield* giveBack(file, segment.end);
    segment.size = segment.end;
    segment.sealed = false;
    return 0;
  }
  noteDurable(state, segment, records);
  return records.length;
}

/**
 * Begins a new segment with the records from `from` on. Everything before them is durable by now, so a damaged record in an older segment
 * cannot be a write that a crash cut short. The file gets the name of a segment when the records are durable in it. So no crash leaves a
 * segment without a record, behind which damage to the segment before could hide. A record that is larger than a segment gets a segment
 * of its own. Returns how many records were written.
 */
function* startSegment(
  state: LogState,
  records: readonly PendingRecord[],
  from: number,
): Procedure<number> {
  const first = records[from];
  assert(first !== undefined, "a segment is started for a record");
  const file = segmentName(first.firstZxid);
  const firstRecord = state.index.count;
  const segment: Segment = { name: file, firstRecord, end: 0, size: 0, sealed: false };
  const taken = records.slice(
    from,
    from + Math.max(1, countFitting(state, segment, records, from)),
  );
  const operations: DiskOperation[] = [];
  const before = state.segments.at(-1);
  // When there is a later segment, half a seal would be damage and no longer a write that a crash cut short. So it is synced first.
  if (before?.sealed === true) operations.push({ kind: "sync", file: before.name });
  const spare = takeSpare(state);
  operations.push(
    { kind: "write", file: spare.file, position: 0, buffers: buffersOf(state, segment, taken) },
    { kind: "sync", file: spare.file },
    { kind: "rename", file: spare.file, to: file },
    { kind: "syncFolder" },
  );
  if (!(yield* performIfSpace(operations))) {
    yield* removeIfThere(spare.file);
    return 0;
  }
  segment.size = spare.size;
  state.segments.push(segment);
  noteDurable(state, segment, taken);
  yield* writeLogEndDurably(state);
  log(state, "segmentStarted", { file });
  return taken.length;
}

function buffersOf(
  state: LogState,
  segment: Segment,
  records: readonly PendingRecord[],
): readonly Uint8Array[] {
  const header = encodeWriteHeader(segment.end, state.index.lastZxid, state.settings.crc32);
  return [header, ...records.map((record) => record.bytes)];
}

function noteDurable(state: LogState, segment: Segment, records: readonly PendingRecord[]): void {
  let offset = segment.end + WRITE_HEADER_BYTES;
  for (const record of records) {
    assert(record.prevZxid === state.index.lastZxid, "no gap in any log");
    state.index.push(record.lastZxid, offset, record.bytes.length);
    offset += record.bytes.length;
  }
  state.unpreparedBytes += offset - segment.end;
  state.loggedBytes += offset - segment.end;
  segment.end = offset;
  segment.sealed = false;
  segment.size = Math.max(segment.size, offset);
}
