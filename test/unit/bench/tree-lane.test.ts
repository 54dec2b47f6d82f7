/** The lane that `npm run bench -- tree-apply` measures is a node's own, over the port that a node uses. */
import test from "ava";
import { makeRecords } from "../../../bench/lanes/records.ts";
import { BenchLane } from "../../../bench/lanes/tree-lane.ts";

const PLAN = {
  lanes: 1,
  znodes: 3,
  valueBytes: 5,
  operation: "setData",
  batches: 2,
  operationsPerBatch: 4,
} as const;

test("a tree lane applies the records that it is sent, and a stop in order is no failure of the lane", async (t) => {
  const { setUp, batches } = makeRecords(PLAN);
  const lane = await BenchLane.start(1, 1);
  const before = await lane.apply(setUp);
  const after = await lane.apply(batches);
  t.is(after.zxid - before.zxid, 8);
  t.like(await lane.metrics(), { zxid: after.zxid, znodes: before.znodes, sessions: 1 });
  await t.notThrowsAsync(lane.stop());
});
