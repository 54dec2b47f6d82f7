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
import { at, Driven, emitted, server, told } from "../../support/plain-calls.ts";
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

type Heartbeat = Driven<HeartbeatState, HeartbeatMessage, HeartbeatEffect>;

/** Node 1 of three that follows, or leads. */
function heartbeat(leader: number): Heartbeat {
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

/** Lets each timer of a ping end when it is due, or so much later, up to that time. Returns what log-sync was told. */
function wait(actor: Heartbeat, untilMs: number, lateMs: number = 0): object[] {
  for (;;) {
    const { countedMs, armedMs } = actor.state.silence;
    const dueMs = countedMs + armedMs + lateMs;
    if (dueMs > untilMs) return [];
    actor.nowMs = dueMs;
    const news = told(actor.receive({ kind: "timer", timer: "ping" }), "log-sync");
    if (news.length > 0) return news;
  }
}

/** The leader answers the last ping, after so many milliseconds. */
function pong(actor: Heartbeat, afterMs: number = 0): readonly Effect[] {
  actor.nowMs += afterMs;
  const message = { kind: "pong", epoch: epoch(1), leading: true, atMs: 7 } as const;
  const { lastTag: tag } = actor.state;
  return actor.receive({
    ...{ kind: "answered", tag, from: server(2), sender: senderOf(2), message },
  } as const);
}

test("a follower bears a leader's silence for its patience and no longer", (t) => {
  const actor = heartbeat(2);
  t.deepEqual(wait(actor, 599), []);
  t.like(wait(actor, 601), [{ kind: "leaderLost", reason: "node 2 was not heard for 500 ms" }]);
});

test("an answer, and an append of the leader, break the silence; that of another epoch does not", (t) => {
  const actor = heartbeat(2);
  wait(actor, 500);
  pong(actor);
  t.deepEqual(wait(actor, 1050), []);
  actor.receive({ kind: "heard", leader: server(2), epoch: epoch(1) });
  t.deepEqual(wait(actor, 1540), []);
  actor.receive({ kind: "heard", leader: server(2), epoch: epoch(2) });
  t.like(wait(actor, 1700), [{ kind: "leaderLost" }]);
});

test("a time in which this process itself was held up is no silence of the leader", (t) => {
  const actor = heartbeat(2);
  wait(actor, 100);
  actor.nowMs = 60_000;
  t.deepEqual(told(actor.receive({ kind: "timer", timer: "ping" }), "log-sync"), []);
  t.deepEqual(wait(actor, 60_300), []);
  t.like(wait(actor, 60_700), [{ kind: "leaderLost" }]);
});

test("timers that are all late make a follower wait for longer", (t) => {
  const actor = heartbeat(2);
  t.deepEqual(wait(actor, 1500, 400), []);
  t.like(wait(actor, 3000, 400), [{ kind: "leaderLost" }]);
});

test("a leader that answers slowly is borne with for longer, up to the timeout, and not for ever", (t) => {
  const slow = heartbeat(2);
  wait(slow, 100);
  pong(slow, 450);
  const answeredMs = slow.nowMs;
  t.deepEqual(wait(slow, answeredMs + 890), []);
  t.like(wait(slow, answeredMs + 910), [{ kind: "leaderLost" }]);
  const slower = heartbeat(2);
  wait(slower, 100);
  pong(slower, 590);
  slower.state.silence.slowestMs = 5000;
  t.deepEqual(wait(slower, slower.nowMs + 1990), []);
  t.like(wait(slower, slower.nowMs + 2010), [{ kind: "leaderLost" }]);
  const recovered = heartbeat(2);
  wait(recovered, 100);
  pong(recovered, 450);
  for (let answers = 0; answers < 10; answers += 1) {
    wait(recovered, recovered.nowMs + 250);
    pong(recovered, 1);
  }
  t.like(wait(recovered, recovered.nowMs + 751), [{ kind: "leaderLost" }]);
});

test("in quiet times a leader is asked seldom, and an unanswered ping is soon repeated", (t) => {
  const actor = heartbeat(2);
  wait(actor, 100);
  const quiet = pong(actor, 1).find((effect) => effect.kind === "startTimer");
  t.like(quiet, { timer: "ping", afterMs: 249 });
  actor.nowMs = 350;
  const unanswered = actor.receive({ kind: "timer", timer: "ping" });
  t.like(
    unanswered.find((effect) => effect.kind === "startTimer"),
    { afterMs: 100 },
  );
});

test("a touch ends the quiet time", (t) => {
  const actor = heartbeat(2);
  wait(actor, 100);
  pong(actor, 1);
  actor.nowMs = 130;
  const first = actor.receive({ kind: "touched", sessions: [SESSION] });
  t.deepEqual(first, [{ kind: "startTimer", timer: "ping", afterMs: 70 }]);
  t.deepEqual(actor.receive({ kind: "touched", sessions: [SESSION] }), []);
});

test("a message that found nobody, late writes and another that looks make a follower ask at once", (t) => {
  for (const hint of [{ kind: "unheard", by: server(2) }, { kind: "doubted" }] as const) {
    const actor = heartbeat(2);
    actor.nowMs = 30;
    const [ping] = requests(actor.receive(hint));
    t.like(ping, { to: 2 });
    t.deepEqual(requests(actor.receive(hint)), [], "once in a while");
    const gone = { kind: "noResponders", tag: ping?.tag ?? -1, to: server(2) } as const;
    t.like(told(actor.receive(gone), "log-sync"), [{ kind: "leaderLost" }]);
  }
});

test("a hint about another node, or about a leader that is being established, is passed over", (t) => {
  const actor = heartbeat(2);
  actor.nowMs = 30;
  t.deepEqual(actor.receive({ kind: "unheard", by: server(3) }), []);
  actor.receive(leadership("establishing", 2));
  t.deepEqual(actor.receive({ kind: "doubted" }), []);
  const leader = heartbeat(1);
  t.deepEqual(leader.receive({ kind: "doubted" }), []);
});

test("that nobody heard an earlier ping means nothing once a later one was answered, or another leads", (t) => {
  const actor = heartbeat(2);
  const [first] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  const gone = { kind: "noResponders", tag: first?.tag ?? -1, to: server(2) } as const;
  actor.receive({ kind: "timer", timer: "ping" });
  pong(actor);
  t.deepEqual(actor.receive(gone), []);
  const [last] = requests(actor.receive({ kind: "timer", timer: "ping" }));
  actor.receive({ ...leadership("following", 2), epoch: epoch(2) });
  t.deepEqual(actor.receive({ ...gone, tag: last?.tag ?? -1 }), []);
});

test("a leader says who is alive when that changes", (t) => {
  const actor = heartbeat(1);
  const alive = (): object[] => emitted(actor.receive({ kind: "timer", timer: "quorum" }), "peers");
  t.deepEqual(alive(), [{ kind: "peers", alive: [1, 2, 3] }]);
  t.deepEqual(alive(), []);
});

test("a leader that was held up itself does not take that for its followers' silence", (t) => {
  const actor = heartbeat(1);
  actor.nowMs = 60_000;
  t.deepEqual(told(actor.receive({ kind: "timer", timer: "quorum" }), "log-sync"), []);
});

test("one answer of a node that does not lead ends an established leadership, and not one that is being established", (t) => {
  const pong = { kind: "pong", epoch: epoch(1), leading: false } as const;
  const ask = (actor: Heartbeat): object[] => {
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
  const check = (nowMs: number): object[] => {
    actor.nowMs = nowMs;
    return told(actor.receive({ kind: "timer", timer: "quorum" }), "log-sync");
  };
  for (let nowMs = 250; nowMs <= 1000; nowMs += 250) t.deepEqual(check(nowMs), []);
  const message = { kind: "ping", epoch: epoch(1), touched: [], round: 1 } as const;
  actor.receive({ kind: "received", from: server(3), sender: senderOf(3), message, request: 1 });
  for (let nowMs = 1250; nowMs <= 3000; nowMs += 250) t.deepEqual(check(nowMs), []);
  t.like(check(3001), [{ kind: "leaderLost" }]);
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

test("sessions are listed by when they end if this node leads, else with their timeouts", (t) => {
  const actor = new Driven(sessionsActor({}));
  const attached = [4000, 9000, 4000].map((timeoutMs, index) => {
    return { session: (SESSION + index) as SessionId, timeoutMs, attachedAt: at(1, 1) };
  });
  actor.receive({ kind: "sessionChanges", attached, closed: [] });
  const question = { kind: "listSessions", word: "dump", question: 3, bytesMax: 1000 } as const;
  const about = { kind: "part", question: 3, from: "sessions", omitted: 0 };
  const entries = ["0x4d\t4000ms", "0x4e\t9000ms", "0x4f\t4000ms"];
  t.deepEqual(told(actor.receive(question), "admin"), [
    { ...about, groups: [{ name: "", entries }] },
  ]);
  actor.receive(leadership("leading", 1));
  const [part] = told(actor.receive(question), "admin") as { groups: { entries: string[] }[] }[];
  t.deepEqual(
    part?.groups.map((group) => group.entries),
    [["0x4d", "0x4f"], ["0x4e"]],
  );
  const [short] = told(actor.receive({ ...question, bytesMax: 25 }), "admin");
  t.like(short, { omitted: 2 });
});

test("for sess a leader tells in how long each session ends, and the others nothing", (t) => {
  const actor = new Driven(sessionsActor({}));
  const attached = [{ session: SESSION, timeoutMs: 4000, attachedAt: at(1, 1) }];
  actor.receive({ kind: "sessionChanges", attached, closed: [] });
  const question = { kind: "listSessions", word: "sess", question: 3, bytesMax: 1000 } as const;
  t.like(told(actor.receive(question), "admin")[0], { groups: [], omitted: 0 });
  actor.receive(leadership("leading", 1));
  t.like(told(actor.receive(question), "admin")[0], {
    groups: [{ name: "", entries: ['["0x4d",4000]'] }],
    omitted: 0,
  });
});
