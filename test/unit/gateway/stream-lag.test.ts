/** How far behind change streams are said to be: what the gateway reports of them, and what is made of the reports. */
import test from "ava";
import type { GatewayReport, StreamCounts } from "../../../actors/admin/messages.ts";
import { streamsOf } from "../../../actors/admin/streams.ts";
import type { Change } from "../../../protocol/reads.ts";
import { epoch, type Zxid, zxidOf, zxidsBetween } from "../../../protocol/zxid.ts";
import { type NativeGatewayHarness, opened, STAT } from "../../support/native-gateway.ts";

const LARGE_BYTES = 1024 * 1024;

function change(zxid: number, bytes = 1): Change {
  const of = { zxid: zxid as Zxid, index: 0, kind: "data", path: "/a", stat: STAT } as const;
  return { ...of, data: new Uint8Array(bytes) };
}

function changes(harness: NativeGatewayHarness, through: number, ...list: Change[]): void {
  const of = { client: 1, stream: 1, changes: list, through: through as Zxid };
  harness.give({ kind: "changes", ...of });
}

function reportOf(harness: NativeGatewayHarness): GatewayReport {
  harness.tick(1000);
  return harness.lastTold("gatewayReport") as GatewayReport;
}

function countsOf(harness: NativeGatewayHarness): StreamCounts | undefined {
  return reportOf(harness).streams;
}

/** One stream, after zxid 10, whose client has granted a single credit. */
function streaming(): NativeGatewayHarness {
  const harness = opened();
  const stream = { kind: "openStream", stream: 5, path: "/a", recursive: true } as const;
  harness.say({ ...stream, after: 10 as Zxid, credits: 1 });
  return harness;
}

test("a stream is behind while changes wait for its client, from the last that it was sent", (t) => {
  const harness = streaming();
  t.like(countsOf(harness), { open: 1, waiting: 0, furthestBehind: 10 as Zxid }, "it opens");
  changes(harness, 10);
  t.is(countsOf(harness)?.furthestBehind, undefined);
  changes(harness, 12, change(11), change(12));
  changes(harness, 14, change(13), change(14));
  harness.published();
  const pending = { waiting: 1, pendingChanges: 2, pendingChangesMax: 2 };
  t.like(countsOf(harness), { ...pending, furthestBehind: 12 as Zxid });
  harness.say({ kind: "credit", stream: 5, credits: 10 });
  harness.published();
  t.like(countsOf(harness), { waiting: 0, pendingChanges: 0, furthestBehind: undefined });
});

test("a stream that is paused is behind until the tree has opened it again", (t) => {
  const harness = streaming();
  changes(harness, 10);
  const large = Array.from({ length: 6 }, (_, index) => change(11 + index, LARGE_BYTES));
  changes(harness, 16, ...large);
  harness.published();
  t.like(countsOf(harness), { pendingChanges: 5, furthestBehind: 11 as Zxid });
  harness.say({ kind: "credit", stream: 5, credits: 100 });
  for (let sequence = 1; countsOf(harness)?.waiting !== 0; sequence += 1) {
    t.true(sequence < 100, "what waits is sent, and what is sent is taken");
    harness.published();
    harness.say({ kind: "taken", sequence: 100 + sequence });
  }
  t.is(countsOf(harness)?.furthestBehind, 16 as Zxid);
  harness.give({ kind: "changes", client: 1, stream: 2, changes: [], through: 20 as Zxid });
  t.is(countsOf(harness)?.furthestBehind, undefined);
});

test("the lag of a lane is counted in what its own tree has applied", (t) => {
  const harness = streaming();
  const first = reportOf(harness);
  const other = { ...first, gateway: "nats/2" as const };
  const idle = first.streams && { ...first.streams, lane: 2, furthestBehind: undefined };
  const reports = [{ ...other, ...(idle && { streams: idle }) }, first];
  const applied = new Map([
    [1, 25 as Zxid],
    [2, 30 as Zxid],
  ]);
  t.deepEqual(streamsOf(reports, applied).lagZxids, [
    [1, 15],
    [2, 0],
  ]);
  t.deepEqual(streamsOf([first], new Map()).lagZxids, [[1, 0]], "nothing is known of its tree");
  changes(harness, 40, change(39), change(40));
  changes(harness, 50, change(50));
  harness.published();
  t.deepEqual(streamsOf([reportOf(harness)], applied).lagZxids, [[1, 10]], "the tree reports late");
  t.is(streamsOf(reports, applied).open, 2);
});

test("zxids are counted within an epoch, and beyond its end as few as there can be", (t) => {
  t.is(zxidsBetween(zxidOf(epoch(2), 5), zxidOf(epoch(2), 9)), 4);
  t.is(zxidsBetween(zxidOf(epoch(2), 9), zxidOf(epoch(2), 5)), 0);
  t.is(zxidsBetween(zxidOf(epoch(2), 900), zxidOf(epoch(3), 5)), 5);
  t.is(zxidsBetween(zxidOf(epoch(2), 900), zxidOf(epoch(3), 0)), 1);
});
