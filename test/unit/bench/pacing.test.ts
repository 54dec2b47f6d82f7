/** When requests of an open loop are due, and the window that keeps a library's calls under way. */
import test from "ava";
import { CallWindow } from "../../../bench/load/call-window.ts";
import { dueAt, dueMs, pacingOf } from "../../../bench/load/pacing.ts";
import { Recorder } from "../../../bench/load/recorder.ts";

test("the connections of an open loop take turns, and together send at the rate", (t) => {
  const all = [0, 1, 2, 3].map((connection) => pacingOf(1000, 100, { connection, connections: 4 }));
  const due = all.flatMap((pacing) => [0, 1, 2].map((number) => dueMs(pacing, number)));
  const sorted = due.toSorted((a, b) => a - b);
  t.deepEqual(
    sorted,
    Array.from({ length: 12 }, (_, index) => 1000 + index * 10),
  );
});

test("a request is due from its time on, and none before the start", (t) => {
  const pacing = { startMs: 1000, everyMs: 10 };
  t.is(dueAt(pacing, 999), 0);
  t.is(dueAt(pacing, 1000), 1);
  t.is(dueAt(pacing, 1009.9), 1);
  t.is(dueAt(pacing, 1010), 2);
});

test("in an open loop what was due while measured counts with its wait, whenever the answer comes", (t) => {
  const recorder = new Recorder({ openLoop: true });
  recorder.startMs = 1000;
  recorder.endMs = 2000;
  recorder.nowMs = 5000;
  for (const sentMs of [999, 1000, 1999, 2000]) recorder.reply(0, sentMs, false);
  t.is(recorder.writes.total, 2);
  t.true(recorder.writes.percentileUs(1) > 3_900_000);
});

test("in a closed loop what is answered while measured counts, whenever it was sent", (t) => {
  const recorder = new Recorder();
  recorder.startMs = 1000;
  recorder.endMs = 2000;
  for (const nowMs of [999, 1000, 1999, 2000]) {
    recorder.nowMs = nowMs;
    recorder.reply(0, 500, true);
  }
  t.is(recorder.reads.total, 2);
});

test("a window keeps so many calls under way and resolves when all are answered", async (t) => {
  const recorder = new Recorder();
  recorder.startMs = 0;
  const window = new CallWindow(recorder, 3);
  const waiting: ((error: string | 0) => void)[] = [];
  const numbers: number[] = [];
  const done = window.run(
    (number, answer) => {
      numbers.push(number);
      waiting.push(answer);
    },
    { isRead: (number) => number % 2 === 0, count: 10 },
  );
  t.is(window.underWay, 3);
  while (waiting.length > 0) {
    waiting.shift()?.(numbers.length === 10 ? "late" : 0);
    t.true(window.underWay <= 3);
  }
  await done;
  t.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.is(recorder.operations, 7);
  t.deepEqual([...recorder.errors], [["late", 3]]);
});

test("a window whose calls are answered at once does not grow the stack", async (t) => {
  const window = new CallWindow(new Recorder(), 1);
  const calls = 100_000;
  await window.run((_number, answer) => answer(0), { isRead: () => true, count: calls });
  t.is(window.sent, calls);
});
