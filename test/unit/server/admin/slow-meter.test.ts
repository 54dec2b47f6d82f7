/** What a thread knows of slow requests: when their batches and records came to which stage. */
import { crc32 } from "node:zlib";
import test from "ava";
import type {
  SlowRecord,
  SlowRequest,
  SlowStages,
} from "../../../../actors/admin/slow/messages.ts";
import type { ServerId } from "../../../../protocol/ids.ts";
import { encodeRecord } from "../../../../protocol/record.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import type { Effect } from "../../../../runtime/effects.ts";
import { Meter } from "../../../../server/measures/meter.ts";
import { WriteJournal } from "../../../../server/measures/write-journal.ts";

function recordOf(firstZxid: number, lastZxid: number): Uint8Array {
  const zxids = { firstZxid: firstZxid as Zxid, lastZxid: lastZxid as Zxid };
  const header = { kind: "batch", ...zxids, prevZxid: (firstZxid - 1) as Zxid } as const;
  return encodeRecord(
    { ...header, timeMs: 0, submitter: undefined, seq: 0 },
    new Uint8Array(0),
    (bytes, value) => crc32(bytes, value),
  );
}

const zxid = (number: number): Zxid => number as Zxid;

function slowRequest(number: number, of: number, more: Partial<SlowRequest> = {}): SlowRequest {
  return {
    ...{ number, session: "0x1", address: null, isWrite: true, operation: "setData" },
    ...{ operations: 1, path: "/", bytes: 1, answerBytes: 0, zxid: zxid(of), tookMs: 100 },
    ...{ startedMs: 1, answeredMs: 101, ...more },
  };
}

/** The meter of the thread of replication, and what it has told. */
class Bench {
  readonly told: (SlowStages | SlowRecord)[] = [];
  readonly #meter = new Meter("main", 1 as ServerId, 100);

  constructor() {
    const stop = this.#meter.start((_, message) => {
      if (message.kind === "slowStages" || message.kind === "slowRecord") this.told.push(message);
    });
    stop();
  }

  step(actor: string, atMs: number, message: object, effects: readonly Effect[] = []): void {
    const { kind } = message as { readonly kind: string };
    const meter = this.#meter.stepMeter(actor);
    if (meter?.kinds.has(kind) === true) {
      meter.step({ message, effects, startedMs: atMs, endedMs: atMs });
    }
  }

  committed(record: Uint8Array): void {
    this.#meter.committed([record]);
  }

  /** Each stamp of each request, from the first one of all. */
  stamps(): Readonly<Record<number, Readonly<Record<string, number>>>> {
    const all: Record<number, Record<string, number>> = {};
    for (const message of this.told) {
      if (message.kind !== "slowStages") continue;
      for (const { number, stamps } of message.stages) {
        all[number] = { ...all[number], ...stamps };
      }
    }
    const first = Math.min(...Object.values(all).flatMap((stamps) => Object.values(stamps)));
    for (const stamps of Object.values(all)) {
      for (const [name, ms] of Object.entries(stamps)) stamps[name] = Math.round(ms - first);
    }
    return all;
  }
}

test("a lane tells when the batch of a slow request was made and applied, and when the answer left", (t) => {
  const tell = (to: string, message: object): Effect => ({ kind: "tell", to, message });
  const submit = { kind: "submit", seq: 1, count: 2 };
  const meter = new Meter("1", 1 as ServerId, 100);
  const told: SlowStages[] = [];
  const heldUp: string[] = [];
  meter.start((to, message) => {
    if (message.kind === "slowStages") told.push(message);
    if (message.kind === "heldUp") heldUp.push(`${to} ${message.ms}`);
  })();
  const of = new Map(
    ["submitter/1", "tree/1", "zookeeper/1"].map((name) => [name, meter.stepMeter(name)]),
  );
  const step = (
    actor: string,
    at: number,
    message: object,
    effects: readonly Effect[] = [],
  ): void => of.get(actor)?.step({ message, effects, startedMs: at, endedMs: at + 1 });
  meter.turnBegins(8);
  step("submitter/1", 10, { kind: "endOfTurn" }, [tell("log-sync", submit)]);
  step("tree/1", 90, { kind: "committed", records: [recordOf(5, 6)] });
  step("submitter/1", 92, { kind: "applied", seq: 1, firstZxid: 5, results: [{}, {}] });
  const requests = [
    slowRequest(1, 6, { startedMs: 7 }),
    slowRequest(2, 99),
    slowRequest(3, 5, { isWrite: false, startedMs: 95 }),
    { ...slowRequest(4, 5), zxid: null },
  ];
  const slow = { kind: "slowRequests", from: "zookeeper/1", requests };
  step("zookeeper/1", 93, { kind: "endOfTurn" }, [tell("tree/1", {}), tell("admin", slow)]);
  t.deepEqual(told, [], "the turn of the loop is not over");
  meter.turn({ startedMs: 80, endedMs: 107, steps: 3, waiting: 0 });
  const [message] = told;
  t.is(message?.from, "zookeeper/1");
  const began = message?.stages[0]?.stamps.started ?? 0;
  const offsets = message?.stages.map(({ number, stamps }) => [
    number,
    Object.fromEntries(
      Object.entries(stamps).map(([name, ms]) => [name, Math.round(ms - began + 7)]),
    ),
  ]);
  t.deepEqual(offsets, [
    [1, { started: 7, made: 10, applying: 90, applied: 91, replied: 107 }],
    [2, { started: 1, replied: 107 }],
    [3, { started: 95, replied: 107 }],
    [4, { started: 1, replied: 107 }],
  ]);
  meter.turn({ startedMs: 110, endedMs: 111, steps: 1, waiting: 0 });
  t.is(told.length, 1, "each is told once");
  // A step that takes a millisecond or longer holds up what is answered behind it.
  t.deepEqual(heldUp, ["zookeeper/1 1", "nats/1 1"]);
});

