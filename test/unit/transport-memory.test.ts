/** The network in memory: order, faults, partitions, and that a seed decides all of it. */
import test from "ava";
import type { Clock } from "../../runtime/clock.ts";
import type { Transport, TransportOutcome } from "../../runtime/transport.ts";
import { MemoryNetwork, type NetworkFaults } from "../../runtime/testing/memory-transport.ts";
import { server } from "../support/plain-calls.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Time that passes only when told. */
class TestClock implements Clock {
  #now = 0;
  #order = 0;
  #due: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }
  wallMs(): number {
    return this.#now;
  }
  after(delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const entry = { atMs: this.#now + delayMs, order: this.#order, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }
  soon(run: () => void): void {
    this.after(0, run);
  }
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      this.#due.sort((one, other) => one.atMs - other.atMs || one.order - other.order);
      const next = this.#due[0];
      if (next === undefined || next.atMs > until) break;
      this.#due.shift();
      this.#now = next.atMs;
      next.run();
    }
    this.#now = until;
  }
}

/** The same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function setup(faults: Partial<NetworkFaults> = {}, seed = 1) {
  const clock = new TestClock();
  const network = new MemoryNetwork({ clock, random: randomOf(seed), faults });
  const heard: string[] = [];
  const join = (id: number): Transport => {
    const transport = network.join(server(id));
    transport.onReceive(({ from, actor, bytes, answer }) => {
      heard.push(`${from}>${id} ${actor} ${read(bytes)}`);
      answer?.(text(`${id} heard ${read(bytes)}`));
    });
    return transport;
  };
  return { clock, network, heard, join };
}

test("without faults every message arrives once and in order", (t) => {
  const { clock, heard, join } = setup();
  const one = join(1);
  join(2);
  for (let index = 0; index < 5; index += 1) one.send(server(2), "log", text(String(index)));
  t.deepEqual(heard, [], "nothing is delivered inside send");
  clock.pass(0);
  t.deepEqual(heard, ["1>2 log 0", "1>2 log 1", "1>2 log 2", "1>2 log 3", "1>2 log 4"]);
});

test("a broadcast reaches every other node and not its sender", (t) => {
  const { clock, heard, join } = setup();
  const one = join(1);
  join(2);
  join(3);
  one.broadcast("election", text("vote"));
  clock.pass(0);
  t.deepEqual(heard.sort(), ["1>2 election vote", "1>3 election vote"]);
});

test("a receiver's bytes do not change when the sender writes on its own", (t) => {
  const { clock, heard, join } = setup();
  const one = join(1);
  join(2);
  const bytes = text("a");
  one.send(server(2), "log", bytes);
  bytes.set(text("b"));
  clock.pass(0);
  t.deepEqual(heard, ["1>2 log a"]);
});

test("a request ends answered, without responders, or timed out behind a cut", (t) => {
  const { clock, network, join } = setup();
  const one = join(1);
  join(2);
  const outcomes: string[] = [];
  const ask = (to: number): void =>
    one.request(server(to), "heartbeat", text("ping"), 100, (outcome: TransportOutcome) =>
      outcomes.push(outcome.kind === "answered" ? read(outcome.bytes) : outcome.kind),
    );
  ask(2);
  ask(3);
  clock.pass(0);
  t.deepEqual(outcomes, ["2 heard ping", "noResponders"]);
  network.cut(server(2), server(1));
  ask(2);
  clock.pass(99);
  t.is(outcomes.length, 2);
  clock.pass(1);
  t.is(outcomes[2], "timedOut");
});

test("a cut closes one direction only, and heal opens it again", (t) => {
  const { clock, network, heard, join } = setup();
  const one = join(1);
  const two = join(2);
  network.cut(server(1), server(2));
  one.send(server(2), "log", text("a"));
  two.send(server(1), "log", text("b"));
  clock.pass(0);
  t.deepEqual(heard, ["2>1 log b"]);
  network.heal();
  one.send(server(2), "log", text("c"));
  clock.pass(0);
  t.deepEqual(heard, ["2>1 log b", "1>2 log c"]);
});

test("an isolated node neither hears nor is heard, and only disconnect shows in its status", (t) => {
  const { clock, network, heard, join } = setup();
  const one = join(1);
  join(2);
  const states: string[] = [];
  one.status$.subscribe((status) => states.push(status));
  network.isolate(server(1));
  one.broadcast("log", text("a"));
  clock.pass(0);
  t.deepEqual(heard, []);
  network.disconnect(server(1));
  network.heal();
  t.deepEqual(states, ["connected", "disconnected", "connected"]);
});

test("a node that left gets no answer, and its successor hears under the same id", (t) => {
  const { clock, network, heard, join } = setup();
  const one = join(1);
  join(2);
  let outcomes = 0;
  one.request(server(2), "log", text("a"), 100, () => {
    outcomes += 1;
  });
  network.leave(server(1));
  clock.pass(200);
  t.is(outcomes, 0);
  join(1);
  network.join(server(2)).send(server(1), "log", text("b"));
  clock.pass(0);
  t.deepEqual(heard, ["1>2 log a", "2>1 log b"]);
});

test("what is published reaches the subject's listeners until they end", (t) => {
  const { clock, network, join } = setup();
  const one = join(1);
  const heard: string[] = [];
  const stop = network.subscribe("zooid.test.changes.a", (bytes) => heard.push(read(bytes)));
  one.publish("zooid.test.changes.a", text("1"));
  one.publish("zooid.test.changes.b", text("2"));
  clock.pass(0);
  stop();
  one.publish("zooid.test.changes.a", text("3"));
  clock.pass(0);
  t.deepEqual(heard, ["1"]);
});

test("a seed decides what is lost, repeated and overtaken", (t) => {
  const run = (seed: number): string[] => {
    const faults = { lossRate: 0.2, duplicationRate: 0.2, delayMs: { min: 1, max: 50 } };
    const { clock, heard, join } = setup(faults, seed);
    const one = join(1);
    join(2);
    for (let index = 0; index < 100; index += 1) one.send(server(2), "log", text(String(index)));
    clock.pass(1000);
    return heard;
  };
  const first = run(7);
  t.deepEqual(run(7), first);
  t.notDeepEqual(run(8), first);
  const distinct = new Set(first);
  t.true(distinct.size < 100, "some are lost");
  t.true(first.length > distinct.size, "some come twice");
  t.notDeepEqual(first, [...first].sort(), "some overtake others");
});

test("faults can be changed while running", (t) => {
  const { clock, network, heard, join } = setup({ lossRate: 1 });
  const one = join(1);
  join(2);
  one.send(server(2), "log", text("lost"));
  clock.pass(0);
  network.setFaults({ lossRate: 0 });
  one.send(server(2), "log", text("kept"));
  clock.pass(0);
  t.deepEqual(heard, ["1>2 log kept"]);
});
