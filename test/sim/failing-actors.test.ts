/** An actor that fails and is started again does its work again, though nobody repeats what the others know already. */
import test from "ava";
import { GatewayCluster } from "./gateways.ts";

/** No such message exists: the actor throws over it. */
const UNBEARABLE = { kind: "received", from: 1, message: undefined };

function begin(count: number): GatewayCluster {
  const cluster = new GatewayCluster(count, count);
  cluster.clock.advance(3_000);
  if (cluster.leader === undefined) throw new Error("no leader");
  return cluster;
}

function failures({ nodes }: GatewayCluster): string[] {
  const failed: string[] = [];
  for (const { system } of nodes) {
    system.inspection$.subscribe((event) => {
      if (event.kind === "failed") failed.push(event.actor);
    });
  }
  return failed;
}

test("a heartbeat that is started anew on a node alone goes on counting its clients as alive", (t) => {
  const cluster = begin(1);
  const failed = failures(cluster);
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("no node");
  const client = cluster.connect(node, 4_000);
  cluster.clock.advance(4_000);
  node.system.tell("heartbeat", UNBEARABLE);
  cluster.clock.advance(40_000);
  t.deepEqual(failed, ["heartbeat"]);
  t.false(client.closed);
  t.true(client.longestWaitMs < 1_000);
});

test("followers whose heartbeats were started anew notice their leader's death", (t) => {
  const cluster = begin(3);
  const failed = failures(cluster);
  const { leader } = cluster;
  const followers = cluster.nodes.filter((node) => node !== leader);
  for (const { system } of followers) system.tell("heartbeat", UNBEARABLE);
  cluster.clock.advance(500);
  t.deepEqual(failed, ["heartbeat", "heartbeat"]);
  leader?.system.stop();
  cluster.network.setFaults({ delayMs: { min: 0.05, max: 1 } });
  cluster.clock.advance(10_000);
  const leading = followers.filter(({ leadership }) => leadership?.role === "leading");
  t.is(leading.length, 1);
});
