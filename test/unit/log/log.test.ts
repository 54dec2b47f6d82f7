import test from "ava";
import { foundedBy } from "../../../protocol/configuration.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  epoch,
  lastZxidOf,
  LogHarness,
  logWith,
  recordAfter,
  recovered,
  records,
  server1,
  server2,
  zxid,
} from "./harness.ts";

test("an empty folder becomes this node's, with no promise, no record and incarnation 1", (t) => {
  const log = new LogHarness(new MemoryDisk());
  t.deepEqual(log.run(), [
    {
      kind: "recovered",
      identity: "0".repeat(32),
      configuration: foundedBy([{ id: server1, identity: "0".repeat(32) }]),
      logged: [],
      promise: { epoch: epoch(0), candidate: server1 },
      baseZxid: 0 as Zxid,
      lastZxids: [],
      snapshot: undefined,
      timeMs: 0,
      voteLoss: undefined,
      incarnation: 1,
      tornBytes: 0,
    },
  ]);
});

test("every start counts the incarnation up, durably", (t) => {
  const disk = new MemoryDisk();
  for (let start = 1; start <= 3; start += 1) {
    t.is(recovered(new LogHarness(disk)).incarnation, start);
    disk.crash(() => 0);
  }
});

test("appends are reported only after the sync of their segment", (t) => {
  const log = logWith(0);
  log.tell({ kind: "append", records: records(1, 1, 3) });
  const before = log.reports.length;
  while (log.performed.at(-1)?.kind !== "sync" || log.reports.length === before) {
    if (log.reports.length > before) break;
    const last = log.performed.length;
    t.true(log.step());
    if (log.performed.length > last && log.performed.at(-1)?.kind === "write") {
      t.is(log.reports.length, before);
    }
  }
  t.deepEqual(log.reports.slice(before), [
    { kind: "appended", lastZxid: zxid(1, 3), truncations: 0 },
  ]);
});

test("appends that wait for the disk share one write and one sync", (t) => {
  const log = logWith(0);
  const before = log.performed.length;
  for (const record of records(1, 1, 20)) log.tell({ kind: "append", records: [record] });
  t.deepEqual(log.run(), [{ kind: "appended", lastZxid: zxid(1, 20), truncations: 0 }]);
  const kinds = log.performed.slice(before).map((operation) => operation.kind);
  t.deepEqual(kinds.slice(0, 2), ["write", "sync"]);
  const appends = log.performed
    .slice(before)
    .filter((operation) => operation.kind === "write" && operation.buffers.length > 1);
  t.is(appends.length, 1);
});

test("changes are done in the order of their messages", (t) => {
  const log = logWith(3);
  log.tell({ kind: "append", records: records(1, 4, 5) });
  log.tell({ kind: "truncate", after: zxid(1, 4) });
  log.tell({ kind: "promise", promise: { epoch: epoch(2), candidate: server2 } });
  log.tell({ kind: "append", records: [recordAfter(zxid(1, 4), { epoch: 2, counter: 0 })] });
  t.deepEqual(log.run(), [
    { kind: "appended", lastZxid: zxid(1, 5), truncations: 0 },
    { kind: "truncated", lastZxid: zxid(1, 4), truncations: 1 },
    { kind: "promised", promise: { epoch: epoch(2), candidate: server2 } },
    { kind: "appended", lastZxid: zxid(2, 0), truncations: 1 },
  ]);
});

test("what was reported is there after a crash, over several segments", (t) => {
  const disk = new MemoryDisk();
  logWith(200, disk);
  disk.crash(() => 0.99);
  const log = new LogHarness(disk);
  const report = recovered(log);
  t.is(report.lastZxids.length, 201);
  t.is(report.lastZxids.at(-1), zxid(1, 200));
  t.deepEqual(report.promise, { epoch: epoch(1), candidate: server1 });
  t.deepEqual(log.readAll(), records(1, 0, 200));
  t.true(Object.keys(disk.snapshot()).filter((name) => name.startsWith("log.")).length > 4);
});

test("a segment in use is filled with zeros to its size, and the next one is prepared", (t) => {
  const disk = new MemoryDisk();
  logWith(20, disk);
  const files = disk.snapshot();
  t.is(files["log.0000000100000000"]?.length, 4096);
  t.deepEqual(files["spare"], new Uint8Array(4096));
});

