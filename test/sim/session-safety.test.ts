/** A client must not count on its session for longer than the ensemble does, whatever is cut off from whom. */
import test from "ava";
import { Pinger } from "./client/pinger.ts";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { undisturbedPlan } from "./quiet.ts";
import { Random } from "./random.ts";
import type { SimNode } from "./sim-node.ts";
import { Trace } from "./trace.ts";

const TIMEOUTS_MS = [4_000, 10_000, 30_000] as const;

type Run = {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly node: SimNode;
  readonly client: Pinger;
  readonly session: number;
  readonly timeoutMs: number;
  /** When the leader ended a session, as the first node that heard of it knows. */
  readonly endedAtMs: ReadonlyMap<number, number>;
};

/** An ensemble with a leader, and a client of one of its nodes that has been there for a while. */
function begin(seed: number, count: number, timeoutMs: number): Run {
  const random = new Random(seed);
  const cluster = new Cluster(
    {
      ...undisturbedPlan(count),
      seed,
      minSessionTimeoutMs: timeoutMs,
      peerTimeoutMs: 2000,
      network: {
        ...undisturbedPlan(count).network,
        delayMs: { min: 0.05, max: seed % 3 === 0 ? 60 : 3 },
      },
    },
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  const endedAtMs = new Map<number, number>();
  const { onExpired } = cluster.truth;
  cluster.truth.onExpired = (session, itsTimeoutMs) => {
    onExpired(session, itsTimeoutMs);
    endedAtMs.set(session, cluster.clock.nowMs());
  };
  for (const node of cluster.nodes) cluster.start(node);
  cluster.run(3_000);
  const node = cluster.nodes[seed % count];
  if (node === undefined) throw new Error("no such node");
  const client = new Pinger(cluster, { node, timeoutMs });
  cluster.run(timeoutMs * (1 + random.random()));
  const { session } = client;
  if (session === undefined) throw new Error(`seed ${seed}: no session`);
  return { cluster, random, node, client, session, timeoutMs, endedAtMs };
}

/** The client's node alone, or with one other: perhaps the leader, which then pretends to lead for a while. */
function cutOff({ cluster: { network, nodes }, node }: Run): void {
  const leader = nodes.find(({ leads }) => leads);
  const side = new Set([node]);
  if (nodes.length === 5 && leader !== undefined) side.add(leader);
  for (const here of side) {
    for (const there of nodes) {
      if (side.has(there)) continue;
      network.cut(here.id, there.id);
      network.cut(there.id, here.id);
    }
  }
}

/** Until the ensemble has ended the session. The client also reads now and then, which it may be answered. */
function untilEnded({ cluster, random, client, session, timeoutMs, endedAtMs }: Run): number {
  const untilMs = cluster.clock.nowMs() + 3 * timeoutMs + 20_000;
  while (cluster.clock.nowMs() < untilMs) {
    cluster.run(10);
    const atMs = endedAtMs.get(session);
    if (atMs !== undefined) return atMs;
    if (random.chance(0.01)) client.read();
  }
  throw new Error("the session of a client that is cut off must end");
}

for (const timeoutMs of TIMEOUTS_MS) {
  test(`behind a partition a client with a timeout of ${timeoutMs} ms gives its session up before the ensemble does`, (t) => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const run = begin(seed, seed % 2 === 0 ? 5 : 3, timeoutMs);
      const wasClosed = run.client.closed;
      cutOff(run);
      const endedMs = untilEnded(run);
      const safeUntilMs = run.client.lastAnswerMs + (timeoutMs * 2) / 3;
      t.false(wasClosed, `seed ${seed}: not before the partition`);
      t.true(run.client.closed, `seed ${seed}: its connection was closed first`);
      t.true(
        safeUntilMs <= endedMs,
        `seed ${seed}: safe until ${safeUntilMs}, ended at ${endedMs}`,
      );
    }
  });
}

test("in quiet times no ping waits for the leader", (t) => {
  for (let seed = 3; seed <= 15; seed += 3) {
    const { cluster, client, session, endedAtMs } = begin(seed + 1, 3, 4_000);
    cluster.run(60_000);
    t.true(client.longestWaitMs < 5, `seed ${seed}: a ping waited ${client.longestWaitMs} ms`);
    t.false(client.closed);
    t.false(endedAtMs.has(session));
  }
});
