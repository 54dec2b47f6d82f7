/** The plan of faults follows from its seed, and the log of faults excuses what they explain and nothing else. */
import test from "ava";
import { UsageError } from "../../../bench/failure.ts";
import { FaultLog } from "../../soak/fault-log.ts";
import { FAULT_KINDS, type Fault, faultPlan, isWrongStart } from "../../soak/fault-plan.ts";
import { History } from "../../soak/history.ts";
import { parseSoakOptions } from "../../soak/options.ts";
import { randomOf } from "../../soak/random.ts";
import { differences, digestOf, type Tree } from "../../soak/tree-walk.ts";
import { Violations } from "../../soak/violations.ts";

function planned(seed: number, count: number): readonly Fault[] {
  const plan = faultPlan({
    random: randomOf(seed),
    kinds: FAULT_KINDS,
    nodes: 3,
    smallDisks: [0, 1],
    pace: 1,
  });
  return Array.from({ length: count }, () => plan.next().value);
}

test("a seed always draws the same faults, and another seed others", (t) => {
  t.deepEqual(planned(1, 50), planned(1, 50));
  t.notDeepEqual(planned(1, 50), planned(2, 50));
});

test("every kind of fault comes once before any comes again", (t) => {
  const kinds = planned(3, FAULT_KINDS.length).map(({ kind }) => kind);
  t.deepEqual([...kinds].sort(), [...FAULT_KINDS].sort());
});

test("no fault touches what is not there", (t) => {
  for (const { kind, victims } of planned(4, 500)) {
    const count = kind.startsWith("nats-") || kind === "disk-full" ? 2 : 3;
    t.true(victims.length > 0, kind);
    for (const victim of victims) t.true(victim === "leader" || victim < count, kind);
  }
});

test("the death of one other node excuses no lost connection", (t) => {
  const log = new FaultLog();
  log.end(log.begin("kill", [0], 1000), 2000);
  t.true(log.excuses(0, 1500));
  t.false(log.excuses(1, 1500));
});

test("the death of a node, of two, and every other fault excuse a lost connection until some time after", (t) => {
  const log = new FaultLog();
  t.false(log.excuses(0, 500));
  log.end(log.begin("pause", [2], 1000), 2000);
  t.true(log.excuses(0, 1500));
  t.true(log.excuses(0, 3000));
  t.false(log.excuses(0, 60_000));
  log.begin("kill", [0], 70_000);
  log.begin("kill", [1], 70_001);
  t.true(log.excuses(2, 71_000));
});

test("a connection lost without an excuse is a violation", (t) => {
  const history = new History(() => undefined);
  history.faults.begin("kill", [0], performance.now());
  history.lost("client-1", 0, "closed");
  t.is(history.violations.total, 0);
  history.lost("client-1", 1, "closed");
  t.deepEqual(history.violations.kept, [
    { rule: "connection-loss", text: "client-1 lost node 2: closed" },
  ]);
});

test("a connection that is lost while the soak itself stands still is no violation", (t) => {
  const history = new History(() => undefined);
  const watch = history.stalls.start();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  history.lost("client-1", 0, "the node is silent");
  clearInterval(watch);
  t.is(history.violations.total, 0);
  t.is(history.faults.counts().get("stall of this machine"), 1);
});

test("a refused write is reported when the stream tells it, when a read shows it, and when it is there in the end", (t) => {
  const refusing = (act: (history: History) => void): readonly string[] => {
    const history = new History(() => undefined);
    history.registers.created("/register", "first", 1n);
    history.registers.sent("client-1:1");
    history.sequences.sent("client-1", 1);
    history.refused("client-1:1");
    act(history);
    t.is(history.counts.refused, 1);
    return [...history.violations.counts.keys()];
  };
  const seen = { path: "/register", version: 1, token: "client-1:1", mzxid: 2n };
  const node = { path: "/log/n-0", data: "client-1:1", czxid: 2n };
  const streamed = refusing((history) => history.streamed("client-1:1", "/register"));
  const read = refusing((history) => history.registers.read(seen, undefined));
  const final = refusing((history) => history.sequences.final("node 1", [node]));
  for (const found of [streamed, read, final]) t.deepEqual(found, ["refused-write"]);
});

