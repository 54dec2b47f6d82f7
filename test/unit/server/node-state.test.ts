/** A node's state as streams: each subscriber hears how it is at once, and that the node has stopped. */
import test from "ava";
import type { Observable } from "rxjs";
import type { NatsReport } from "../../../actors/admin/messages.ts";
import { adminActor } from "../../../actors/admin/admin.ts";
import { emit } from "../../../actors/topics.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { type Leadership, NO_LEADERSHIP } from "../../../protocol/replication.ts";
import type { Epoch } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { type NodeState, stateOf } from "../../../server/node-state.ts";

const SELF = 1 as ServerId;
const OTHER = 2 as ServerId;

/** Actors that emit what they are told to. */
class Bench {
  readonly clock = new VirtualClock();
  readonly system: ActorSystem;
  readonly state: NodeState;

  constructor() {
    this.system = new ActorSystem({
      node: SELF,
      clock: this.clock,
      randomness: new SeededRandomness(1),
      route: () => undefined,
      onStopNode: () => undefined,
    });
    this.state = stateOf(this.system, SELF);
    for (const name of ["log-sync", "heartbeat"]) {
      this.system.add<undefined, { readonly effect: Effect }, Effect>({
        name,
        supervision: "stopNode",
        mailbox: { capacity: 100, whenFull: "stopNode" },
        start: () => undefined,
        receive: ({ effects }, { effect }) => {
          effects.push(effect);
        },
      });
    }
    this.system.add(adminActor({ server: SELF, voters: [SELF], startedMs: 0 }));
    this.clock.advance(0);
  }

  leads(leadership: Partial<Leadership>): void {
    const effect = emit("leadership", { ...NO_LEADERSHIP, ...leadership });
    this.#tell("log-sync", { effect });
  }

  hears(...alive: readonly number[]): void {
    const effect = emit("peers", { kind: "peers", alive: alive as ServerId[] });
    this.#tell("heartbeat", { effect });
  }

  nats(connection: NatsReport["connection"], status: NatsReport["status"]): void {
    this.#tell("admin", { kind: "natsReport", connection, status });
  }

  #tell(to: string, message: object): void {
    this.system.tell(to, message);
    this.clock.advance(0);
  }
}

/** What a subscriber hears, and whether that was all. */
function heard<Value>(stream: Observable<Value>): (Value | "complete")[] {
  const values: (Value | "complete")[] = [];
  stream.subscribe({
    next: (value) => values.push(value),
    complete: () => values.push("complete"),
  });
  return values;
}

test("leadership$ begins with the present, tells each change once, and completes", (t) => {
  const bench = new Bench();
  const { leadership$ } = bench.state;
  const early = heard(leadership$);
  bench.leads({ role: "leading", epoch: 1 as Epoch, leader: SELF });
  bench.leads({ role: "leading", epoch: 1 as Epoch, leader: SELF });
  const late = heard(leadership$);
  const leading = { ...NO_LEADERSHIP, role: "leading", epoch: 1, leader: SELF };
  t.deepEqual(early, [NO_LEADERSHIP, leading] as typeof early);
  t.deepEqual(late, [leading] as typeof late);
  bench.system.stop();
  t.is(late.at(-1), "complete");
  t.deepEqual(heard(leadership$), [leading, "complete"] as typeof late);
});

test("peers$ are a leader's followers, a follower's leader, and nobody while there is no leader", (t) => {
  const bench = new Bench();
  const peers = heard(bench.state.peers$);
  bench.leads({ role: "establishing", epoch: 1 as Epoch, leader: OTHER });
  bench.leads({ role: "following", epoch: 1 as Epoch, leader: OTHER });
  bench.leads({ role: "looking" });
  bench.leads({ role: "establishing", epoch: 2 as Epoch, leader: SELF });
  bench.hears(1, 3, 2);
  bench.leads({ role: "leading", epoch: 2 as Epoch, leader: SELF });
  bench.hears(1, 3, 2);
  bench.hears(1, 2);
  t.deepEqual(peers as readonly unknown[], [[], [2], [], [2, 3], [2]]);
  t.deepEqual(heard(bench.state.peers$) as readonly unknown[], [[2]]);
});

test("a leader does not take for heard whom it heard in an earlier epoch", (t) => {
  const bench = new Bench();
  bench.leads({ role: "leading", epoch: 1 as Epoch, leader: SELF });
  bench.hears(1, 2);
  bench.leads({ role: "looking" });
  bench.leads({ role: "leading", epoch: 3 as Epoch, leader: SELF });
  t.deepEqual(heard(bench.state.peers$), [[]]);
  bench.system.stop();
  t.deepEqual(heard(bench.state.peers$), [[], "complete"]);
});

test("nats$ is which connections there are, and how each is", (t) => {
  const bench = new Bench();
  const seen = heard(bench.state.nats$);
  bench.nats("peers", "connected");
  bench.nats(1, "connected");
  bench.nats("peers", "disconnected");
  const kind = "natsConnections";
  t.deepEqual(seen, [
    { kind, peers: undefined, lanes: new Map() },
    { kind, peers: "connected", lanes: new Map() },
    { kind, peers: "connected", lanes: new Map([[1, "connected"]]) },
    { kind, peers: "disconnected", lanes: new Map([[1, "connected"]]) },
  ]);
  t.deepEqual(heard(bench.state.nats$), seen.slice(-1));
});
