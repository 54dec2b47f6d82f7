/** What delays and pauses do to a leadership: none of them ends it while they stay below the patience of followers. */
import test from "ava";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { undisturbedPlan } from "./quiet.ts";
import { Random } from "./random.ts";
import { Trace } from "./trace.ts";

const SEEDS = 20;
const RUN_MS = 30_000;
/** Followers bear 500 ms of silence. The longest pause and the way of a ping and its answer stay below it. */
const PAUSE_MAX_MS = 400;

/** The epochs in which nodes led while nodes stood still now and then, with clocks and messages as slow as the seed has it. */
function epochsOf(seed: number): ReadonlySet<number> {
  const random = new Random(seed);
  const plan = undisturbedPlan(3);
  const cluster = new Cluster(
    {
      ...plan,
      seed,
      driftMax: 0.02,
      network: { ...plan.network, delayMs: { min: 0.05, max: random.pick([1, 20]) } },
    },
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  for (const node of cluster.nodes) cluster.start(node);
  cluster.run(3_000);
  const epochs = new Set<number>();
  const untilMs = cluster.clock.nowMs() + RUN_MS;
  while (cluster.clock.nowMs() < untilMs) {
    const node = random.pick(cluster.nodes);
    node.incarnation?.clock.setRate(1 + (random.random() - 0.5) * 0.04);
    node.incarnation?.clock.pause();
    cluster.run(random.random() * PAUSE_MAX_MS);
    node.incarnation?.clock.resume();
    cluster.run(random.random() * 300);
    for (const { logSync } of cluster.nodes) {
      if (logSync?.role.kind === "leading") epochs.add(logSync.role.epoch);
    }
  }
  return epochs;
}

test("pauses below the patience, slow clocks and slow messages change no leader", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    t.is(epochsOf(seed).size, 1, `seed ${seed}`);
  }
});
