/** A stranger who may publish under nodes' names, at an ensemble of real actors under virtual time. */
import test from "ava";
import { encodeCbor } from "../../protocol/cbor.ts";
import { EPOCH_MAX } from "../../protocol/zxid.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { withBody } from "../support/frames.ts";
import { HostilePeers } from "../support/hostile-peers.ts";
import { Pinger } from "./client/pinger.ts";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { undisturbedPlan } from "./quiet.ts";
import { Random } from "./random.ts";
import { Trace } from "./trace.ts";
import { server } from "../support/plain-calls.ts";

const SESSION_TIMEOUT_MS = 10_000;

type Run = {
  readonly cluster: Cluster;
  /** By number, of its first incarnation. */
  readonly events: ReadonlyMap<number, readonly InspectionEvent[]>;
};

function begin(seed: number): Run {
  const cluster = new Cluster(
    { ...undisturbedPlan(3), seed, minSessionTimeoutMs: SESSION_TIMEOUT_MS },
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  const events = new Map<number, InspectionEvent[]>();
  for (const node of cluster.nodes) {
    cluster.start(node);
    const own: InspectionEvent[] = [];
    events.set(node.id, own);
    node.incarnation?.threads.systems
      .get("main")
      ?.inspection$.subscribe((event) => own.push(event));
  }
  cluster.run(3_000);
  return { cluster, events };
}

/** As that node would say it: whoever hears one frame of a node can write its header. */
function framed({ network }: Cluster, from: number, body: Uint8Array): Uint8Array {
  const frame = network.lastOf(server(from));
  return frame === undefined ? body : withBody(frame, body);
}

test("malformed messages, messages out of range and messages to actors that hear no peers stop no node", (t) => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const { cluster, events } = begin(seed);
    const { clock, network, nodes } = cluster;
    const [node] = nodes;
    if (node === undefined) throw new Error("no node");
    const client = new Pinger(cluster, { node, timeoutMs: SESSION_TIMEOUT_MS });
    const random = new Random(seed);
    const stranger = new HostilePeers(() => random.random());
    // Whoever has a real header is believed in all that is well-formed and in range, so what the cluster checks does not hold here:
    // time passes without `run`, which would throw it.
    for (let round = 0; round < 3_000; round += 1) {
      const { from, actor, bytes: body } = stranger.next();
      const bytes = framed(cluster, from, body);
      for (const { id } of nodes)
        if (id !== from) network.forge({ from: server(from), to: id, actor, bytes });
      clock.advance(2);
    }
    clock.advance(10_000);
    const all = [...events.values()].flat();
    t.deepEqual(
      all.filter(({ kind }) => kind === "failed" || kind === "stopNode"),
      [],
    );
    t.true(
      nodes.some(({ leads }) => leads),
      `seed ${seed}: there is a leader`,
    );
    t.false(client.closed, `seed ${seed}: the client is served`);
    for (const { id, incarnation, logSync } of nodes) {
      t.true(
        (incarnation?.gate.refused ?? 0) > 1_000,
        `seed ${seed}: node ${id} counts what it refused`,
      );
      const promised = logSync?.promises.durable.epoch ?? EPOCH_MAX;
      t.true(promised < EPOCH_MAX / 10, `seed ${seed}: node ${id} promised ${promised}`);
    }
    const lines = all.filter(
      (event) => event.kind === "log" && event.event === "malformedPeerMessage",
    );
    t.true(lines.length > 0 && lines.length < 1_000, "each reason is logged once in a while");
  }
});

test("a flood of what peers may say does not fill a mailbox until its node stops", (t) => {
  const { cluster, events } = begin(1);
  const bytes = framed(cluster, 2, encodeCbor({ kind: "survey", nonce: 1 }));
  for (let sent = 0; sent < 150_000; sent += 1) {
    cluster.network.forge({ from: server(2), to: server(1), actor: "log-sync", bytes });
  }
  cluster.run(5_000);
  const full = (events.get(1) ?? [])
    .filter((event) => event.kind === "undelivered")
    .map(({ to, reason }) => ({ to, reason }));
  t.deepEqual(full, [{ to: "log-sync", reason: "mailboxFull" }]);
  t.true(cluster.nodes.some(({ leads }) => leads));
});
