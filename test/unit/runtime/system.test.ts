/** The loop that calls actors: order, timers, bounds, supervision, links, requests. */
import test from "ava";
import type { Actor, Supervision } from "../../../runtime/actor.ts";
import type { Context } from "../../../runtime/turn.ts";
import type { Effect } from "../../../runtime/effects.ts";
import type { InspectionEvent } from "../../../runtime/inspection.ts";
import { ActorSystem, type Letter, type SystemOptions } from "../../../runtime/system.ts";
import { MemoryNetwork } from "../../../runtime/testing/memory-transport.ts";
import type { PeerGate } from "../../../runtime/transport.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { server } from "../../support/plain-calls.ts";

type Note = { readonly kind: string; readonly [key: string]: unknown };
type Handler = (message: Note, context: Context) => readonly Effect[];

/** Lets everything in that is JSON. */
const json: PeerGate = {
  seal: (message) => Buffer.from(JSON.stringify(message)),
  admit: ({ from, bytes }) => {
    const sender = {
      identity: String(from),
      incarnation: 1,
      nonce: 1,
      ensembleId: undefined,
      isVoter: true,
      isNamed: true,
    };
    try {
      return {
        kind: "taken",
        sender,
        message: JSON.parse(Buffer.from(bytes).toString()) as object,
      };
    } catch {
      return { kind: "refused", log: { level: "warn", event: "malformed", detail: { from } } };
    }
  },
  unheard: (by) => [{ to: "a", message: { kind: "unheard", by } }],
};

class Bench {
  readonly clock = new VirtualClock();
  readonly events: InspectionEvent[] = [];
  readonly stops: string[] = [];
  readonly system: ActorSystem;

  constructor(options: Partial<SystemOptions> = {}) {
    this.system = new ActorSystem({
      node: server(1),
      clock: this.clock,
      randomness: new SeededRandomness(1),
      gate: json,
      route: () => undefined,
      onStopNode: (reason) => this.stops.push(reason),
      ...options,
    });
    this.system.inspection$.subscribe((event) => this.events.push(event));
  }

  run(ms = 0): void {
    this.clock.advance(ms);
  }
}

/** An actor that keeps what it got in `got`. */
function actor(
  name: string,
  handle: Handler,
  options: {
    readonly supervision?: Supervision;
    readonly capacity?: number;
    readonly whenFull?: "drop" | "stopNode";
  } = {},
): { readonly actor: Actor<Note[], Note>; readonly got: Note[] } {
  const got: Note[] = [];
  const { supervision = "stopNode", capacity = 100, whenFull = "drop" } = options;
  return {
    got,
    actor: {
      name,
      supervision,
      mailbox: { capacity, whenFull },
      start: () => got,
      receive: (turn, message) => {
        turn.state.push(message);
        turn.effects.push(...handle(message, turn));
      },
      recover: ({ effects }, message) => {
        effects.push(tell(name, { kind: "recovered", from: message.kind }));
      },
    },
  };
}

function tell(to: string, message: Note): Effect {
  return { kind: "tell", to, message };
}

test("messages arrive in the order in which they were told, also those told while one is handled", (t) => {
  const bench = new Bench();
  const b = actor("b", () => []);
  const a = actor("a", (message) =>
    message.kind === "go" ? [tell("b", { kind: "1" }), tell("b", { kind: "2" })] : [],
  );
  bench.system.add(a.actor);
  bench.system.add(b.actor);
  bench.system.tell("a", { kind: "go" });
  bench.system.tell("b", { kind: "0" });
  bench.run();
  t.deepEqual(
    b.got.map(({ kind }) => kind),
    ["0", "1", "2"],
  );
});

test("what two subscribers of a topic hear, both hear in the order of its making", (t) => {
  const bench = new Bench();
  const emit = (value: string): Effect => ({
    kind: "emit",
    topic: "news",
    keep: false,
    value: { kind: value },
  });
  const source = actor("source", (message) =>
    message.kind === "again" ? [emit("B")] : [emit("A")],
  );
  const first = actor("first", (message) =>
    message.kind === "A" ? [tell("source", { kind: "again" })] : [],
  );
  const second = actor("second", () => []);
  for (const { actor: each } of [source, first, second]) bench.system.add(each);
  bench.system.wire("source", "news", ["first", "second"]);
  bench.system.tell("source", { kind: "go" });
  bench.run();
  t.deepEqual(
    second.got.map(({ kind }) => kind),
    ["A", "B"],
  );
});

