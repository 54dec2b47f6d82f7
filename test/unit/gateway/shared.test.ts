/** What both gateways do in the same way, with a protocol that only writes down what it is asked for. */
import test from "ava";
import { enter } from "../../../actors/gateway/attachment.ts";
import {
  endAll,
  isAboutSessions,
  type Protocol,
  receiveShared,
} from "../../../actors/gateway/gateway.ts";
import {
  type GatewayConnection,
  type GatewayState,
  newGatewayState,
} from "../../../actors/gateway/gateway-state.ts";
import { tellTouched } from "../../../actors/gateway/contact.ts";
import type { SharedMessage } from "../../../actors/gateway/messages.ts";
import { RequestQueue } from "../../../actors/gateway/request-queue.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Leadership, WriteAdmission } from "../../../protocol/replication.ts";
import type { Epoch, Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";

type Turn = { state: GatewayState<GatewayConnection>; effects: Effect[]; nowMs: number };
type Phase = GatewayConnection["phase"];

const SESSION = 7 as SessionId;
const DONE = { kind: "done" } as const;
const wish = { session: SESSION, password: new Uint8Array(16), timeoutMs: 9_000 };
const PHASES = {
  checking: { kind: "checking", wish, sinceMs: 100 },
  attaching: { kind: "attaching", wish, supersededAt: 0 },
  attached: { kind: "attached", session: SESSION, attachedAt: 5 as Zxid, timeoutMs: 9_000 },
  closing: { kind: "closing", session: SESSION, attachedAt: 5 as Zxid, timeoutMs: 9_000 },
  ended: { kind: "ended" },
} as const satisfies Record<string, Phase>;

class Gateway {
  readonly turn: Turn = { state: newGatewayState("nats/1", { lane: 1 }, 0), effects: [], nowMs: 0 };
  /** What the protocol was asked for. */
  readonly asked: string[] = [];
  readonly protocol: Protocol<GatewayConnection, Turn> = {
    end: (_, { number }, reason) => this.#note(`end ${number} ${reason}`),
    checked: (_, { number }, verdict) => this.#note(`checked ${number} ${verdict}`),
    opened: (_, { number }) => this.#note(`opened ${number}`),
    answered: (_, { number }) => this.#note(`answered ${number}`),
    released: (_, { number }) => this.#note(`released ${number}`),
    noticed: (_, { client }) => this.#note(`noticed ${client}`),
    led: (_, leader, isShort) => this.#note(`led ${leader}${isShort ? " short" : ""}`),
  };

  add(number: number, ...phases: Phase[]): GatewayConnection {
    const phase: Phase = { kind: "opened" };
    const connection = { number, queue: new RequestQueue(), phase, leaderHeardMs: 0 };
    for (const next of phases) enter(this.turn.state.sessions, connection, next);
    this.turn.state.connections.set(number, connection);
    return connection;
  }

  receive(message: SharedMessage): string[] {
    receiveShared(this.protocol, this.turn, message);
    return this.asked.splice(0);
  }

  lead(role: Leadership["role"], admission: WriteAdmission = "all"): string[] {
    return this.receive({
      kind: "leadership",
      role,
      epoch: 1 as Epoch,
      leader: undefined,
      admission,
    });
  }

  #note(text: string): void {
    this.asked.push(text);
  }
}

/** By phase: what a message about connection 1 asks of the protocol. */
const NEWS: Readonly<Record<keyof typeof PHASES, readonly [string, string, string]>> = {
  checking: ["", "", "checked 1 right"],
  attaching: ["opened 1", "", ""],
  attached: ["answered 1", "answered 1", ""],
  closing: ["answered 1", "answered 1", ""],
  ended: ["", "", ""],
};

for (const [kind, [onWritten, onRead, onChecked]] of Object.entries(NEWS)) {
  test(`a connection that is ${kind} hears of what it waits for, and of nothing else`, (t) => {
    const phase = PHASES[kind as keyof typeof PHASES];
    const gateway = new Gateway();
    const { queue } = gateway.add(1, phase);
    const dispatch = { answerBytesMax: 1024, writable: true, admission: "all" } as const;
    const zxid = 9 as Zxid;
    queue.push({ kind: "write", operation: { kind: "sync", path: "/" } }, 1, 0, 0);
    queue.dispatch(dispatch);
    const written = gateway.receive({ kind: "written", client: 1, zxids: [zxid], results: [DONE] });
    t.deepEqual(written.join(), onWritten);
    if (onRead !== "") {
      queue.push({ kind: "read", read: { kind: "exists", path: "/", watch: false } }, 2, 0, 0);
      queue.dispatch(dispatch);
    }
    const read = gateway.receive({ kind: "readDone", client: 1, zxid, results: [DONE] });
    t.deepEqual(read.join(), onRead);
    const verdict = "right";
    const checked = gateway.receive({ kind: "sessionChecked", client: 1, zxid, verdict });
    t.deepEqual(checked.join(), onChecked);
  });
}

