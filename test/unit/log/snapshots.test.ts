/** Snapshots in the data folder: stored chunk by chunk, purged with the segments they replace, loaded, installed. */
import test from "ava";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import type { LogMessage } from "../../../actors/log/messages.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { PINNED_MS } from "../../../actors/log/snapshots/give.ts";
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
  server2,
  storeChunk,
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
  const empty = storeChunk("tree", { zxid: 0 as Zxid, chunks: [], index: 0 });
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
  const at = zxid(1, 7);
  const two = chunks(at, 2);
  const before = log.performed.length;
  log.ask(storeChunk("tree", { zxid: at, chunks: two, index: 0 }));
  t.deepEqual(log.toTrees.splice(0), [{ kind: "chunkStored", zxid: at, index: 0 }]);
  const reports = log.ask(storeChunk("tree", { zxid: at, chunks: two, index: 1 }));
  t.deepEqual(
    log.performed.slice(before).map(({ kind }) => kind),
    ["write", "sync", "write", "sync", "rename", "syncFolder"],
  );
  t.deepEqual(reports, [{ kind: "snapshotStored", snapshot: identityOf(at, two) }]);
  t.deepEqual(log.toTrees, [{ kind: "chunkStored", zxid: at, index: 1 }]);
  const again = recovered(new LogHarness(disk));
  t.deepEqual(again.snapshot, identityOf(at, two));
  t.is(again.lastZxids.length, 10);
});

test("an append waits for one chunk at most", (t) => {
  const log = logWith(3);
  const at = zxid(1, 2);
  const first = storeChunk("tree", { zxid: at, chunks: chunks(at, 2), index: 0 });
  for (let cut = 0; cut < 3; cut += 1) log.tell(first);
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
  const give = (counter: number, index: number): void => {
    const at = zxid(1, counter);
    log.ask(storeChunk("tree", { zxid: at, chunks: chunks(at, 2), index }));
  };
  give(5, 1);
  give(50, 0);
  cutSnapshot(log, zxid(1, 6));
  give(5, 0);
  t.deepEqual(
    log.toTrees.map((told) => (told.kind === "snapshotRefused" ? told.reason : told.kind)),
    ["not the next chunk", "superseded", "chunkStored", "superseded"],
  );
});

test("a snapshot for which the disk has no space is refused, and appends go on", (t) => {
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
  const purpose = { kind: "delivery" } as const;
  t.deepEqual(again.ask({ kind: "read", purpose, after: zxid(1, 3), bytesMax: 9999 }), [
    { kind: "records", purpose, after: zxid(1, 3), records: [] },
  ]);
});

test("as many snapshots stay as are to be kept, and of the log what continues the oldest of them", (t) => {
  const disk = new MemoryDisk();
  logWith(200, disk);
  const log = new LogHarness(disk, { snapshotsKept: 4 });
  log.run();
  const segments = names(disk, "log.").length;
  const counters = [20, 40, 60, 80, 100, 120];
  for (const counter of counters) cutSnapshot(log, zxid(1, counter));
  const kept = names(disk, "snapshot").map((name) => Number.parseInt(name.slice(-8), 16));
  t.deepEqual(kept, counters.slice(-4));
  t.true(names(disk, "log.").length < segments);
  const again = recovered(new LogHarness(disk, { snapshotsKept: 4 }));
  t.true(again.baseZxid <= zxid(1, 60) && again.baseZxid > zxid(1, 20));
  t.is(again.snapshot?.zxid, zxid(1, 120));
  const fewer = new LogHarness(disk);
  fewer.run();
  cutSnapshot(fewer, zxid(1, 140));
  t.is(names(disk, "snapshot").length, 2, "the others go when fewer are to be kept");
});