test("a record larger than a segment gets one of its own", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(1, disk);
  log.ask({ kind: "append", records: records(1, 2, 2, zxid(1, 1), 10_000) });
  log.ask({ kind: "append", records: records(1, 3, 3) });
  const again = new LogHarness(disk);
  t.deepEqual(recovered(again).lastZxids, [zxid(1, 0), zxid(1, 1), zxid(1, 2), zxid(1, 3)]);
  t.is(disk.snapshot()["log.0000000100000002"]?.length, 10_000 + 64 + 24);
});

test("a read gives the records after a zxid, at least one, within its bytes", (t) => {
  const log = logWith(100);
  const all = records(1, 0, 100);
  const read = (after: Zxid, bytesMax: number): Uint8Array[] => {
    const purpose = { kind: "catchUp", to: server2 } as const;
    const [answer] = log.ask({ kind: "read", purpose, after, bytesMax });
    if (answer?.kind !== "records") throw new Error("no records");
    t.deepEqual(answer.purpose, purpose);
    t.is(answer.after, after);
    return [...answer.records];
  };
  t.deepEqual(read(0 as Zxid, 1), all.slice(0, 1));
  t.deepEqual(read(zxid(1, 4), 300), all.slice(5, 7));
  t.deepEqual(read(zxid(1, 99), 1_000_000), all.slice(100));
  t.deepEqual(read(zxid(1, 100), 1_000_000), []);
});

test("a read does not give a record that is written and not yet synced", (t) => {
  const log = logWith(0);
  const [record] = records(1, 1, 1);
  if (record === undefined) throw new Error("no record");
  log.tell({ kind: "append", records: [record] });
  const writes = (): number =>
    log.performed.filter((done) => done.kind === "write" && done.buffers.includes(record)).length;
  while (writes() === 0) t.true(log.step());
  log.tell({ kind: "read", purpose: { kind: "delivery" }, after: zxid(1, 0), bytesMax: 1000 });
  const reports = log.run().map((report) => report.kind);
  t.deepEqual(reports, ["appended", "records"]);
});

test("a truncation removes the records after a zxid, in this and in later segments, for good", (t) => {
  for (const keep of [0, 3, 38, 39, 40, 117, 150]) {
    const disk = new MemoryDisk();
    const log = logWith(150, disk);
    const after = zxid(1, keep);
    t.deepEqual(log.ask({ kind: "truncate", after }), [
      { kind: "truncated", lastZxid: after, truncations: 1 },
    ]);
    log.ask({ kind: "promise", promise: { epoch: epoch(2), candidate: server2 } });
    const next = recordAfter(after, { epoch: 2, counter: 0 });
    log.ask({ kind: "append", records: [next] });
    const expected = [...records(1, 0, keep), next];
    t.deepEqual(log.readAll(), expected);
    disk.crash(() => 0);
    const again = new LogHarness(disk);
    t.deepEqual(recovered(again).lastZxids, expected.map(lastZxidOf));
    t.deepEqual(again.readAll(), expected);
  }
});

test("a truncation to nothing leaves an empty log", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(60, disk);
  log.ask({ kind: "truncate", after: 0 as Zxid });
  t.deepEqual(recovered(new LogHarness(disk)).lastZxids, []);
});

test("a promise is reported only once it is renamed into place and the folder is synced", (t) => {
  const log = new LogHarness(new MemoryDisk());
  log.run();
  const before = log.performed.length;
  const promise = { epoch: epoch(5), candidate: server2 };
  t.deepEqual(log.ask({ kind: "promise", promise }), [{ kind: "promised", promise }]);
  const kinds = log.performed.slice(before).map((operation) => operation.kind);
  t.deepEqual(kinds, ["write", "sync", "rename", "syncFolder"]);
  t.deepEqual(log.ask({ kind: "promise", promise }), [{ kind: "promised", promise }]);
});

test("a promise that goes back, or a second candidate in an epoch, is a bug", (t) => {
  const promised = (): LogHarness => {
    const log = new LogHarness(new MemoryDisk());
    log.run();
    log.ask({ kind: "promise", promise: { epoch: epoch(5), candidate: server1 } });
    return log;
  };
  const back = { epoch: epoch(4), candidate: server1 };
  t.throws(() => promised().ask({ kind: "promise", promise: back }), {
    message: /a promise never goes back/,
  });
  const second = { epoch: epoch(5), candidate: server2 };
  t.throws(() => promised().ask({ kind: "promise", promise: second }), {
    message: /one candidate in each epoch/,
  });
});

test("an append that leaves a gap is a bug", (t) => {
  const log = logWith(3);
  t.throws(() => log.ask({ kind: "append", records: records(1, 5, 5) }), {
    message: /an append follows the log's end/,
  });
});