test("a result for a connection that is gone still says what the replica has applied", (t) => {
  const gateway = new Gateway();
  const zxids = [8 as Zxid, 9 as Zxid];
  t.deepEqual(gateway.receive({ kind: "written", client: 1, zxids, results: [DONE, DONE] }), []);
  t.is(Number(gateway.turn.state.zxid), 9);
  const zxid = 4 as Zxid;
  t.deepEqual(gateway.receive({ kind: "readDone", client: 1, zxid, results: [DONE] }), []);
  t.is(Number(gateway.turn.state.zxid), 9, "it does not go back");
});

test("a leader is found and lost once, and news of less space comes once", (t) => {
  const gateway = new Gateway();
  const said = [
    gateway.lead("looking"),
    gateway.lead("establishing"),
    gateway.lead("following"),
    gateway.lead("leading"),
    gateway.lead("leading", "noGrowth"),
    gateway.lead("leading", "noGrowth"),
    gateway.lead("leading", "none"),
    gateway.lead("leading"),
    gateway.lead("looking"),
  ];
  t.deepEqual(said.flat(), [
    "led same",
    "led same",
    "led found",
    "led same",
    "led same short",
    "led same",
    "led same short",
    "led same",
    "led lost",
  ]);
});

test("the time without a leader counts from when the last one was lost", (t) => {
  const gateway = new Gateway();
  gateway.lead("following");
  gateway.turn.nowMs = 500;
  gateway.lead("looking");
  gateway.turn.nowMs = 900;
  gateway.lead("establishing");
  t.deepEqual(gateway.turn.state.leader, { kind: "lost", sinceMs: 500 });
});

test("answers that were withheld leave when the leader has heard of their session", (t) => {
  const gateway = new Gateway();
  const { contact, sessions } = gateway.turn.state;
  const connection = gateway.add(1, PHASES.attached);
  const heard = (turn: number): string[] => {
    return gateway.receive({ kind: "leaderHeard", turns: { "nats/1": [turn], "nats/2": [9] } });
  };
  for (const atMs of [300, 600]) {
    contact.touched.add(SESSION);
    tellTouched(contact, "nats/1", atMs);
  }
  t.deepEqual(heard(1), [], "nothing is withheld");
  t.is(connection.leaderHeardMs, 300);
  sessions.withheld.add(connection);
  t.deepEqual(heard(2), ["released 1"]);
  t.is(connection.leaderHeardMs, 600);
  t.is(sessions.withheld.size, 0);
});

test("a session of a later epoch is over when the leader had a quorum after it was asked for", (t) => {
  const later = { ...wish, session: (7 * 2 ** 32 + 1) as SessionId };
  for (const [sinceMs, epoch, expected] of [
    [100, 1, ["end 1 expired"]],
    [301, 1, []],
    [100, 7, []],
  ] as const) {
    const gateway = new Gateway();
    const { state } = gateway.turn;
    const connection = gateway.add(1, { kind: "checking", wish: later, sinceMs });
    state.sessions.impossible.add(connection);
    state.epoch = epoch as Epoch;
    state.contact.probing = true;
    tellTouched(state.contact, "nats/1", 300);
    const said = gateway.receive({ kind: "leaderHeard", turns: { "nats/1": [1] } });
    t.deepEqual(said, [...expected], `asked for at ${sinceMs}, epoch ${epoch}`);
  }
});

test("a snapshot in place of the tree ends every connection that has not ended, with one line", (t) => {
  const gateway = new Gateway();
  gateway.add(1, PHASES.checking);
  gateway.add(2, PHASES.attached);
  gateway.add(3, PHASES.ended);
  t.deepEqual(gateway.receive({ kind: "treeReset" }), ["end 1 unknown", "end 2 unknown"]);
  t.like(gateway.turn.effects, [{ event: "closedForSnapshot", detail: { connections: 2 } }]);
});

test("only a failure over news of sessions concerns every connection", (t) => {
  t.true(isAboutSessions({ kind: "treeReset" }));
  t.true(isAboutSessions({ kind: "sessionChanges", attached: [], closed: [] }));
  t.false(isAboutSessions({ kind: "written", client: 1, zxids: [], results: [] }));
  t.false(isAboutSessions({ kind: "endOfTurn" }));
});

test("all connections that have not ended end after such a failure", (t) => {
  const gateway = new Gateway();
  gateway.add(1, PHASES.attached);
  gateway.add(2, PHASES.ended);
  endAll(gateway.protocol, gateway.turn, "closedAfterFailure");
  t.deepEqual(gateway.asked, ["end 1 unknown"]);
  t.like(gateway.turn.effects, [{ kind: "log", event: "closedAfterFailure" }]);
});