test("the end of a turn comes after the messages that are at hand, once", (t) => {
  const bench = new Bench();
  const a = actor("a", (message) => (message.kind === "endOfTurn" ? [] : [{ kind: "endOfTurn" }]));
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "1" });
  bench.system.tell("a", { kind: "2" });
  bench.run();
  t.deepEqual(
    a.got.map(({ kind }) => kind),
    ["1", "2", "endOfTurn"],
  );
});

test("a timer that is started again fires once, at the later time; a stopped one does not fire", (t) => {
  const bench = new Bench();
  const start: Effect = { kind: "startTimer", timer: "t", afterMs: 10 };
  const a = actor("a", (message) => {
    if (message.kind === "start") return [start];
    return message.kind === "stop" ? [{ kind: "stopTimer", timer: "t" }] : [];
  });
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "start" });
  bench.run(6);
  bench.system.tell("a", { kind: "start" });
  bench.run(9);
  t.is(a.got.filter(({ kind }) => kind === "timer").length, 0);
  bench.run(2);
  t.is(a.got.filter(({ kind }) => kind === "timer").length, 1);
  bench.system.tell("a", { kind: "start" });
  bench.run(1);
  bench.system.tell("a", { kind: "stop" });
  bench.run(50);
  t.is(a.got.filter(({ kind }) => kind === "timer").length, 1);
});

test("a full mailbox drops what comes and says so, or stops the node", (t) => {
  const dropping = new Bench();
  const a = actor("a", () => [], { capacity: 2 });
  dropping.system.add(a.actor);
  for (const kind of ["1", "2", "3"]) dropping.system.tell("a", { kind });
  dropping.run();
  t.like(dropping.events, [{ kind: "undelivered", to: "a", reason: "mailboxFull" }]);
  const stopping = new Bench();
  stopping.system.add(actor("a", () => [], { capacity: 1, whenFull: "stopNode" }).actor);
  stopping.system.tell("a", { kind: "1" });
  stopping.system.tell("a", { kind: "2" });
  stopping.run();
  t.is(stopping.stops.length, 1);
});

test("a message to nobody shows on the inspection stream", (t) => {
  const bench = new Bench();
  bench.system.tell("nobody", { kind: "lost" });
  t.like(bench.events, [{ kind: "undelivered", to: "nobody", reason: "noSuchActor" }]);
});

function failing(supervision: Supervision): ReturnType<typeof actor> {
  return actor(
    "a",
    (message) => {
      if (message.kind === "bad") throw new Error("a bug");
      return [];
    },
    { supervision },
  );
}

test("an actor that throws is restarted, recovers by itself, or stops the node, as it is supervised", (t) => {
  for (const supervision of ["restart", "recover", "stopNode"] as const) {
    const bench = new Bench();
    const a = failing(supervision);
    bench.system.add(a.actor);
    bench.system.tell("a", { kind: "bad" });
    bench.system.tell("a", { kind: "good" });
    bench.run();
    t.like(bench.events[0], { kind: "failed", actor: "a", message: "bad", supervision });
    const kinds = a.got.map(({ kind }) => kind);
    if (supervision === "stopNode") {
      t.deepEqual(kinds, ["bad"]);
      t.is(bench.stops.length, 1);
    } else {
      t.deepEqual(
        kinds,
        supervision === "restart" ? ["bad", "good"] : ["bad", "good", "recovered"],
      );
      t.deepEqual(bench.stops, []);
    }
  }
});

test("letters to another thread leave once a turn, in order", (t) => {
  const posted: (readonly Letter[])[] = [];
  const link = { post: (letters: readonly Letter[]): void => void posted.push([...letters]) };
  const bench = new Bench({ route: (to) => (to === "far" ? link : undefined) });
  const a = actor("a", ({ kind }) => [tell("far", { kind })]);
  bench.system.add(a.actor);
  for (const kind of ["1", "2", "3"]) bench.system.tell("a", { kind });
  bench.run();
  t.deepEqual(
    posted.map((letters) => letters.map(({ message }) => (message as Note).kind)),
    [["1", "2", "3"]],
  );
});

