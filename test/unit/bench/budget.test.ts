/** What the budget of a write is computed from. */
import test from "ava";
import { callsTable } from "../../../bench/profiles/budget/calls-table.ts";
import { countersOf, since } from "../../../bench/profiles/budget/counters.ts";
import { perWrite } from "../../../bench/profiles/budget/markdown.ts";
import { stepsTable } from "../../../bench/profiles/budget/steps-table.ts";
import { parseCounts } from "../../../bench/profiles/budget/strace.ts";

test("the table of strace is read, without its total", (t) => {
  const text = [
    "     calls syscall",
    "---------- ----------------",
    "       120 epoll_pwait",
    "        30 pwrite64",
    "---------- ----------------",
    "       150 total",
  ].join("\n");
  t.deepEqual(
    [...parseCounts(text)],
    [
      ["epoll_pwait", 120],
      ["pwrite64", 30],
    ],
  );
});

test("system calls are for one write, without those of an idle process, and rare ones are left out", (t) => {
  const calls = new Map([
    ["read", 250],
    ["write", 100],
    ["madvise", 3],
  ]);
  const idle = new Map([["read", 25]]);
  const table = callsTable("a write", [{ label: "leader", calls, idle }], {
    operations: 100,
    idleTimes: 2,
  });
  t.regex(table, /^\| read \| 2\.00 \|$/m);
  t.regex(table, /^\| write \| 1\.00 \|$/m);
  t.notRegex(table, /madvise/);
  t.regex(table, /^\| all \| 3\.00 \|$/m);
});

test("where strace may not attach, the table says so", (t) => {
  const unseen = [{ label: "leader", calls: undefined, idle: undefined }];
  t.regex(callsTable("a write", unseen, { operations: 1, idleTimes: 1 }), /may not look/);
});

test("steps are for one write, the longest first, and rare ones are left out", (t) => {
  const step = (message: string, steps: number, us: number) => {
    return { actor: "log", message, steps, us, effects: { tell: steps } };
  };
  const counts = {
    kind: "counts",
    steps: [step("append", 100, 500), step("diskDone", 200, 900), step("timer", 1, 1)],
    turns: 400,
    collections: 1,
    collectionMs: 1,
  } as const;
  const table = stepsTable("a write", [{ label: "leader", counts }], { writes: 100, least: 0.1 });
  t.regex(table, /\| leader \| 3\.01 \| 14\.0 \| 4\.00 \| 10\.0 \|/);
  t.regex(table, /log diskDone \| 2\.00 \| 9\.00 \| 2\.00 tell \|\n.*log append \| 1\.00 \| 5\.00/);
  t.notRegex(table, /timer/);
});

test("what Linux counts of a process only grows, and a difference begins at zero for a new thread", (t) => {
  if (process.platform !== "linux") {
    t.pass();
    return;
  }
  const before = countersOf(process.pid);
  const after = countersOf(process.pid);
  const cost = since(before, after);
  t.true(cost.cpuUs >= 0 && cost.reads >= 0);
  t.true(after.threads.size > 0);
  const fresh = since({ ...before, threads: new Map() }, after);
  t.deepEqual([...fresh.threads], [...after.threads]);
});

test("what hardly happens is a dash", (t) => {
  t.is(perWrite(0.004), "–");
  t.is(perWrite(0.02), "0.02");
  t.is(perWrite(12.34), "12.3");
  t.is(perWrite(1234.5), "1235");
});
