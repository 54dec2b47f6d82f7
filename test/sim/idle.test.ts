/** Clients that ask for nothing, with the shortest sessions that a node grants: while nothing goes wrong none loses its connection. */
import test from "ava";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { quietPlan } from "./quiet.ts";
import { Trace } from "./trace.ts";

const SEEDS = 8;
const SESSION_MS = 1000;
const IDLE_MS = 120_000;
const HOMES = [1, 2, 3] as const;

/** How many connections ended in quiet times. */
function lostConnections(seed: number): number {
  const plan = quietPlan(seed, { nodes: HOMES.length, requestsMax: 0 });
  const [first] = plan.clients;
  if (first === undefined) throw new Error("no client");
  const idle = HOMES.flatMap((home) =>
    [1, 2].map(() => ({
      ...first,
      ...{ home, renewals: [], patient: false },
      thinkMs: Number.MAX_SAFE_INTEGER,
      timeoutMs: SESSION_MS,
    })),
  );
  const cluster = new Cluster(
    {
      ...plan,
      clients: idle,
      natives: { clients: idle, lossRate: 0, streamsMax: 0, grantMs: 100 },
      // As a node has it by default. Clocks differ, so that what happens now and then meets in every way.
      ...{ heartbeatIntervalMs: 100, driftMax: 0.01 },
      minSessionTimeoutMs: SESSION_MS,
      clientDelayMs: { min: 0.05, max: 1 },
      network: { ...plan.network, delayMs: { min: 0.05, max: 1 } },
      stragglers: { ...plan.stragglers, rate: 0 },
    },
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  for (const node of cluster.nodes) cluster.start(node);
  cluster.run(5_000);
  const { reconnects } = cluster.counts;
  cluster.run(IDLE_MS);
  return cluster.counts.reconnects - reconnects;
}

test("idle clients with the shortest sessions keep their connections", (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) t.is(lostConnections(seed), 0, `seed ${seed}`);
});
