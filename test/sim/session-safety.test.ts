/** A client must not count on its session for longer than the ensemble does, whatever is cut off from whom. */
import test from "ava";
import type { SessionId } from "../../protocol/ids.ts";
import { GatewayCluster, type GatewayClient } from "./gateways.ts";

const TIMEOUTS_MS = [4_000, 10_000, 30_000] as const;

type Run = {
  readonly cluster: GatewayCluster;
  readonly client: GatewayClient;
  readonly session: SessionId;
  readonly timeoutMs: number;
};

/** An ensemble with a leader, and a client of one of its nodes that has been there for a while. */
function begin(seed: number, count: number, timeoutMs: number): Run {
  const cluster = new GatewayCluster(seed, count);
  cluster.network.setFaults({ delayMs: { min: 0.05, max: seed % 3 === 0 ? 60 : 3 } });
  cluster.clock.advance(3_000);
  const node = cluster.nodes[seed % count];
  if (node === undefined) throw new Error("no such node");
  const client = cluster.connect(node, timeoutMs);
  cluster.clock.advance(timeoutMs * (1 + cluster.random.random()));
  const { session } = client;
  if (session === undefined) throw new Error(`seed ${seed}: no session`);
  return { cluster, client, session, timeoutMs };
}

/** The client's node alone, or with one other: perhaps the leader, which then pretends to lead for a while. */
function cutOff({ cluster }: Run, seed: number): void {
  const mine = cluster.nodes[seed % cluster.nodes.length];
  const { leader, network, nodes } = cluster;
  if (mine === undefined) return;
  const side = new Set([mine]);
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
function untilClosed({ cluster, client, session, timeoutMs }: Run): number {
  const untilMs = cluster.clock.nowMs() + 3 * timeoutMs + 20_000;
  while (cluster.clock.nowMs() < untilMs) {
    cluster.clock.advance(10);
    const closedAtMs = cluster.closedAtMs.get(session);
    if (closedAtMs !== undefined) return closedAtMs;
    if (cluster.random.random() < 0.01) client.read();
  }
  throw new Error("the session of a client that is cut off must end");
}

for (const timeoutMs of TIMEOUTS_MS) {
  test(`behind a partition a client with a timeout of ${timeoutMs} ms gives its session up before the ensemble does`, (t) => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const count = seed % 2 === 0 ? 5 : 3;
      const run = begin(seed, count, timeoutMs);
      const wasClosed = run.client.closed;
      cutOff(run, seed);
      const closedAtMs = untilClosed(run);
      const safeUntilMs = run.client.lastAnswerMs + (timeoutMs * 2) / 3;
      t.false(wasClosed, `seed ${seed}: not before the partition`);
      t.true(run.client.closed, `seed ${seed}: its connection was closed first`);
      t.true(
        safeUntilMs <= closedAtMs,
        `seed ${seed}: safe until ${safeUntilMs}, ended at ${closedAtMs}`,
      );
    }
  });
}

test("in quiet times no ping waits for the leader", (t) => {
  for (let seed = 3; seed <= 15; seed += 3) {
    const { cluster, client, session } = begin(seed + 1, 3, 4_000);
    cluster.clock.advance(60_000);
    t.true(client.longestWaitMs < 5, `seed ${seed}: a ping waited ${client.longestWaitMs} ms`);
    t.false(client.closed);
    t.false(cluster.closedAtMs.has(session));
  }
});
