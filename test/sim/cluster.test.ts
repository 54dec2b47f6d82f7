/** Seeds of the simulator. Every invariant is checked while they run. */
import { availableParallelism } from "node:os";
import test from "ava";
import { Figures } from "./figures.ts";
import { simulate } from "./simulate.ts";
import { runSeeds } from "./workers.ts";

const SEEDS = 84;
const PROCESSES_MAX = 2;

test(`seeds 1 to ${SEEDS}: whole nodes and their clients keep every invariant under faults`, async (t) => {
  const figures = new Figures();
  const failures: string[] = [];
  const startedMs = performance.now();
  await runSeeds({
    from: 1,
    count: SEEDS,
    jobs: Math.min(PROCESSES_MAX, availableParallelism()),
    onReport: (report) => {
      if (report.kind === "passed") figures.add(report.result);
      else failures.push(report.report);
      return true;
    },
  });
  t.log(figures.text(performance.now() - startedMs));
  t.is(failures.length, 0, failures.join("\n\n"));
  t.is(figures.runs, SEEDS);
  t.deepEqual(figures.shapesMissing, [], "what real clients ask for is drawn");
  const rare = [...figures.removals].filter(([, count]) => count < 20);
  t.deepEqual(rare, [], "removeRecursives are done, and meet every limit");
  const kinds = ["answered", "unknown", "denied", "changes", "resumed", "compacted"];
  const few = kinds.filter((kind) => (figures.zookeepers.get(kind) ?? 0) < 10);
  t.deepEqual(
    few,
    [],
    "the client over ZooKeeper's protocol is in doubt, and its streams have gaps",
  );
  t.true(figures.otherOrders > 20, "siblings stand in several orders");
});

test("two runs of a seed are the same run, step by step", (t) => {
  for (const seed of [3, 7, 16, 29]) t.deepEqual(simulate(seed), simulate(seed));
});

test("another seed is another run", (t) => {
  t.not(simulate(3).hash, simulate(4).hash);
});
