/** A stranger who may publish under nodes' names, at an ensemble of real actors under virtual time. */
import test from "ava";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import { encodeCbor } from "../../protocol/cbor.ts";
import { EPOCH_MAX } from "../../protocol/zxid.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { withBody } from "../support/frames.ts";
import { HostilePeers } from "../support/hostile-peers.ts";
import { GatewayCluster } from "./gateways.ts";
import { server } from "../support/plain-calls.ts";

const SESSION_TIMEOUT_MS = 10_000;

/** As that node would say it: whoever hears one frame of a node can write its header. */
function framed({ nodes }: GatewayCluster, from: number, body: Uint8Array): Uint8Array {
  const frame = nodes.find(({ id }) => id === from)?.gate.seal({});
  return frame === undefined ? body : withBody(frame, body);
}

test("malformed messages, messages out of range and messages to actors that hear no peers stop no node", (t) => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const cluster = new GatewayCluster(seed, 3);
    const { clock, network, random, nodes } = cluster;
    const events: InspectionEvent[] = [];
    for (const { system } of nodes) system.inspection$.subscribe((event) => events.push(event));
    clock.advance(3_000);
    const [node] = nodes;
    if (node === undefined) throw new Error("no node");
    const client = cluster.connect(node, SESSION_TIMEOUT_MS);
    const stranger = new HostilePeers(() => random.random());
    for (let round = 0; round < 3_000; round += 1) {
      const { from, actor, bytes: body } = stranger.next();
      const bytes = framed(cluster, from, body);
      for (const { id } of nodes)
        if (id !== from) network.forge({ from: server(from), to: id, actor, bytes });
      clock.advance(2);
    }
    clock.advance(10_000);
    t.deepEqual(
      events.filter(({ kind }) => kind === "failed" || kind === "stopNode"),
      [],
    );
    t.true(cluster.leader !== undefined, `seed ${seed}: there is a leader`);
    t.false(client.closed, `seed ${seed}: the client is served`);
    for (const { id, system, gate } of nodes) {
      t.true(gate.refused > 1_000, `seed ${seed}: node ${id} counts what it refused`);
      const {
        promises: { durable: promise },
      } = system.stateOf("log-sync") as LogSyncState;
      t.true(promise.epoch < EPOCH_MAX / 10, `seed ${seed}: node ${id} promised ${promise.epoch}`);
    }
    const lines = events.filter(
      (event) => event.kind === "log" && event.event === "malformedPeerMessage",
    );
    t.true(lines.length > 0 && lines.length < 1_000, "each reason is logged once in a while");
  }
});

test("a flood of what peers may say does not fill a mailbox until its node stops", (t) => {
  const cluster = new GatewayCluster(1, 3);
  const full: object[] = [];
  cluster.nodes[0]?.system.inspection$.subscribe((event) => {
    if (event.kind === "undelivered") full.push({ to: event.to, reason: event.reason });
  });
  cluster.clock.advance(3_000);
  const bytes = framed(cluster, 2, encodeCbor({ kind: "survey", nonce: 1 }));
  for (let sent = 0; sent < 150_000; sent += 1) {
    cluster.network.forge({ from: server(2), to: server(1), actor: "log-sync", bytes });
  }
  cluster.clock.advance(5_000);
  t.deepEqual(full, [{ to: "log-sync", reason: "mailboxFull" }]);
  t.true(cluster.leader !== undefined);
});
