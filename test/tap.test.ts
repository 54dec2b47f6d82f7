/** The reader of test results itself: a gate that misreads its runner passes by seeing nothing. */
import test from "ava";
import { parseTotals, type TapEvent, TapReader, totalsLine } from "./setup/tap.ts";

function read(text: string): readonly TapEvent[] {
  const events: TapEvent[] = [];
  const reader = new TapReader((event) => events.push(event));
  for (const line of text.split("\n")) reader.line(line);
  reader.end();
  return events;
}

test("a passed test is reported with its title", (t) => {
  t.deepEqual(read("TAP version 13\nok 1 - tree › a node\n\n1..1"), [
    { kind: "passed", title: "tree › a node" },
  ]);
});

test("a failed test is reported with its details and without the frame around them", (t) => {
  const events = read("not ok 1 - broken\n  ---\n    message: boom\n  ...\nok 2 - fine");
  t.deepEqual(events, [
    { kind: "failed", title: "broken", details: ["    message: boom"] },
    { kind: "passed", title: "fine" },
  ]);
});

test("what a failed test logged is among its details", (t) => {
  t.deepEqual(read("not ok 1 - broken\n#   seed 7"), [
    { kind: "failed", title: "broken", details: ["#   seed 7"] },
  ]);
});

test("a skipped test counts as failed", (t) => {
  t.is(read("ok 1 - later # SKIP")[0]?.kind, "failed");
});

test("a test yet to be written counts as failed", (t) => {
  t.is(read("not ok 1 - later # TODO")[0]?.kind, "failed");
});

test("a failure on the last line is reported", (t) => {
  t.is(read("not ok 1 - x.test.ts exited with a non-zero exit code: 1").length, 1);
});

test("the totals line is read back", (t) => {
  const totals = { passed: 12, failed: 3 };
  t.deepEqual(parseTotals(`noise\n${totalsLine(totals)}\n`), totals);
});

test("totals that are not at the end of the text are none", (t) => {
  t.is(parseTotals("1 passed, 0 failed\nthen it crashed"), undefined);
});
