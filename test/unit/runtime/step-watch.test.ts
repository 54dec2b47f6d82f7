/** The inspection of steps: what is told of each, that it costs nothing while nobody asks, and that a slow one is named. */
import test from "ava";
import type { Clock } from "../../../runtime/clock.ts";
import type { DiskPort } from "../../../runtime/disk.ts";
import type { Effect } from "../../../runtime/effects.ts";
import type { Decision, InspectionEvent, StepEvent } from "../../../runtime/inspection.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { server } from "../../support/plain-calls.ts";

type Work = {
  readonly kind: string;
  /** How long handling it takes. */
  readonly ms?: number;
  readonly effects?: readonly Effect[];
};

/** A clock that goes on while an actor works, and counts how often it is read. */
class WorkClock implements Clock {
  readonly #virtual = new VirtualClock();
  #workedMs = 0;
  reads = 0;

  nowMs(): number {
    this.reads += 1;
    return this.#virtual.nowMs() + this.#workedMs;
  }

  wallMs(): number {
    return this.#virtual.wallMs() + this.#workedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#virtual.after(delayMs, run);
  }

  soon(run: () => void): void {
    this.#virtual.soon(run);
  }

  work(ms: number): void {
    this.#workedMs += ms;
  }

  run(ms = 0): void {
    this.#virtual.advance(ms);
  }
}

class Bench {
  readonly clock = new WorkClock();
  readonly system: ActorSystem;
  /** The log as lines of `actor event detail`. */
  readonly lines: string[] = [];

  constructor(slowStepMs?: number, disk?: DiskPort) {
    this.system = new ActorSystem({
      disk,
      node: server(7),
      clock: this.clock,
      randomness: new SeededRandomness(1),
      route: () => undefined,
      onStopNode: () => undefined,
      slowStepMs,
    });
    this.system.inspection$.subscribe((event: InspectionEvent) => {
      if (event.kind !== "log") return;
      this.lines.push(`${event.actor} ${event.event} ${JSON.stringify(event.detail)}`);
    });
    for (const name of ["worker", "other"]) {
      this.system.add<undefined, Work, Effect>({
        name,
        supervision: "stopNode",
        mailbox: { capacity: 10_000, whenFull: "stopNode" },
        start: () => undefined,
        receive: ({ effects }, { ms = 0, effects: wanted = [] }) => {
          this.clock.work(ms);
          effects.push(...wanted);
        },
      });
    }
    this.clock.run();
  }

  /** All in one turn of the loop. */
  turn(...works: readonly Work[]): void {
    for (const work of works) this.system.tell("worker", work);
    this.clock.run();
  }
}

const many = (count: number): readonly Work[] =>
  Array.from({ length: count }, () => ({ kind: "small" }));

test("each step that is observed is told with its actor, message, effects, queue and time", (t) => {
  const bench = new Bench();
  const steps: StepEvent[] = [];
  bench.system.steps$.subscribe((step) => steps.push(step));
  const told: Effect = { kind: "tell", to: "other", message: { kind: "hello" } };
  const timer: Effect = { kind: "stopTimer", timer: "none" };
  bench.turn({ kind: "first", ms: 2, effects: [told, timer, told] }, { kind: "second" });
  const brief = steps.map(({ atMs: _atMs, ...step }) => step);
  const common = { kind: "step", node: 7 } as const;
  t.deepEqual(brief, [
    {
      ...common,
      actor: "worker",
      message: "first",
      effects: { tell: 2, stopTimer: 1 },
      queued: 1,
      tookUs: 2_000,
    },
    { ...common, actor: "worker", message: "second", effects: {}, queued: 0, tookUs: 0 },
    { ...common, actor: "other", message: "hello", effects: {}, queued: 1, tookUs: 0 },
    { ...common, actor: "other", message: "hello", effects: {}, queued: 0, tookUs: 0 },
  ]);
});

