/** Snapshots in the data folder: stored chunk by chunk, purged with the segments they replace, loaded, installed. */
import test from "ava";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { PINNED_MS } from "../../../actors/log/snapshots/cut.ts";
import {
  checksum,
  chunks,
  cutSnapshot,
  epoch,
  identityOf,
  LogHarness,
  logWith,
  recordAfter,
  recovered,
  records,
  zxid,
} from "./harness.ts";

function names(disk: MemoryDisk, prefix: string): string[] {
  return Object.keys(disk.snapshot())
    .filter((name) => name.startsWith(prefix))
    .sort();
}

test("the tree is asked for a snapshot once enough has been logged, and again after as much more", (t) => {
  const disk = new MemoryDisk();
  const log = new LogHarness(disk, { snapshotEveryBytes: 4000 });
  log.run();
  log.ask({ kind: "promise", promise: { epoch: epoch(1), candidate: 1 as never } });
  const asked: number[] = [];
  for (const record of records(1, 0, 99, 0 as Zxid)) {
    log.ask({ kind: "append", records: [record] });
    if (log.toTrees.splice(0).some(({ kind }) => kind === "cutSnapshot")) {
      asked.push(log.performed.filter(({ kind }) => kind === "write").length);
    }
  }
  t.is(asked.length, 2, "at 5000 bytes and at 10000, as chance has it here");
});

test("a node whose log calls for a snapshot at its start asks again when the first one is refused", (t) => {
  const disk = new MemoryDisk();
  logWith(99, disk);
  const log = new LogHarness(disk, { snapshotEveryBytes: 4000 });
  log.run();
  const asked = (): number =>
    log.toTrees.splice(0).filter((to) => to.kind === "cutSnapshot").length;
  t.is(asked(), 1);
  // Nothing is replayed yet: the tree is as it was before the first record.
  const bytes = new Uint8Array(0);
  const empty = { kind: "snapshotChunk", zxid: 0 as Zxid, index: 0, bytes, last: true } as const;
  for (let refusals = 1; refusals <= 4; refusals += 1) {
    log.ask(empty);
    t.is(asked(), 0, "not at once");
    log.fire("askAgain");
    t.is(asked(), 1);
  }
  cutSnapshot(log, zxid(1, 99));
  log.toTrees.splice(0);
  log.ask({ kind: "append", records: records(1, 100, 100) });
  t.is(asked(), 0, "enough is logged only after as much more");
});

test("a chunk is reported stored after its sync, and the snapshot after its rename and the folder's sync", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(9, disk);
  const [first, second] = chunks(zxid(1, 7), 2) as [Uint8Array, Uint8Array];
  const before = log.performed.length;
  const at = zxid(1, 7);
  log.ask({ kind: "snapshotChunk", zxid: at, index: 0, bytes: first, last: false });
  t.deepEqual(log.toTrees.splice(0), [{ kind: "chunkStored", zxid: at, index: 0 }]);
  const reports = log.ask({
    kind: "snapshotChunk",
    zxid: at,
    index: 1,
    bytes: second,
    last: true,
  });
  t.deepEqual(
    log.performed.slice(before).map(({ kind }) => kind),
    ["write", "sync", "write", "sync", "rename", "syncFolder"],
  );
  t.deepEqual(reports, [{ kind: "snapshotStored", snapshot: identityOf(at, [first, second]) }]);
  t.deepEqual(log.toTrees, [{ kind: "chunkStored", zxid: at, index: 1 }]);
  const again = recovered(new LogHarness(disk));
  t.deepEqual(again.snapshot, identityOf(at, [first, second]));
  t.is(again.lastZxids.length, 10);
});

test("an append waits for one chunk at most", (t) => {
  const log = logWith(3);
  const [chunk] = chunks(zxid(1, 2), 2) as [Uint8Array];
  for (let cut = 0; cut < 3; cut += 1) {
    log.tell({ kind: "snapshotChunk", zxid: zxid(1, 2), index: 0, bytes: chunk, last: false });
  }
  const before = log.performed.length;
  log.tell({ kind: "append", records: records(1, 4, 4) });
  log.run();
  const files = log.performed
    .slice(before)
    .flatMap((done) => (done.kind === "write" ? [done.file] : []));
  t.true(files.indexOf("log.0000000100000000") <= 1, files.join(" "));
});

