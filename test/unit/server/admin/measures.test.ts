/** What a node measures of itself: buckets, the stages of a batch, and the phases of an election. */
import test from "ava";
import { countOf, histogramOf, quantileOf } from "../../../../actors/admin/measures.ts";
import type { HistogramReport } from "../../../../actors/admin/messages.ts";
import type { Effect } from "../../../../runtime/effects.ts";
import { encodeRecord } from "../../../../protocol/record.ts";
import type { ServerId } from "../../../../protocol/ids.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { ElectionMeter } from "../../../../server/measures/election-meter.ts";
import { Histogram } from "../../../../server/measures/histogram.ts";
import { BatchJournal } from "../../../../server/measures/batch-journal.ts";
import { LeaderMeter } from "../../../../server/measures/leader-meter.ts";
import { type Measuring, Meter } from "../../../../server/measures/meter.ts";
import { SubmitterMeter } from "../../../../server/measures/submitter-meter.ts";
import { WriteJournal } from "../../../../server/measures/write-journal.ts";
import { crc32 } from "node:zlib";

function filled(...values: readonly number[]): HistogramReport {
  const histogram = new Histogram([1, 10, 100]);
  for (const value of values) histogram.add(value);
  return histogram.report();
}

test("a value falls into the first bucket whose bound is not below it", (t) => {
  const { counts, sum, min, max } = filled(0.5, 1, 1.1, 10, 1000);
  t.deepEqual(counts, [2, 2, 0, 1]);
  t.deepEqual([sum, min, max], [1012.6, 0.5, 1000]);
});

test("a quantile is estimated within its bucket, and is none above the largest value", (t) => {
  t.is(quantileOf(filled(), 0.5), 0);
  t.is(quantileOf(filled(2, 2, 2, 2), 0.5), 1.5);
  t.is(quantileOf(filled(5000), 0.99), 100 + 4900 * 0.99);
  t.true(quantileOf(filled(3, 4, 5), 0.99) <= 5);
});

test("histograms of threads add up", (t) => {
  const report = (thread: string, histogram: HistogramReport) =>
    ({
      kind: "measuresReport",
      thread,
      histograms: [["fsync", histogram]],
      counters: [],
    }) as const;
  const sum = histogramOf([report("main", filled(1)), report("1", filled(50, 2))], "fsync");
  t.deepEqual(sum?.counts, [1, 1, 1, 0]);
  t.deepEqual([sum?.sum, sum?.min, sum?.max], [53, 1, 50]);
  t.is(sum === undefined ? 0 : countOf(sum), 3);
  t.is(histogramOf([report("main", filled(1))], "turn"), undefined);
});

/** Writes down what is measured. */
class Notes implements Measuring {
  readonly lines: string[] = [];
  add(measure: string, value: number): void {
    this.lines.push(`${measure} ${value}`);
  }
  count(counted: string, by: number): void {
    this.lines.push(`${counted} +${by}`);
  }
}

function recordOf(firstZxid: number, lastZxid: number): Uint8Array {
  const zxids = { firstZxid: firstZxid as Zxid, lastZxid: lastZxid as Zxid };
  const header = { kind: "batch", ...zxids, prevZxid: (firstZxid - 1) as Zxid } as const;
  return encodeRecord(
    { ...header, timeMs: 0, submitter: undefined, seq: 0 },
    new Uint8Array(0),
    (bytes, value) => crc32(bytes, value),
  );
}

function leaderMeter(notes: Notes): LeaderMeter {
  const slow = { slowMs: Number.POSITIVE_INFINITY, onSlow: () => undefined };
  return new LeaderMeter(notes, { journal: new WriteJournal(), ...slow });
}

test("at a leader records are measured from the first batch to the quorum", (t) => {
  const notes = new Notes();
  const meter = leaderMeter(notes);
  const step = (kind: string, atMs: number, effects: readonly Effect[] = [], more = {}): void =>
    meter.step({ message: { kind, ...more }, effects, startedMs: atMs, endedMs: atMs });
  const append = (records: readonly Uint8Array[]): readonly Effect[] => [
    { kind: "tell", to: "log", message: { kind: "append", records } },
  ];
  step("submit", 10);
  step("received", 11, [], { message: { kind: "submit" } });
  step("endOfTurn", 12, append([recordOf(5, 7)]));
  step("submit", 13);
  step("endOfTurn", 14, append([recordOf(8, 8)]));
  t.deepEqual(notes.lines, [
    ...["stage.queue 2", "publishedOperations 3", "proposals +3"],
    ...["stage.queue 1", "publishedOperations 1", "proposals +1"],
  ]);
  notes.lines.length = 0;
  step("appended", 15, [], { lastZxid: 7 });
  meter.committed([recordOf(5, 7)], 16);
  meter.committed([recordOf(8, 8)], 20);
  t.deepEqual(notes.lines, [
    ...["stage.log 3", "commits +3", "stage.quorum 4"],
    // The disk said nothing of the second before it was delivered, which it is only once it is durable.
    ...["commits +1", "stage.log 6", "stage.quorum 6"],
  ]);
});

