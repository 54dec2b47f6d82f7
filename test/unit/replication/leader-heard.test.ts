/** When a gateway may believe that the leader has heard of its sessions: by plain calls of the heartbeat actor. */
import type { HeartbeatEffect } from "../../../actors/heartbeat/heartbeat.ts";
import test from "ava";
import { heartbeatActor, type HeartbeatState } from "../../../actors/heartbeat/heartbeat.ts";
import type { HeartbeatMessage, Ping, Pong } from "../../../actors/heartbeat/messages.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { epoch } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { Driven, emitted, server, told } from "../../support/plain-calls.ts";
import { senderOf } from "../../support/peers.ts";

const SESSION = 77 as SessionId;
const GATEWAY = "zookeeper/1";

type Node = Driven<HeartbeatState, HeartbeatMessage, HeartbeatEffect>;

function leads(id: number, role: Leadership["role"], of = 1): Leadership {
  return { kind: "leadership", role, epoch: epoch(of), leader: server(id), admission: "all" };
}

/** Node 1 of as many voters. */
function node(voters: number, leader: number): Node {
  const all = Array.from({ length: voters }, (_, index) => server(index + 1));
  const actor = new Driven(heartbeatActor({ server: server(1), voters: all }));
  actor.receive(leads(leader, leader === 1 ? "leading" : "following"));
  return actor;
}

function tell(actor: Node, turn: number): readonly Effect[] {
  return actor.receive({
    kind: "touched",
    sessions: [SESSION],
    receipt: { gateway: GATEWAY, turn },
  });
}

function ping(actor: Node): Ping {
  const effects = actor.receive({ kind: "timer", timer: "ping" });
  const request = effects.find((effect) => effect.kind === "request");
  if (request?.kind !== "request") throw new Error("no ping");
  return request.message as Ping;
}

function hear(actor: Node, round: number, answer: Partial<Pong>): object[] {
  const message: Pong = { kind: "pong", epoch: epoch(1), leading: true, atMs: 500, ...answer };
  const effects = actor.receive({
    kind: "answered",
    tag: round,
    from: server(2),
    sender: senderOf(2),
    message,
  });
  return emitted(effects, "leaderHeard");
}

/** A leader's answer to a ping of another node. */
function ask(actor: Node, from: number, round: number, echoMs?: number): Pong {
  const message: Ping = { kind: "ping", epoch: epoch(1), touched: [], round, echoMs };
  const effects = actor.receive({
    kind: "received",
    from: server(from),
    sender: senderOf(from),
    message,
    request: 1,
  });
  const answer = effects.find((effect) => effect.kind === "answer");
  if (answer?.kind !== "answer") throw new Error("no pong");
  return answer.message as Pong;
}

test("a gateway hears of its turns when the leader confirms their round, each once", (t) => {
  const actor = node(3, 2);
  tell(actor, 1);
  const { round } = ping(actor);
  tell(actor, 2);
  const next = ping(actor);
  t.deepEqual(hear(actor, round, {}), []);
  t.deepEqual(hear(actor, next.round, { confirmed: round }), [
    { kind: "leaderHeard", turns: { [GATEWAY]: [1] } },
  ]);
  t.deepEqual(hear(actor, next.round, { confirmed: next.round }), [
    { kind: "leaderHeard", turns: { [GATEWAY]: [2] } },
  ]);
  t.deepEqual(hear(actor, next.round, { confirmed: next.round }), []);
});

test("what a leader took but did not confirm is told to the next leader", (t) => {
  const actor = node(3, 2);
  tell(actor, 1);
  const { round } = ping(actor);
  hear(actor, round, {});
  t.deepEqual(ping(actor).touched, []);
  actor.receive(leads(3, "following", 2));
  t.deepEqual(ping(actor).touched, [SESSION]);
});

test("a confirmation of a round that this life has not begun is passed over", (t) => {
  const actor = node(3, 2);
  tell(actor, 1);
  const { round } = ping(actor);
  t.deepEqual(hear(actor, round, { confirmed: round + 1 }), []);
  t.deepEqual(hear(actor, round, { confirmed: round - 1 }), []);
});

test("a pong of a leader that is not established takes nothing", (t) => {
  const actor = node(3, 2);
  tell(actor, 1);
  const { round } = ping(actor);
  t.deepEqual(hear(actor, round, { atMs: undefined, confirmed: round }), []);
  t.deepEqual(ping(actor).touched, [SESSION]);
});

test("a follower's round counts once a quorum has answered what the leader said after it", (t) => {
  const actor = node(5, 1);
  actor.nowMs = 100;
  t.like(ask(actor, 2, 10), { atMs: 100, confirmed: undefined });
  actor.nowMs = 150;
  t.like(ask(actor, 3, 70), { atMs: 150, confirmed: undefined });
  actor.nowMs = 200;
  t.like(ask(actor, 2, 11, 100), { confirmed: undefined });
  actor.nowMs = 250;
  t.like(ask(actor, 3, 71, 150), { confirmed: undefined });
  actor.nowMs = 300;
  t.like(ask(actor, 2, 12, 200), { confirmed: 10 });
});

test("a node that has started again is not answered with the rounds of its former life", (t) => {
  const actor = node(3, 1);
  actor.nowMs = 100;
  ask(actor, 2, 1_000);
  actor.nowMs = 200;
  t.like(ask(actor, 2, 1_001, 100), { confirmed: 1_000 });
  actor.nowMs = 300;
  t.like(ask(actor, 2, 5), { confirmed: undefined });
});

test("a leader's own turns count when a quorum has held to it since", (t) => {
  const actor = node(3, 1);
  actor.nowMs = 100;
  t.like(told(tell(actor, 1), "sessions"), [{ kind: "touched", sessions: [SESSION] }]);
  t.deepEqual(emitted(actor.receive({ kind: "timer", timer: "quorum" }), "leaderHeard"), []);
  actor.nowMs = 150;
  ask(actor, 3, 1, 99);
  t.deepEqual(emitted(actor.effects, "leaderHeard"), []);
  actor.nowMs = 250;
  ask(actor, 3, 2, 150);
  t.deepEqual(emitted(actor.effects, "leaderHeard"), [
    { kind: "leaderHeard", turns: { [GATEWAY]: [1] } },
  ]);
});

test("a node alone confirms its own turns at its next look at the quorum", (t) => {
  const actor = node(1, 1);
  tell(actor, 1);
  t.is(emitted(actor.receive({ kind: "timer", timer: "quorum" }), "leaderHeard").length, 1);
});

test("a new leader gives its own sessions what was touched before it led", (t) => {
  const actor = new Driven(heartbeatActor({ server: server(1), voters: [server(1)] }));
  tell(actor, 1);
  const effects = actor.receive(leads(1, "leading"));
  t.deepEqual(told(effects, "sessions"), [{ kind: "touched", sessions: [SESSION] }]);
});
