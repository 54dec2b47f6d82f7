/** The header of a record, there and back. */
import { crc32 } from "node:zlib";
import test from "ava";
import type { ServerId } from "../../../protocol/ids.ts";
import { encodeBarrier } from "../../../protocol/barrier.ts";
import { foundedBy } from "../../../protocol/configuration.ts";
import {
  encodeRecord,
  recordConfiguration,
  recordFault,
  recordHeader,
  type RecordHeader,
} from "../../../protocol/record.ts";
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

test("a barrier of a peer may name a configuration, and nothing else in its place", (t) => {
  const zxid = zxidOf(epoch(2), 0);
  const header = { ...HEADER, kind: "barrier", firstZxid: zxid, lastZxid: zxid } as const;
  const barrier = (payload: Uint8Array): Uint8Array => {
    return encodeRecord({ ...header, prevZxid: zxidOf(epoch(1), 4) }, payload, crc32);
  };
  const configuration = foundedBy([{ id: 1 as ServerId, identity: "1".repeat(32) }]);
  const named = barrier(encodeBarrier(configuration));
  t.is(recordFault(named, epoch(2)), undefined);
  t.deepEqual(recordConfiguration(named), configuration);
  t.is(recordFault(barrier(encodeBarrier(undefined)), epoch(2)), undefined);
  t.is(recordConfiguration(barrier(encodeBarrier(undefined))), undefined);
  const wrong = barrier(encodeBarrier({ ...configuration, voters: [] }));
  t.regex(recordFault(wrong, epoch(2)) ?? "", /no configuration/);
});

test("what the leader itself submits has no submitter", (t) => {
  const header = { ...HEADER, submitter: undefined, seq: 0 };
  t.deepEqual(thereAndBack(header), header);
});