test("a chunk out of sequence, of a zxid no record ends at, or of an older snapshot is refused", (t) => {
  const log = logWith(9);
  const bytes = new Uint8Array(0);
  log.ask({ kind: "snapshotChunk", zxid: zxid(1, 5), index: 1, bytes, last: false });
  log.ask({ kind: "snapshotChunk", zxid: zxid(1, 50), index: 0, bytes, last: false });
  cutSnapshot(log, zxid(1, 6));
  log.ask({ kind: "snapshotChunk", zxid: zxid(1, 5), index: 0, bytes, last: false });
  t.deepEqual(
    log.toTrees.map((told) => (told.kind === "snapshotRefused" ? told.reason : told.kind)),
    ["not the next chunk", "superseded", "chunkStored", "superseded"],
  );
});

test("a snapshot that finds no room is refused, and appends go on", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(9, disk);
  const used = Object.values(disk.snapshot()).reduce((sum, bytes) => sum + bytes.length, 0);
  disk.capacityBytes = used + 50;
  t.deepEqual(cutSnapshot(log, zxid(1, 7)), []);
  t.like(log.toTrees[0], { kind: "snapshotRefused", reason: "the disk is full" });
  t.deepEqual(names(disk, "snapshot"), []);
  t.like(log.ask({ kind: "append", records: records(1, 10, 10) })[0], { kind: "appended" });
});

test("the newest two snapshots stay, and of the log what continues the older of them", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(200, disk);
  const segments = names(disk, "log.").length;
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  t.true(names(disk, "log.").length < segments);
  const purged = log.reports.filter(({ kind }) => kind === "purged");
  t.is(purged.length, segments - names(disk, "log.").length);
  cutSnapshot(log, zxid(1, 150));
  t.deepEqual(names(disk, "snapshot"), ["snapshot.0000000100000064", "snapshot.0000000100000096"]);
  const again = new LogHarness(disk);
  const { baseZxid, lastZxids, snapshot } = recovered(again);
  t.true(baseZxid <= zxid(1, 100) && baseZxid > zxid(1, 50));
  t.is(snapshot?.zxid, zxid(1, 150));
  t.is(lastZxids.at(-1), zxid(1, 200));
  t.deepEqual(again.readAll(baseZxid), records(1, 0, 200).slice(-lastZxids.length));
  t.deepEqual(again.ask({ kind: "read", tag: 1, after: zxid(1, 3), bytesMax: 9999 }), [
    { kind: "records", tag: 1, after: zxid(1, 3), records: [] },
  ]);
});

test("a snapshot that a peer reads stays however many are cut meanwhile, and so does the log after it", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(300, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  for (const [step, counter] of [150, 170, 190, 210].entries()) {
    log.pass(PINNED_MS - 1);
    const position = step * 10;
    log.ask({ kind: "readSnapshot", tag: 3, zxid: zxid(1, 50), position, bytesMax: 10 });
    for (const cut of [counter, counter + 10]) cutSnapshot(log, zxid(1, cut));
  }
  t.deepEqual(names(disk, "snapshot"), [
    "snapshot.0000000100000032",
    "snapshot.00000001000000d2",
    "snapshot.00000001000000dc",
  ]);
  t.true(
    recovered(new LogHarness(new MemoryDisk({ files: disk.snapshot() }))).baseZxid <= zxid(1, 50),
  );
  log.pass(PINNED_MS);
  cutSnapshot(log, zxid(1, 240));
  t.deepEqual(names(disk, "snapshot"), ["snapshot.00000001000000dc", "snapshot.00000001000000f0"]);
});

test("a snapshot that a lane loads stays until the last chunk is loaded", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(300, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter), 2);
  const of = zxid(1, 50);
  log.ask({ kind: "loadSnapshot", zxid: of, to: "tree/2" });
  for (const counter of [150, 180, 200]) {
    log.pass(PINNED_MS);
    cutSnapshot(log, zxid(1, counter));
  }
  for (const index of [0, 1]) log.ask({ kind: "chunkLoaded", lane: 2, zxid: of, index });
  t.is(log.stopReason, undefined);
  const loaded = log.toTrees.flatMap((told) => (told.kind === "loadChunk" ? [told.index] : []));
  t.deepEqual(loaded, [0, 1]);
  cutSnapshot(log, zxid(1, 220));
  t.deepEqual(names(disk, "snapshot"), ["snapshot.00000001000000c8", "snapshot.00000001000000dc"]);
});

