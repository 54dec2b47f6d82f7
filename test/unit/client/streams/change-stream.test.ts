/** A stream's consumers: subscribers, loops, and what is known of how far they are behind. */
import test from "ava";
import { ChangeStream, type Lag, type Sink } from "../../../../client/streams/change-stream.ts";
import { ClosedError } from "../../../../protocol/errors.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";

class Feeding {
  readonly sinks: Sink<number>[] = [];
  /** Through which zxid each portion was taken, in order. */
  readonly taken: number[] = [];
  closed = 0;
  nowMs = 0;
  lastZxid = 100;
  readonly #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly stream: ChangeStream<number>;

  constructor(signal?: AbortSignal) {
    const clock = {
      nowMs: () => this.nowMs,
      random: () => 0,
      after: (delayMs: number, run: () => void) => {
        const timer = { atMs: this.nowMs + delayMs, run };
        this.#timers.push(timer);
        return () => void this.#timers.splice(this.#timers.indexOf(timer), 1);
      },
    };
    const context = { clock, lastZxid: () => this.lastZxid as Zxid };
    const feed = (sink: Sink<number>): (() => void) => {
      this.sinks.push(sink);
      return () => {
        this.closed += 1;
      };
    };
    this.stream = new ChangeStream(feed, context, { signal });
  }

  give(through: number, ...items: number[]): void {
    for (const sink of this.sinks) {
      const portion = { items, changes: items.length, through: through as Zxid };
      sink.given(portion, () => this.taken.push(through));
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.nowMs)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.run();
    }
  }
}

test("nothing is begun before somebody asks, and each consumer begins for itself", async (t) => {
  const feeding = new Feeding();
  const loop = feeding.stream[Symbol.asyncIterator]();
  t.is(feeding.sinks.length, 0);
  const first = loop.next();
  const heard: number[] = [];
  const subscription = feeding.stream.subscribe((item) => heard.push(item));
  t.is(feeding.sinks.length, 2);
  feeding.give(1, 7, 8);
  t.deepEqual(await first, { done: false, value: 7 });
  t.deepEqual(heard, [7, 8]);
  subscription.unsubscribe();
  t.is(feeding.closed, 1);
});

test("a portion counts as taken when a loop asks for what comes behind it", async (t) => {
  const feeding = new Feeding();
  const loop = feeding.stream[Symbol.asyncIterator]();
  const first = loop.next();
  feeding.give(1, 1, 2);
  feeding.give(2, 3);
  t.is((await first).value, 1);
  t.is((await loop.next()).value, 2);
  t.deepEqual(feeding.taken, []);
  t.is((await loop.next()).value, 3);
  t.deepEqual(feeding.taken, [1]);
  const waiting = loop.next();
  t.deepEqual(feeding.taken, [1, 2]);
  feeding.give(4, 5);
  t.is((await waiting).value, 5);
});

test("leaving a loop ends its subscription, and what came meanwhile is not given", async (t) => {
  const feeding = new Feeding();
  const heard: number[] = [];
  const loop = (async () => {
    for await (const item of feeding.stream) {
      heard.push(item);
      if (item === 2) break;
    }
  })();
  feeding.give(1, 1, 2, 3);
  await loop;
  feeding.give(2, 4);
  t.deepEqual(heard, [1, 2]);
  t.is(feeding.closed, 1);
});

test("a failure comes behind what was given before it, and is told once", async (t) => {
  const feeding = new Feeding();
  const loop = feeding.stream[Symbol.asyncIterator]();
  const first = loop.next();
  feeding.give(1, 1, 2);
  feeding.sinks[0]?.failed(new Error("gone"));
  t.is((await first).value, 1);
  t.is((await loop.next()).value, 2);
  await t.throwsAsync(loop.next(), { message: "gone" });
  t.deepEqual(await loop.next(), { done: true, value: undefined });
  t.is(feeding.closed, 1);
});

test("when the client is closed a stream completes", async (t) => {
  const feeding = new Feeding();
  const loop = feeding.stream[Symbol.asyncIterator]();
  const next = loop.next();
  let isComplete = false;
  feeding.stream.subscribe({ complete: () => (isComplete = true), error: () => t.fail() });
  for (const sink of feeding.sinks) sink.failed(new ClosedError());
  t.is((await next).done, true);
  t.true(isComplete);
});

test("an aborted signal ends the stream with an error that has its reason", async (t) => {
  const aborting = new AbortController();
  const feeding = new Feeding(aborting.signal);
  const next = feeding.stream[Symbol.asyncIterator]().next();
  aborting.abort("enough");
  await t.throwsAsync(next, { name: "AbortError", code: "ZOOID_ABORTED" });
  t.is(feeding.closed, 1);
  const late = feeding.stream[Symbol.asyncIterator]().next();
  const error = await t.throwsAsync(late, { code: "ZOOID_ABORTED" });
  t.is(error?.cause, "enough");
  t.is(feeding.sinks.length, 1, "it is not begun at all");
});

test("the lag tells what waits, where the slowest stands, and for how long", async (t) => {
  const feeding = new Feeding();
  const lags: Lag[] = [];
  const watching = feeding.stream.lag$.subscribe((lag) => lags.push(lag));
  t.deepEqual(lags, [], "nobody consumes");
  const loop = feeding.stream[Symbol.asyncIterator]();
  const first = loop.next();
  feeding.stream.subscribe();
  feeding.give(40, 1, 2);
  await first;
  feeding.pass(1000);
  t.deepEqual(lags.at(-1), { waiting: 2, through: undefined, behind: undefined, quietMs: 1000 });
  await loop.next();
  void loop.next();
  feeding.give(60);
  feeding.pass(1000);
  t.deepEqual(lags.at(-1), { waiting: 0, through: 60 as Zxid, behind: 40, quietMs: 1000 });
  watching.unsubscribe();
  feeding.pass(1000);
  t.is(lags.length, 2);
});

test("of what only says how far a stream has come the last is kept for a loop that is busy", async (t) => {
  const feeding = new Feeding();
  const loop = feeding.stream[Symbol.asyncIterator]();
  const first = loop.next();
  feeding.give(1, 1);
  await first;
  for (let zxid = 2; zxid < 1000; zxid += 1) feeding.give(zxid);
  const lags: Lag[] = [];
  feeding.stream.lag$.subscribe((lag) => lags.push(lag));
  t.is(lags[0]?.through, undefined);
  void loop.next();
  feeding.pass(1000);
  t.is(lags[1]?.through, 999 as Zxid);
});