test("what the gate says of an unheard message is told to its actors", (t) => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const bench = new Bench({ clock, transport: network.join(server(1)) });
  const message = { kind: "hello" };
  const a = actor("a", ({ kind }) =>
    kind === "go" ? [{ kind: "send", to: server(2), actor: "a", message }] : [],
  );
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "go" });
  clock.advance(10);
  t.deepEqual(
    a.got.map(({ kind }) => kind),
    ["go", "unheard"],
  );
});

test("a request is answered by the actor of another node, and one to an absent node finds no responders", (t) => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const one = new Bench({ clock, transport: network.join(server(1)) });
  const two = new Bench({ clock, transport: network.join(server(2)), node: server(2) });
  const ask = (to: number): Effect => ({
    kind: "request",
    to: server(to),
    actor: "a",
    message: { kind: "question" },
    tag: to,
    timeoutMs: 100,
  });
  const asker = actor("a", ({ kind }) => (kind === "go" ? [ask(2), ask(3)] : []));
  const answerer = actor("a", ({ kind, request }) =>
    kind === "received"
      ? [{ kind: "answer", request: request as number, message: { kind: "answer" } }]
      : [],
  );
  one.system.add(asker.actor);
  two.system.add(answerer.actor);
  one.system.tell("a", { kind: "go" });
  clock.advance(50);
  t.like(answerer.got, [{ kind: "received", from: 1, message: { kind: "question" } }]);
  const outcomes = asker.got.slice(1);
  t.true(outcomes.some((got) => got.kind === "answered" && got["tag"] === 2));
  t.true(outcomes.some((got) => got.kind === "noResponders" && got["tag"] === 3));
});

test("nothing runs after a stop", (t) => {
  const bench = new Bench();
  const a = actor("a", () => [{ kind: "startTimer", timer: "t", afterMs: 5 }]);
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "1" });
  bench.run();
  bench.system.stop();
  bench.system.tell("a", { kind: "2" });
  bench.run(50);
  t.deepEqual(
    a.got.map(({ kind }) => kind),
    ["1"],
  );
});

test("an actor that is started again is told again what was said last under each topic of state", (t) => {
  const bench = new Bench();
  const a = failing("restart");
  bench.system.add(a.actor);
  const said: readonly (readonly [string, string | undefined])[] = [
    ["old", "weather"],
    ["event", undefined],
    ["new", "weather"],
    ["other", "time"],
    ["bad", undefined],
    ["after", undefined],
  ];
  for (const [kind, topic] of said) bench.system.tell("a", { kind }, topic);
  bench.run();
  const kinds = a.got.map(({ kind }) => kind);
  t.deepEqual(kinds, ["old", "event", "new", "other", "bad", "new", "other", "after"]);
  bench.system.tell("a", { kind: "bad" }, "weather");
  bench.run();
  t.is(bench.stops.length, 1, "what it cannot bear stops the node, not again and again");
});

test("a state over which an actor failed is told to it again once it has recovered, and no event is", (t) => {
  const bench = new Bench();
  const failed = new Set<string>();
  const a = actor(
    "a",
    ({ kind }) => {
      if (kind === "recovered" || failed.has(kind)) return [];
      failed.add(kind);
      throw new Error("a bug");
    },
    { supervision: "recover" },
  );
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "state" }, "weather");
  bench.system.tell("a", { kind: "event" });
  bench.run();
  t.deepEqual(
    a.got.map(({ kind }) => kind),
    ["state", "state", "event", "recovered", "recovered"],
  );
  t.deepEqual(bench.stops, []);
});