test("without room for more, a snapshot that a peer reads goes like any other", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(300, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  log.ask({ kind: "readSnapshot", tag: 3, zxid: zxid(1, 50), position: 0, bytesMax: 10 });
  const used = Object.values(disk.snapshot()).reduce((sum, bytes) => sum + bytes.length, 0);
  disk.capacityBytes = used + 500;
  log.ask({ kind: "append", records: records(1, 301, 400) });
  cutSnapshot(log, zxid(1, 150));
  t.deepEqual(names(disk, "snapshot"), ["snapshot.0000000100000064", "snapshot.0000000100000096"]);
});

test("a damaged newest snapshot is set aside, and the node starts from the one before", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(200, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  const files = disk.snapshot();
  (files["snapshot.0000000100000064"] as Uint8Array)[60] = 77;
  const later = new MemoryDisk({ files });
  const again = new LogHarness(later);
  t.is(recovered(again).snapshot?.zxid, zxid(1, 50));
  t.is(recovered(again).lastZxids.at(-1), zxid(1, 200));
  t.true(again.events.includes("setAside"));
  t.deepEqual(names(later, "damaged"), ["damaged.snapshot.0000000100000064"]);
  cutSnapshot(again, zxid(1, 120));
  t.deepEqual(names(later, "damaged"), []);
});

test("half a snapshot of an earlier life is removed", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(9, disk);
  const [first] = chunks(zxid(1, 7), 2) as [Uint8Array];
  log.ask({ kind: "snapshotChunk", zxid: zxid(1, 7), index: 0, bytes: first, last: false });
  log.ask({ kind: "storePart", zxid: zxid(1, 7), position: 0, bytes: first });
  t.deepEqual([...names(disk, "snapshot"), ...names(disk, "parts")], ["snapshot.new", "parts.new"]);
  t.is(recovered(new LogHarness(disk)).snapshot, undefined);
  t.deepEqual([...names(disk, "snapshot"), ...names(disk, "parts")], []);
});

test("a lane gets the chunks in order, each after the one before is loaded", (t) => {
  const disk = new MemoryDisk();
  cutSnapshot(logWith(9, disk), zxid(1, 7), 3);
  const log = new LogHarness(disk);
  log.run();
  const of = zxid(1, 7);
  log.ask({ kind: "loadSnapshot", zxid: of, to: "tree/2" });
  for (const [index, bytes] of chunks(of, 3).entries()) {
    t.deepEqual(log.toTrees.splice(0), [
      { kind: "loadChunk", zxid: of, index, bytes, last: index === 2 },
    ]);
    log.ask({ kind: "chunkLoaded", lane: 2, zxid: of, index });
  }
  t.deepEqual(log.toTrees, []);
});

/** A log of records 0 to 60 that has been given the parts of a peer's snapshot. */
function receiving(
  disk: MemoryDisk,
  parts: readonly Uint8Array[],
  of: Zxid = zxid(1, 90),
): LogHarness {
  const log = logWith(60, disk);
  cutSnapshot(log, zxid(1, 20));
  cutSnapshot(log, zxid(1, 40));
  let position = 0;
  for (const bytes of parts) {
    log.ask({ kind: "storePart", zxid: of, position, bytes });
    position += bytes.length;
  }
  return log;
}

test("a peer's snapshot takes the place of the log, which goes on from it", (t) => {
  const disk = new MemoryDisk();
  const parts = chunks(zxid(1, 90), 3);
  const log = receiving(disk, parts);
  const snapshot = identityOf(zxid(1, 90), parts);
  t.deepEqual(log.ask({ kind: "installSnapshot", snapshot }), [
    { kind: "installed", snapshot, timeMs: 0, truncations: 1 },
  ]);
  t.deepEqual(names(disk, "log."), []);
  const next = recordAfter(zxid(1, 90), { epoch: 1, counter: 91 });
  t.like(log.ask({ kind: "append", records: [next] })[0], { kind: "appended", truncations: 1 });
  const again = new LogHarness(disk);
  t.like(recovered(again), { baseZxid: zxid(1, 90), lastZxids: [zxid(1, 91)], snapshot });
  t.deepEqual(again.readAll(zxid(1, 90)), [next]);
});

