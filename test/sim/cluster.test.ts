/** Seeds of the simulator. Every invariant is checked while they run. */
import test from "ava";
import { simulate } from "./simulate.ts";

const SEEDS = 100;
const GROUP = 10;

for (let first = 1; first <= SEEDS; first += GROUP) {
  const last = first + GROUP - 1;
  test(`seeds ${first} to ${last}: whole nodes and their clients keep every invariant under faults`, (t) => {
    let acknowledged = 0;
    for (let seed = first; seed <= last; seed += 1)
      acknowledged += simulate(seed).clients.acknowledged;
    t.true(acknowledged > 0);
    t.log(`${acknowledged} acknowledged writes`);
  });
}

test("two runs of a seed are the same run", (t) => {
  t.deepEqual(simulate(7), simulate(7));
});