test("wrong starts come alone, and a second ensemble has a process for each node", (t) => {
  const wrong = planned(6, 500).filter(({ kind }) => isWrongStart(kind));
  t.deepEqual(new Set(wrong.map(({ kind }) => kind)).size, 6);
  t.deepEqual(
    wrong.filter(({ overlaps }) => overlaps),
    [],
  );
  for (const { kind, victims } of wrong) t.is(victims.length, kind === "stranger" ? 3 : 1);
});

test("processes beside the ensemble excuse no lost connection, and a wrong start only that to its node", (t) => {
  const log = new FaultLog();
  for (const kind of ["twin", "stranger"]) log.begin(kind, [0, 1, 2], 1000);
  t.false(log.excuses(0, 1500));
  for (const kind of ["wrong-start", "copied-folder", "old-copy", "replaced"]) {
    log.begin(kind, [2], 2000);
    t.true(log.excuses(2, 2500), kind);
    t.false(log.excuses(1, 2500), kind);
  }
});

test("a majority that is killed at once is a bare one, and no two of it are the same node", (t) => {
  const majorities = planned(5, 500).filter(({ kind }) => kind === "kill-most");
  t.true(majorities.length > 0);
  for (const { victims } of majorities) t.is(new Set(victims).size, 2);
});

test("a gap between writes is told with the faults of its time", (t) => {
  const log = new FaultLog();
  for (const atMs of [0, 1000]) log.wrote(atMs);
  log.end(log.begin("kill", [0], 1500), 2500);
  for (const atMs of [1010, 2010, 2900, 2910, 3500]) log.wrote(atMs);
  t.deepEqual(log.gaps(), [
    { during: "none", gapMs: 1000 },
    { during: "kill", gapMs: 1000 },
  ]);
  t.deepEqual(log.counts(), new Map([["kill", 1]]));
});

test("of many violations of a rule all are counted and the first are kept", (t) => {
  const violations = new Violations();
  for (let count = 0; count < 100; count += 1) violations.add("stream", String(count));
  t.is(violations.total, 100);
  t.is(violations.kept.length, 10);
});

test("trees that differ in any field have other digests, and the difference is told", (t) => {
  const stat = {
    ...{ czxid: 1n, mzxid: 1n, ctime: 1n, mtime: 1n, version: 0, cversion: 0, aversion: 0 },
    ...{ ephemeralOwner: 0n, dataLength: 1, numChildren: 0, pzxid: 1n },
  };
  const treeOf = (also: object): Tree =>
    new Map([["/a", { path: "/a", data: "x", stat: { ...stat, ...also } }]]);
  t.is(digestOf(treeOf({})), digestOf(treeOf({})));
  t.deepEqual(differences(treeOf({}), treeOf({})), []);
  for (const also of [{ mtime: 2n }, { version: 1 }, { pzxid: 2n }]) {
    t.not(digestOf(treeOf({})), digestOf(treeOf(also)));
    t.is(differences(treeOf({}), treeOf(also)).length, 1);
  }
  t.is(differences(treeOf({}), new Map()).length, 1);
});

test("the command line says everything that is wrong with it at once", (t) => {
  const error = t.throws(
    () =>
      parseSoakOptions(["--minutes", "0", "--nodes", "4", "--faults", "kill,flood", "--seed", "x"]),
    { instanceOf: UsageError },
  );
  t.is(error?.message.split("\n").length, 4);
  const options = parseSoakOptions(["--minutes", "0.5", "--faults", "pause,kill", "--seed", "5"]);
  t.like(options, { seconds: 30, seed: 5, nodes: 3, faults: ["kill", "pause"] });
});
