/** Reads records back from the segments, for followers that missed them and for the trees of this node. */
import { assert } from "../../../protocol/assert.ts";
import { verifyRecord } from "../../../protocol/record.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { LogStop, type Procedure, readBytes } from "../format/procedure.ts";
import { type LogState, type ReadRequest, report, type Segment } from "../state.ts";

/** Answers with records of one segment. All of them are durable, since only durable records are in the index. */
export function* readRecords(state: LogState, request: ReadRequest): Procedure {
  const { purpose, after } = request;
  const from = state.index.countUpTo(after);
  // There is no record after `after`, or a purge has removed those that follow it.
  if (from === state.index.count || after < state.index.base) {
    report(state, { kind: "records", purpose, after, records: [] });
    return;
  }
  const segment = segmentOf(state, from);
  const until = lastWithin(state, from, request.bytesMax);
  const start = state.index.offsetOf(from);
  const length = state.index.endOf(until) - start;
  const bytes = yield* readBytes(segment.name, start, length);
  const records: Uint8Array[] = [];
  for (let record = from; record <= until; record += 1) {
    const offset = state.index.offsetOf(record) - start;
    const checked = verifyRecord(bytes, offset, state.settings.crc32);
    if ("fault" in checked) throw damagedRecord(state, segment, record, checked.fault);
    records.push(bytes.subarray(offset, offset + checked.length));
  }
  report(state, { kind: "records", purpose, after, records });
}

function segmentOf(state: LogState, record: number): Segment {
  const segment = state.segments.findLast((candidate) => candidate.firstRecord <= record);
  assert(segment !== undefined, "every record lies in a segment");
  return segment;
}

/** The last record of the segment of record `from` such that the records up to it have at most `bytesMax` bytes, and at least `from`. */
function lastWithin(state: LogState, from: number, bytesMax: number): number {
  const next = state.segments.find((candidate) => candidate.firstRecord > from);
  const limit = (next?.firstRecord ?? state.index.count) - 1;
  const start = state.index.offsetOf(from);
  let until = from;
  while (until < limit && state.index.endOf(until + 1) - start <= bytesMax) until += 1;
  return until;
}

function damagedRecord(state: LogState, segment: Segment, record: number, fault: string): LogStop {
  const zxid = formatZxid(state.index.lastZxidOf(record));
  return new LogStop(
    `${segment.name} in the data folder is damaged at offset ${state.index.offsetOf(record)}, in the record that ends at zxid ${zxid} (${fault}), and was intact when the node started: start the node again; a member of an ensemble is then repaired by the others.`,
  );
}
