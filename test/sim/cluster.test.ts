/** Seeds of the simulator: crashes, partitions, loss. Every invariant is checked while they run. */
import test from "ava";
import { simulate } from "./simulate.ts";

const SEEDS = 100;
const GROUP = 10;

for (let first = 1; first <= SEEDS; first += GROUP) {
  const last = first + GROUP - 1;
  test(`seeds ${first} to ${last}: one leader an epoch, no acknowledged write lost, equal trees`, (t) => {
    let acknowledged = 0;
    for (let seed = first; seed <= last; seed += 1) {
      const result = simulate(seed);
      t.true(result.acknowledged > 0, `seed ${seed} acknowledged a write`);
      acknowledged += result.acknowledged;
    }
    t.log(`${acknowledged} acknowledged writes`);
  });
}

test("two runs of a seed are the same run", (t) => {
  t.deepEqual(simulate(7), simulate(7));
});
