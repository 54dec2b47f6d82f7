/** An actor that fails and is started again does its work again, though nobody repeats what the others know already. */
import test from "ava";
import { Pinger } from "./client/pinger.ts";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { undisturbedPlan } from "./quiet.ts";
import { Trace } from "./trace.ts";

type Run = {
  readonly cluster: Cluster;
  /** Actors that failed, in order. */
  readonly failed: readonly string[];
};

function begin(count: number): Run {
  const failed: string[] = [];
  const cluster = new Cluster(
    undisturbedPlan(count),
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  for (const node of cluster.nodes) cluster.start(node);
  cluster.trace.listener = (_line, _who, text) => {
    const [, actor] = /^(\S+) failed on /.exec(text) ?? [];
    if (actor !== undefined) failed.push(actor);
  };
  cluster.run(3_000);
  if (!cluster.nodes.some(({ leads }) => leads)) throw new Error("no leader");
  return { cluster, failed };
}

test("a heartbeat that is started again on a node alone goes on counting its clients as alive", (t) => {
  const { cluster, failed } = begin(1);
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("no node");
  const client = new Pinger(cluster, { node, timeoutMs: 4_000 });
  cluster.run(4_000);
  node.failing.set("heartbeat", { at: "before" });
  cluster.run(40_000);
  t.deepEqual(failed, ["heartbeat"]);
  t.false(client.closed);
  t.true(client.longestWaitMs < 1_000);
});

test("followers whose heartbeats were started again notice their leader's death", (t) => {
  const { cluster, failed } = begin(3);
  const leader = cluster.nodes.find(({ leads }) => leads);
  const followers = cluster.nodes.filter((node) => node !== leader);
  if (leader === undefined) throw new Error("no leader");
  for (const { failing } of followers) failing.set("heartbeat", { at: "before" });
  cluster.run(500);
  t.deepEqual(failed, ["heartbeat", "heartbeat"]);
  cluster.crash(leader, false);
  cluster.run(10_000);
  t.is(followers.filter(({ leads, established }) => leads && established).length, 1);
});