test("while nobody observes, the clock is read as often for a thousand messages as for one", (t) => {
  const bench = new Bench(200);
  const readsOf = (works: readonly Work[]): number => {
    const before = bench.clock.reads;
    bench.turn(...works);
    return bench.clock.reads - before;
  };
  const one = readsOf(many(1));
  t.is(one, 2, "when the turn begins and when it ends");
  t.is(readsOf(many(1_000)), one);
  const subscription = bench.system.steps$.subscribe();
  t.true(readsOf(many(10)) > 10);
  subscription.unsubscribe();
  t.is(readsOf(many(1_000)), one);
});

test("decisions are told before they are performed, with the actor's own state", (t) => {
  const bench = new Bench();
  const seen: string[] = [];
  bench.system.inspection$.subscribe((event) => seen.push(event.kind));
  bench.system.decisions$.subscribe(({ actor, message }: Decision) =>
    seen.push(`${actor} ${(message as Work).kind}`),
  );
  const log: Effect = { kind: "log", level: "info", event: "e", detail: {} };
  bench.turn({ kind: "go", effects: [log] });
  t.deepEqual(seen, ["worker go", "log"]);
});

test("a step that takes as long as the limit is named in the log, a quicker one is not", (t) => {
  const bench = new Bench(200);
  bench.turn({ kind: "quick", ms: 199 });
  t.deepEqual(bench.lines, []);
  bench.turn({ kind: "slow", ms: 200 });
  t.deepEqual(bench.lines, ['worker slowStep {"message":"slow","ms":200}']);
});

test("after a turn of several messages that took long, steps are timed one by one for a minute", (t) => {
  const bench = new Bench(200);
  bench.turn(...many(3), { kind: "slow", ms: 300 });
  t.deepEqual(bench.lines, ['runtime slowTurn {"ms":300,"messages":4}']);
  bench.clock.run(2_000);
  bench.turn(...many(3), { kind: "again", ms: 250 }, ...many(3));
  t.deepEqual(bench.lines.slice(1), ['worker slowStep {"message":"again","ms":250}']);
  bench.clock.run(61_000);
  const before = bench.clock.reads;
  bench.turn(...many(100));
  t.is(bench.clock.reads - before, 2, "the minute is over");
});

test("a thread that is slow all the time says so once a second", (t) => {
  const bench = new Bench(50);
  for (let index = 0; index < 40; index += 1) bench.turn({ kind: "slow", ms: 100 });
  t.is(bench.lines.length, 4);
});

test("without a limit nothing is slow", (t) => {
  const bench = new Bench();
  bench.turn({ kind: "slow", ms: 1e9 });
  t.deepEqual(bench.lines, []);
});

test("when the system stops, whoever observes steps is told that there are no more", (t) => {
  const bench = new Bench();
  const ends: string[] = [];
  bench.system.steps$.subscribe({ complete: () => ends.push("steps") });
  bench.system.decisions$.subscribe({ complete: () => ends.push("decisions") });
  bench.system.observe("worker", "news").subscribe({ complete: () => ends.push("early") });
  bench.system.stop();
  bench.system.observe("worker", "later").subscribe({ complete: () => ends.push("late") });
  t.deepEqual(ends.toSorted(), ["decisions", "early", "late", "steps"]);
});

test("a disk that held the thread up behind a turn is named with its actor, and one that did not is not", (t) => {
  const waits = [499, 650];
  const bench = new Bench(500, {
    perform: (tag, _operations, done) =>
      done({ kind: "diskDone", tag, results: [] }, waits.shift()),
  });
  const disk: Effect = { kind: "disk", tag: 1, operations: [] };
  bench.turn({ kind: "first", effects: [disk] });
  t.deepEqual(bench.lines, []);
  bench.turn({ kind: "second", effects: [disk] });
  t.deepEqual(bench.lines, ['worker slowStep {"message":"disk","ms":650}']);
});
