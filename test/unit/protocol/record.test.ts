/** The header of a record, there and back. */
import { crc32 } from "node:zlib";
import test from "ava";
import type { ServerId } from "../../../protocol/ids.ts";
import { encodeRecord, recordHeader, type RecordHeader } from "../../../protocol/record.ts";
import { epoch, zxidOf } from "../../../protocol/zxid.ts";

const HEADER: RecordHeader = {
  kind: "batch",
  firstZxid: zxidOf(epoch(2), 5),
  lastZxid: zxidOf(epoch(2), 7),
  prevZxid: zxidOf(epoch(2), 4),
  timeMs: 1_700_000_000_000,
  submitter: { server: 3 as ServerId, lane: 1, incarnation: 9 },
  seq: 4,
};

function thereAndBack(header: RecordHeader): RecordHeader {
  return recordHeader(encodeRecord(header, new Uint8Array(3), crc32));
}

test("a header comes back as it was written", (t) => {
  t.deepEqual(thereAndBack(HEADER), HEADER);
});

test("the lanes of node 0 are submitters as any other's", (t) => {
  const header = { ...HEADER, submitter: { server: 0 as ServerId, lane: 2, incarnation: 9 } };
  t.deepEqual(thereAndBack(header), header);
});

test("what the leader itself submits has no submitter", (t) => {
  const header = { ...HEADER, submitter: undefined, seq: 0 };
  t.deepEqual(thereAndBack(header), header);
});