test("parts that are not the snapshot offered are refused, and nothing has changed", (t) => {
  const parts = chunks(zxid(1, 90), 3);
  const snapshot = identityOf(zxid(1, 90), parts);
  const damagedParts = parts.map((bytes) => bytes.slice());
  (damagedParts[1] as Uint8Array)[50] = 99;
  for (const received of [damagedParts, parts.slice(1), parts.slice(0, 2)]) {
    const disk = new MemoryDisk();
    const log = receiving(disk, received);
    t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installRefused" });
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 60));
  }
});

test("a crash at any moment of an installation leaves the old log or the new one, whole", (t) => {
  const parts = chunks(zxid(1, 90), 2);
  const snapshot = identityOf(zxid(1, 90), parts);
  const seen = new Set<string>();
  for (let steps = 0; steps < 60; steps += 1) {
    for (const random of [0, 0.4, 0.99]) {
      const disk = new MemoryDisk();
      const log = receiving(disk, parts);
      log.tell({ kind: "installSnapshot", snapshot });
      for (let step = 0; step < steps; step += 1) log.step();
      const isDone = log.reports.some(({ kind }) => kind === "installed");
      disk.crash(() => random);
      const { baseZxid, lastZxids, voteLoss } = recovered(new LogHarness(disk));
      t.is(voteLoss, undefined);
      if (baseZxid === zxid(1, 90)) t.deepEqual(lastZxids, []);
      else t.is(lastZxids.at(-1), zxid(1, 60));
      if (isDone) t.is(baseZxid, zxid(1, 90));
      seen.add(baseZxid === zxid(1, 90) ? "new" : "old");
    }
  }
  t.is(seen.size, 2);
});

test("a peer's snapshot that the log holds and goes on from is refused, and nothing has changed", (t) => {
  // 30 is before a snapshot of its own, 50 and 60 are ends of records after it.
  for (const counter of [30, 50, 60]) {
    const of = zxid(1, counter);
    const parts = chunks(of, 2);
    const disk = new MemoryDisk();
    const log = receiving(disk, parts, of);
    const snapshot = identityOf(of, parts);
    t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installRefused" });
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 60));
  }
});

test("records that come while a peer's snapshot is verified are kept, and it is refused", (t) => {
  const parts = chunks(zxid(1, 90), 3);
  const snapshot = identityOf(zxid(1, 90), parts);
  for (let steps = 0; steps < 8; steps += 1) {
    const disk = new MemoryDisk();
    const log = receiving(disk, parts);
    log.tell({ kind: "installSnapshot", snapshot });
    for (let step = 0; step < steps; step += 1) log.step();
    log.tell({ kind: "append", records: records(1, 61, 70) });
    const reports = log.run();
    t.like(reports[0], { kind: "installRefused" }, `after ${steps} steps`);
    t.like(reports.at(-1), { kind: "appended", lastZxid: zxid(1, 70) });
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 70));
  }
});

test("an installation found at the start beside a log that holds its zxid leaves the log, which goes on from it", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(60, disk);
  for (const counter of [20, 40]) cutSnapshot(log, zxid(1, counter));
  const parts = chunks(zxid(1, 50), 2);
  const files = { ...disk.snapshot(), "install.0000000100000032": Buffer.concat(parts) };
  const again = new LogHarness(new MemoryDisk({ files }));
  const { lastZxids, snapshot, voteLoss } = recovered(again);
  t.is(lastZxids.at(-1), zxid(1, 60));
  t.deepEqual(snapshot, identityOf(zxid(1, 50), parts));
  t.is(voteLoss, undefined);
});

test("the time of the last record is told at a start and with a peer's snapshot, be it in the log or in the snapshot only", (t) => {
  const of = zxid(1, 90);
  const writer = new ChunkWriter(1000);
  writer.head({ timeMs: 7777, sessions: 0, submitters: 0, znodes: 0 });
  const parts = [writer.take({ zxid: of, index: 0, last: true }, checksum)];
  const disk = new MemoryDisk();
  const log = receiving(disk, parts, of);
  t.is(recovered(new LogHarness(new MemoryDisk({ files: disk.snapshot() }))).timeMs, 1000);
  const snapshot = identityOf(of, parts);
  t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installed", timeMs: 7777 });
  t.is(recovered(new LogHarness(disk)).timeMs, 7777);
});