test("what was under way when the leader was lost is measured by nobody, and a follower measures no stage of a leader", (t) => {
  const notes = new Notes();
  const meter = leaderMeter(notes);
  const message = { kind: "append", records: [recordOf(5, 7)] };
  const effects: readonly Effect[] = [{ kind: "tell", to: "log", message }];
  const times = { startedMs: 1, endedMs: 1 };
  meter.step({ message: { kind: "submit" }, effects: [], ...times });
  meter.step({ message: { kind: "endOfTurn" }, effects, ...times });
  meter.step({ message: { kind: "leaderLost" }, effects: [], ...times });
  notes.lines.length = 0;
  const received = { kind: "received", from: 2, message: { kind: "append" } };
  meter.step({ message: received, effects, ...times });
  meter.committed([recordOf(5, 7)], 100);
  t.deepEqual(notes.lines, ["commits +3"]);
});

test("a lane's batch is measured once, however often it is sent", (t) => {
  const notes = new Notes();
  const meter = new SubmitterMeter(notes, () => 5, new BatchJournal());
  const submit = { kind: "submit", seq: 1, count: 3 };
  const effects: readonly Effect[] = [{ kind: "tell", to: "log-sync", message: submit }];
  const at = (ms: number) => ({ startedMs: ms, endedMs: ms });
  meter.step({ message: { kind: "endOfTurn" }, effects, ...at(7) });
  meter.step({ message: { kind: "endOfTurn" }, effects, ...at(60) });
  const applied = { kind: "applied", seq: 1, firstZxid: 5, results: [{}, {}, {}] };
  meter.step({ message: applied, effects: [], ...at(70) });
  meter.step({ message: applied, effects: [], ...at(80) });
  t.deepEqual(notes.lines, ["stage.gateway 2", "batchOperations 3", "stage.whole 63"]);
});

test("an election has its phases, at who comes to lead and at who follows", (t) => {
  const notes = new Notes();
  const meter = new ElectionMeter(notes, 100);
  meter.take("elected", 110);
  meter.take("establishing", 115);
  meter.take("leading", 125);
  t.deepEqual(notes.lines, [
    ...["elections +1", "phase.vote 10", "phase.promise 5", "phase.establish 10", "leaderless 25"],
  ]);
  notes.lines.length = 0;
  meter.take("sessionDelayed", 150);
  meter.take("looking", 200);
  meter.take("elected", 230);
  meter.take("looking", 240);
  meter.take("elected", 241);
  meter.take("following", 250);
  t.deepEqual(notes.lines, [
    ...["elections +1", "phase.vote 30", "elections +1", "phase.vote 1", "phase.follow 9"],
    "leaderless 50",
  ]);
});

test("a turn of the loop with a commit has the time of its reply", (t) => {
  const meter = new Meter("1", 1 as ServerId);
  const tree = meter.stepMeter("tree/1");
  const message = { kind: "committed", records: [recordOf(5, 7)] };
  tree?.step({ message, effects: [], startedMs: 3, endedMs: 5 });
  meter.turn({ startedMs: 1, endedMs: 9, steps: 2, waiting: 4 });
  meter.turn({ startedMs: 10, endedMs: 11, steps: 1, waiting: 0 });
  const { histograms, thread } = meter.report();
  const sums = histograms.map(([name, { sum, counts }]) => [
    name,
    sum,
    counts.reduce((total, count) => total + count, 0),
  ]);
  t.is(thread, "1");
  t.deepEqual(sums, [
    ["stage.apply", 2, 1],
    ["turn", 9, 2],
    ["mailbox", 4, 2],
    ["stage.reply", 4, 1],
  ]);
  t.is(meter.stepMeter("changes"), undefined);
});