test("the thread of replication tells when records of slow requests were published, durable and committed", (t) => {
  const bench = new Bench();
  const append = (record: Uint8Array): readonly Effect[] => [
    { kind: "tell", to: "log", message: { kind: "append", records: [record] } },
  ];
  bench.step("log-sync", 10, { kind: "endOfTurn" }, append(recordOf(5, 6)));
  bench.step("log-sync", 30, { kind: "appended", lastZxid: 6 });
  const received = { kind: "received", from: 2, message: { kind: "append" } };
  bench.step("log-sync", 40, received, append(recordOf(7, 7)));
  const requests = [slowRequest(1, 6), slowRequest(2, 7), slowRequest(3, 8)];
  bench.step("admin", 50, { kind: "slowRequests", from: "nats/1", requests });
  t.deepEqual(bench.stamps(), { 1: { published: 0, logged: 20 }, 2: { published: 30 } });
  const stages = bench.told.flatMap((each) => (each.kind === "slowStages" ? each.stages : []));
  t.deepEqual(
    stages.map(({ leads }) => leads),
    [true, false],
  );
});

test("a leader tells of records that took a quarter of a slow request's time, and of no others", (t) => {
  const bench = new Bench();
  const nowMs = performance.now();
  const append = (record: Uint8Array): readonly Effect[] => [
    { kind: "tell", to: "log", message: { kind: "append", records: [record] } },
  ];
  bench.step("log-sync", nowMs - 1000, { kind: "submit" });
  bench.step("log-sync", nowMs - 900, { kind: "endOfTurn" }, append(recordOf(5, 6)));
  bench.step("log-sync", nowMs - 600, { kind: "appended", lastZxid: 6 });
  bench.committed(recordOf(5, 6));
  const [told] = bench.told;
  t.like(told, { kind: "slowRecord", firstZxid: 5, lastZxid: 6 });
  if (told?.kind !== "slowRecord") return;
  t.deepEqual([Math.round(told.queueMs), Math.round(told.logMs)], [100, 300]);
  t.true(told.quorumMs >= 900);
  // Published in what will be a moment, which no clock says was long ago.
  bench.step("log-sync", nowMs + 1e6, { kind: "endOfTurn" }, append(recordOf(7, 7)));
  bench.committed(recordOf(7, 7));
  t.is(bench.told.length, 1);
});

test("records are found by each of their zxids, and what took another's place has its times", (t) => {
  const journal = new WriteJournal();
  t.is(journal.find(zxid(5)), undefined);
  journal.published({ firstZxid: zxid(5), lastZxid: zxid(7) }, true, 1);
  journal.published({ firstZxid: zxid(8), lastZxid: zxid(8) }, true, 2);
  journal.published({ firstZxid: zxid(9), lastZxid: zxid(12) }, true, 3);
  for (const each of [9, 10, 12]) t.like(journal.find(zxid(each)), { publishedMs: 3 });
  for (const each of [4, 13]) t.is(journal.find(zxid(each)), undefined);
  journal.logged(zxid(8), 5);
  journal.committed(zxid(7), 6);
  t.like(journal.find(zxid(5)), { loggedMs: 5, committedMs: 6 });
  t.like(journal.find(zxid(8)), { loggedMs: 5, committedMs: undefined });
  // A later leader's, after a truncation.
  journal.published({ firstZxid: zxid(9), lastZxid: zxid(9) }, false, 7);
  t.like(journal.find(zxid(9)), { leads: false, publishedMs: 7, loggedMs: undefined });
  t.is(journal.find(zxid(10)), undefined);
  journal.committed(zxid(9), 8);
  t.like(journal.find(zxid(9)), { loggedMs: 8, committedMs: 8 });
  t.like(journal.find(zxid(8)), { loggedMs: 5, committedMs: 8 });
});

test("a journal remembers the last records, however many come, and marks none twice", (t) => {
  const journal = new WriteJournal();
  const many = 5000;
  for (let number = 1; number <= many; number += 1) {
    journal.published({ firstZxid: zxid(number), lastZxid: zxid(number) }, true, number);
    if (number % 3 === 0) journal.logged(zxid(number - 1), number);
    if (number % 7 === 0) journal.committed(zxid(number - 2), number);
  }
  t.is(journal.find(zxid(1)), undefined);
  for (const each of [many, many - 500, many - 1023]) {
    t.is(journal.find(zxid(each))?.publishedMs, each);
  }
  t.is(journal.find(zxid(many - 1024)), undefined);
  const { loggedMs = 0, committedMs = 0 } = journal.find(zxid(4001)) ?? {};
  t.true(loggedMs >= 4001 && committedMs >= loggedMs, `${loggedMs} ${committedMs}`);
});