test("nothing that waits is done after a failure that stops the node", (t) => {
  for (const isEffect of [false, true]) {
    const written: number[] = [];
    const bench = new Bench({
      connections: {
        perform: ({ connection }) => {
          if (connection === 2) throw new Error("the port failed");
          written.push(connection);
        },
      },
    });
    const close = (connection: number): Effect => ({ kind: "close", connection });
    const a = actor("a", ({ kind }) => {
      if (kind === "bad" && !isEffect) throw new Error("a bug");
      return kind === "bad" ? [close(1), close(2), close(3)] : [close(4)];
    });
    const b = actor("b", () => [close(5)]);
    bench.system.add(a.actor);
    bench.system.add(b.actor);
    bench.system.tell("a", { kind: "bad" });
    bench.system.tell("a", { kind: "good" });
    bench.system.tell("b", { kind: "good" });
    bench.run(50);
    t.is(bench.stops.length, 1);
    t.deepEqual(written, isEffect ? [1] : []);
    t.deepEqual(b.got, []);
  }
});

test("an actor can be made to fail at each point of a step", (t) => {
  const points = ["before", "decided", "effect", "effect"] as const;
  for (const [index, point] of points.entries()) {
    const passed: string[] = [];
    const bench = new Bench({
      connections: { perform: () => undefined },
      atStep: (at, name, message) => {
        if (Reflect.get(message, "kind") !== "go") return;
        passed.push(at);
        if (passed.length === index + 1) throw new Error(`${name} fails here`);
      },
    });
    const effects: readonly Effect[] = [
      { kind: "close", connection: 1 },
      { kind: "close", connection: 2 },
    ];
    const a = actor("a", () => effects);
    bench.system.add(a.actor);
    bench.system.tell("a", { kind: "go" });
    bench.run();
    t.is(passed.at(-1), point);
    t.is(a.got.length, point === "before" ? 0 : 1);
    t.is(bench.stops.length, 1);
  }
});

test("what an actor asked for before it was started again is not told to its next incarnation", (t) => {
  const bench = new Bench({ transport: undefined });
  const a = actor(
    "a",
    ({ kind }) => {
      if (kind === "bad") throw new Error("a bug");
      if (kind !== "ask") return [];
      const request: Effect = {
        kind: "request",
        to: server(2),
        actor: "a",
        message: { kind: "x" },
        tag: 1,
        timeoutMs: 100,
      };
      return [request, { kind: "startTimer", timer: "t", afterMs: 5 }];
    },
    { supervision: "restart" },
  );
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "ask" });
  bench.system.tell("a", { kind: "bad" });
  bench.run(50);
  t.deepEqual(
    a.got.map(({ kind }) => kind),
    ["ask", "bad"],
  );
});

test("nothing of a step is done after the effect that stops the node", (t) => {
  const written: number[] = [];
  const bench = new Bench({
    connections: { perform: ({ connection }) => void written.push(connection) },
  });
  const a = actor("a", () => [
    { kind: "close", connection: 1 },
    { kind: "stopNode", reason: "a reason" },
    { kind: "close", connection: 2 },
    { kind: "startTimer", timer: "t", afterMs: 1 },
  ]);
  bench.system.add(a.actor);
  bench.system.tell("a", { kind: "go" });
  bench.run(10);
  t.deepEqual(bench.stops, ["a reason"]);
  t.deepEqual(written, [1]);
  t.is(a.got.length, 1);
});

test("an effect that cannot be done is a failure of its actor, and is supervised", (t) => {
  const cannot: Partial<SystemOptions> = {
    connections: {
      perform: () => {
        throw new Error("the port failed");
      },
    },
    gate: {
      ...json,
      seal: () => {
        throw new Error("it cannot be encoded");
      },
    },
  };
  const effects: readonly Effect[] = [
    { kind: "close", connection: 1 },
    { kind: "broadcast", actor: "a", message: { kind: "x" } },
    { kind: "disk", tag: 1, operations: [] },
  ];
  for (const effect of effects) {
    for (const supervision of ["restart", "recover", "stopNode"] as const) {
      const bench = new Bench(cannot);
      const a = actor("a", ({ kind }) => (kind === "bad" ? [effect] : []), { supervision });
      bench.system.add(a.actor);
      bench.system.tell("a", { kind: "bad" });
      bench.system.tell("a", { kind: "good" });
      bench.run();
      t.like(bench.events[0], { kind: "failed", actor: "a", message: "bad", supervision });
      t.is(bench.stops.length, supervision === "stopNode" ? 1 : 0);
      t.is(
        a.got.some(({ kind }) => kind === "recovered"),
        supervision === "recover",
      );
    }
  }
});
