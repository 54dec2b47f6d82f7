/** The heartbeat and sessions actors by plain calls. */
import type { SessionsEffect } from "../../../actors/sessions/sessions.ts";
import type { HeartbeatEffect } from "../../../actors/heartbeat/heartbeat.ts";
import test from "ava";
import { heartbeatActor, type HeartbeatState } from "../../../actors/heartbeat/heartbeat.ts";
import type { HeartbeatMessage } from "../../../actors/heartbeat/messages.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import type { SessionsMessage } from "../../../actors/sessions/messages.ts";
import { sessionsActor, type SessionsState } from "../../../actors/sessions/sessions.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { epoch } from "../../../protocol/zxid.ts";
import { at, Driven, server, told } from "../../support/plain-calls.ts";
import { senderOf } from "../../support/peers.ts";

const SESSION = 77 as SessionId;

function leadership(role: Leadership["role"], leader: number | undefined): Leadership {
  return {
    kind: "leadership",
    role,
    epoch: epoch(1),
    leader: leader === undefined ? undefined : server(leader),
    admission: "all",
  };
}

/** Node 1 of three that follows, or leads. */
function heartbeat(leader: number): Driven<HeartbeatState, HeartbeatMessage, HeartbeatEffect> {
  const actor = new Driven(heartbeatActor({ server: server(1), voters: [1, 2, 3].map(server) }));
  actor.receive(leadership(leader === 1 ? "leading" : "following", leader));
  return actor;
}

function requests(effects: readonly Effect[]): Extract<Effect, { kind: "request" }>[] {
  return effects.filter((effect) => effect.kind === "request");
}

test("a follower whose ping finds nobody gives its leader up at once", (t) => {
  const actor = heartbeat(2);
  const [ping] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  const effects = actor.receive({ kind: "noResponders", tag: ping?.tag ?? -1, to: server(2) });
  t.like(told(effects, "log-sync"), [{ kind: "leaderLost" }]);
});

test("a follower bears a leader's silence for the timeout and no longer", (t) => {
  const actor = heartbeat(2);
  actor.nowMs = 1999;
  t.deepEqual(told(actor.receive({ kind: "timer", timer: "ping" }), "log-sync"), []);
  actor.nowMs = 2001;
  t.like(told(actor.receive({ kind: "timer", timer: "ping" }), "log-sync"), [
    { kind: "leaderLost" },
  ]);
});

test("one answer of a node that does not lead ends an established leadership, and not one that is being established", (t) => {
  const pong = { kind: "pong", epoch: epoch(1), leading: false } as const;
  const ask = (actor: Driven<HeartbeatState, HeartbeatMessage, HeartbeatEffect>): object[] => {
    const [ping] = requests(actor.receive({ kind: "timer", timer: "ping" }));
    const answer = {
      kind: "answered",
      tag: ping?.tag ?? -1,
      from: server(2),
      sender: senderOf(2),
      message: pong,
    } as const;
    return told(actor.receive(answer), "log-sync");
  };
  t.like(ask(heartbeat(2)), [{ kind: "leaderLost" }]);
  const early = heartbeat(2);
  early.receive(leadership("establishing", 2));
  t.deepEqual(ask(early), []);
  t.like(ask(early), [{ kind: "leaderLost" }]);
});

test("a leader that hears no quorum for the timeout steps down", (t) => {
  const actor = heartbeat(1);
  actor.nowMs = 1000;
  const message = { kind: "ping", epoch: epoch(1), touched: [], round: 1 } as const;
  actor.receive({ kind: "received", from: server(3), sender: senderOf(3), message, request: 1 });
  actor.nowMs = 2500;
  t.deepEqual(told(actor.receive({ kind: "timer", timer: "quorum" }), "log-sync"), []);
  actor.nowMs = 3001;
  t.like(told(actor.receive({ kind: "timer", timer: "quorum" }), "log-sync"), [
    { kind: "leaderLost" },
  ]);
});

test("sessions touched here are told to the leader until a pong says that it took them", (t) => {
  const actor = heartbeat(2);
  actor.receive({ kind: "touched", sessions: [SESSION] });
  const [first] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  t.like(first?.message, { touched: [SESSION] });
  const [second] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  t.like(second?.message, { touched: [SESSION] });
  const pong = { kind: "pong", epoch: epoch(1), leading: true, atMs: 7 } as const;
  actor.receive({
    kind: "answered",
    tag: second?.tag ?? -1,
    from: server(2),
    sender: senderOf(2),
    message: pong,
  });
  const [third] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  t.like(third?.message, { touched: [] });
});

/** With one session of 4 s that was attached at time 0. */
function sessions(
  role: Leadership["role"],
): Driven<SessionsState, SessionsMessage, SessionsEffect> {
  const actor = new Driven(sessionsActor({ tickMs: 500 }));
  actor.receive({
    kind: "sessionChanges",
    attached: [{ session: SESSION, timeoutMs: 4000, attachedAt: at(1, 5) }],
    closed: [],
  });
  actor.receive(leadership(role, 1));
  return actor;
}

/** Ticks in time up to `nowMs`; what the last one proposed. */
function tick(
  actor: Driven<SessionsState, SessionsMessage, SessionsEffect>,
  nowMs: number,
): object[] {
  let proposals: object[] = [];
  while (actor.nowMs < nowMs) {
    actor.nowMs = Math.min(actor.nowMs + 500, nowMs);
    proposals = told(actor.receive({ kind: "timer", timer: "tick" }), "log-sync");
  }
  return proposals;
}

test("the leader proposes the end of a session that was not heard of for its timeout", (t) => {
  const actor = sessions("leading");
  t.deepEqual(tick(actor, 3999), []);
  const [proposal] = tick(actor, 4000) as { payload: Uint8Array; count: number }[];
  t.is(proposal?.count, 1);
  t.deepEqual(decodeBatch(proposal?.payload ?? new Uint8Array()), [
    { kind: "expireSession", session: SESSION, attachedAt: at(1, 5) },
  ]);
});

test("a touch gives a session its full timeout again", (t) => {
  const actor = sessions("leading");
  t.deepEqual(tick(actor, 3000), []);
  actor.receive({ kind: "touched", sessions: [SESSION] });
  t.deepEqual(tick(actor, 6999), []);
  t.is(tick(actor, 7000).length, 1);
});

test("a follower expires nothing, and a new leader starts every session anew", (t) => {
  const actor = sessions("following");
  t.deepEqual(tick(actor, 60_000), []);
  actor.receive(leadership("leading", 1));
  t.deepEqual(tick(actor, 63_999), []);
  t.is(tick(actor, 64_000).length, 1);
});

test("no session pays for a time in which the leader itself stood still", (t) => {
  const actor = sessions("leading");
  t.deepEqual(tick(actor, 1000), []);
  actor.nowMs = 61_000;
  t.deepEqual(told(actor.receive({ kind: "timer", timer: "tick" }), "log-sync"), []);
  t.deepEqual(tick(actor, 63_000), []);
  t.is(tick(actor, 63_500).length, 1);
});

test("a session that was closed is not expired", (t) => {
  const actor = sessions("leading");
  actor.receive({ kind: "sessionChanges", attached: [], closed: [SESSION] });
  t.deepEqual(tick(actor, 60_000), []);
});
