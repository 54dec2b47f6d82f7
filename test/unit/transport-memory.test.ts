/** The network in memory: what is sent arrives, once and in order, where a process is. */
import test from "ava";
import type { Clock } from "../../runtime/clock.ts";
import type { Transport, TransportOutcome } from "../../runtime/transport.ts";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
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

function setup() {
  const clock = new TestClock();
  const network = new MemoryNetwork(clock);
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

test("every message arrives once and in order", (t) => {
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

test("a message to one node says when nobody is there to hear it, a broadcast does not", (t) => {
  const { clock, network, join } = setup();
  const one = join(1);
  join(2);
  const unheard: number[] = [];
  one.onUnheard((to) => unheard.push(to));
  one.send(server(2), "log", text("a"));
  one.send(server(3), "log", text("b"));
  one.broadcast("log", text("c"));
  clock.pass(0);
  t.deepEqual(unheard, [3]);
  one.send(server(3), "log", text("d"));
  network.leave(server(1));
  clock.pass(0);
  t.deepEqual(unheard, [3], "who has left is told nothing");
});

test("a request ends answered, without responders, or timed out when no answer comes", (t) => {
  const { clock, network, join } = setup();
  const one = join(1);
  join(2);
  network.join(server(4)).onReceive(() => {});
  const outcomes: string[] = [];
  const ask = (to: number): void =>
    one.request(server(to), "heartbeat", text("ping"), 100, (outcome: TransportOutcome) =>
      outcomes.push(outcome.kind === "answered" ? read(outcome.bytes) : outcome.kind),
    );
  ask(2);
  ask(3);
  clock.pass(0);
  t.deepEqual(outcomes, ["2 heard ping", "noResponders"]);
  ask(4);
  clock.pass(99);
  t.is(outcomes.length, 2);
  clock.pass(1);
  t.is(outcomes[2], "timedOut");
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