test("a snapshot that a peer reads stays however many are cut meanwhile, and so does the log after it", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(300, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  for (const counter of [150, 170, 190, 210]) {
    log.pass(PINNED_MS - 1);
    log.ask({ kind: "askChunk", to: server2, zxid: zxid(1, 50), index: 0, position: 0 });
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
  const two = chunks(zxid(1, 50), 2);
  log.ask(chunkAsked(two, 0));
  for (const counter of [150, 180, 200]) {
    log.pass(PINNED_MS);
    cutSnapshot(log, zxid(1, counter));
  }
  log.ask(chunkAsked(two, 1));
  t.is(log.stopReason, undefined);
  t.deepEqual(given(log), two);
  cutSnapshot(log, zxid(1, 220));
  t.deepEqual(names(disk, "snapshot"), ["snapshot.00000001000000c8", "snapshot.00000001000000dc"]);
});

test("without space for more, a snapshot that a peer reads goes like any other", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(300, disk);
  for (const counter of [50, 100]) cutSnapshot(log, zxid(1, counter));
  log.ask({ kind: "askChunk", to: server2, zxid: zxid(1, 50), index: 0, position: 0 });
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

test("half a snapshot that a crash left is removed at the start", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(9, disk);
  const at = zxid(1, 7);
  for (const source of ["tree", "leader"] as const) {
    log.ask(storeChunk(source, { zxid: at, chunks: chunks(at, 2), index: 0 }));
  }
  t.deepEqual([...names(disk, "snapshot"), ...names(disk, "parts")], ["snapshot.new", "parts.new"]);
  t.is(recovered(new LogHarness(disk)).snapshot, undefined);
  t.deepEqual([...names(disk, "snapshot"), ...names(disk, "parts")], []);
});

test("a tree or a peer gets the chunk that it asks for, and a peer no bytes where none begins", (t) => {
  const disk = new MemoryDisk();
  const at = zxid(1, 7);
  const three = chunks(at, 3);
  cutSnapshot(logWith(9, disk), at, 3);
  const log = new LogHarness(disk);
  log.run();
  for (const index of three.keys()) {
    t.deepEqual(log.ask(chunkAsked(three, index)), []);
    t.deepEqual(log.ask({ ...chunkAsked(three, index), to: server2 }), [
      {
        kind: "snapshotChunk",
        to: server2,
        zxid: at,
        index,
        position: index * (three[0] as Uint8Array).length,
        bytes: three[index] as Uint8Array,
      },
    ]);
  }
  t.deepEqual(given(log), three);
  const inside = { ...chunkAsked(three, 1), position: 7, to: server2 };
  const beyond = { ...chunkAsked(three, 3), to: server2 };
  const gone = { ...chunkAsked(three, 0), zxid: zxid(1, 6), to: server2 };
  for (const ask of [inside, beyond, gone]) {
    t.like(log.ask(ask)[0], { kind: "snapshotChunk", bytes: new Uint8Array(0) });
  }
});

type ChunkAsked = Extract<LogMessage, { kind: "askChunk" }>;

/** As the tree of lane 2 asks for a chunk when it has loaded the ones before. */
function chunkAsked(all: readonly Uint8Array[], index: number): ChunkAsked {
  const { zxid: of } = chunkHeader(all[0] as Uint8Array);
  const position = all.slice(0, index).reduce((sum, { length }) => sum + length, 0);
  return { kind: "askChunk", to: "tree/2", zxid: of, index, position };
}

/** The chunks that trees have been given. */
function given(log: LogHarness): Uint8Array[] {
  return log.toTrees.flatMap((sent) => (sent.kind === "snapshotChunk" ? [sent.bytes] : []));
}

/** A log of records 0 to 60 that has been given chunks of a leader's snapshot. */
function receiving(
  disk: MemoryDisk,
  given: readonly Uint8Array[],
  of: Zxid = zxid(1, 90),
): LogHarness {
  const log = logWith(60, disk);
  cutSnapshot(log, zxid(1, 20));
  cutSnapshot(log, zxid(1, 40));
  for (const index of given.keys()) {
    log.ask(storeChunk("leader", { zxid: of, chunks: given, index }));
  }
  return log;
}

test("a peer's snapshot takes the place of the log, which goes on from it", (t) => {
  const disk = new MemoryDisk();
  const all = chunks(zxid(1, 90), 3);
  const log = receiving(disk, all);
  const snapshot = identityOf(zxid(1, 90), all);
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

test("chunks that are damaged, out of sequence or not of the snapshot offered are refused, and nothing has changed", (t) => {
  const whole = chunks(zxid(1, 90), 3);
  const snapshot = identityOf(zxid(1, 90), whole);
  const damaged = whole.map((bytes) => bytes.slice());
  (damaged[1] as Uint8Array)[50] = 99;
  const others = chunks(zxid(1, 90), 3, 99);
  for (const [received, refused] of [
    [damaged, "badChecksum"],
    [whole.slice(1), "outOfPlace"],
    [whole.slice(0, 2), undefined],
    [others, undefined],
  ] as const) {
    const disk = new MemoryDisk();
    const log = receiving(disk, received);
    const reason = log.reports.find(({ kind }) => kind === "snapshotRefused");
    t.is(reason?.kind === "snapshotRefused" ? reason.reason : undefined, refused);
    t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installRefused" });
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 60));
  }
});

test("a crash at any moment of an installation leaves the old log or the new one, whole", (t) => {
  const all = chunks(zxid(1, 90), 2);
  const snapshot = identityOf(zxid(1, 90), all);
  const seen = new Set<string>();
  for (let steps = 0; steps < 60; steps += 1) {
    for (const random of [0, 0.4, 0.99]) {
      const disk = new MemoryDisk();
      const log = receiving(disk, all);
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
    const all = chunks(of, 2);
    const disk = new MemoryDisk();
    const log = receiving(disk, all, of);
    const snapshot = identityOf(of, all);
    t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installRefused" });
    t.is(recovered(new LogHarness(disk)).lastZxids.at(-1), zxid(1, 60));
  }
});

test("records that come while a peer's snapshot is verified are kept, and it is refused", (t) => {
  const all = chunks(zxid(1, 90), 3);
  const snapshot = identityOf(zxid(1, 90), all);
  for (let steps = 0; steps < 8; steps += 1) {
    const disk = new MemoryDisk();
    const log = receiving(disk, all);
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
  const all = chunks(zxid(1, 50), 2);
  const files = { ...disk.snapshot(), "install.0000000100000032": Buffer.concat(all) };
  const again = new LogHarness(new MemoryDisk({ files }));
  const { lastZxids, snapshot, voteLoss } = recovered(again);
  t.is(lastZxids.at(-1), zxid(1, 60));
  t.deepEqual(snapshot, identityOf(zxid(1, 50), all));
  t.is(voteLoss, undefined);
});

test("the time of the last record is told at a start and with a peer's snapshot, be it in the log or in the snapshot only", (t) => {
  const of = zxid(1, 90);
  const writer = new ChunkWriter(1000);
  writer.head({ timeMs: 7777, sessions: 0, submitters: 0, znodes: 0 });
  const all = [writer.take({ zxid: of, index: 0, last: true }, checksum)];
  const disk = new MemoryDisk();
  const log = receiving(disk, all, of);
  t.is(recovered(new LogHarness(new MemoryDisk({ files: disk.snapshot() }))).timeMs, 1000);
  const snapshot = identityOf(of, all);
  t.like(log.ask({ kind: "installSnapshot", snapshot })[0], { kind: "installed", timeMs: 7777 });
  t.is(recovered(new LogHarness(disk)).timeMs, 7777);
});
