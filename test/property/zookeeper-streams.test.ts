/**
 * Change streams over ZooKeeper's protocol: whatever the order in which writes, events, answers and lost connections come, no zxid is
 * delivered twice or out of order, and whoever follows the changes ends with what the ensemble has.
 */
import test from "ava";
import { checkFollower, checkLateFollower } from "../support/zookeeper-client/stream-followers.ts";
import { checkVisits } from "../support/zookeeper-client/stream-visits.ts";

const WISH = process.env["ZOOID_TEST_RUNS"];
const RUNS = Number(WISH ?? 200);
// `npm test` plays the same orders each time, as it plays the same seeds of the simulator. Whoever wants more gets others each time.
const RUN = WISH === undefined ? { seed: 1 } : {};

test("whoever follows a stream from the start ends with what is there, in order and without a zxid twice", async (t) => {
  const changes = await checkFollower({ ...RUN, numRuns: RUNS });
  t.true(changes > RUNS, `${changes}`);
});

test("whoever begins late, and reads and begins again where there is a gap, ends with what is there", async (t) => {
  t.true((await checkLateFollower({ ...RUN, numRuns: RUNS })) > 0);
});

test("whoever begins at a zxid at which the znodes were read has a gap, or ends with what is there", async (t) => {
  t.true((await checkVisits({ ...RUN, numRuns: 10 * RUNS })) > 0);
});
