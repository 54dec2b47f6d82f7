/** A folder that may have forgotten something, where others can repair it: it opens without a vote, and keeps what is good. */
import test from "ava";
import { SNAPSHOT_VERSION } from "../../../protocol/snapshot.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  cutSnapshot,
  epoch,
  LogHarness,
  logWith,
  recovered,
  records,
  server1,
  WALL_MS,
  zxid,
} from "./harness.ts";

type Files = Record<string, Uint8Array>;

/** The disk of a log of 0 to 100 in several segments, with these snapshots, changed. */
function damagedDisk(
  change: (files: Files) => void,
  snapshots: readonly number[] = [],
): MemoryDisk {
  const disk = new MemoryDisk();
  const log = logWith(100, disk);
  for (const counter of snapshots) cutSnapshot(log, zxid(1, counter));
  const files = disk.snapshot();
  change(files);
  return new MemoryDisk({ files });
}

function open(disk: MemoryDisk): LogHarness {
  return new LogHarness(disk, { repairable: true });
}

function segments(files: Files): string[] {
  return Object.keys(files)
    .filter((name) => name.startsWith("log."))
    .sort();
}

function flip(files: Files, name: string | undefined, offset: number): void {
  const bytes = files[name ?? ""];
  if (bytes?.[offset] === undefined) throw new Error(`no byte ${offset} in ${name}`);
  bytes[offset] ^= 0x10;
}

test("a damaged record in the middle leaves the records before it, and no vote, until it is regained", (t) => {
  const disk = damagedDisk((files) => flip(files, segments(files)[1], 1000));
  const log = open(disk);
  const report = recovered(log);
  t.deepEqual(report.voteLoss, { reason: "log", epoch: epoch(1) });
  const kept = report.lastZxids.length;
  t.true(kept > 32 && kept < 64);
  t.deepEqual(log.readAll(), records(1, 0, kept - 1));
  t.true(log.events.includes("withoutVote"));
  const aside = Object.keys(disk.snapshot()).filter((name) => name.startsWith("damaged."));
  t.is(aside.length, 3, "the damaged segment and the two after it");

  const next = open(disk);
  t.deepEqual(recovered(next).voteLoss, { reason: "log", epoch: epoch(1) });
  next.ask({ kind: "append", records: records(1, kept, kept + 3) });
  t.deepEqual(next.ask({ kind: "regainVote" }), [{ kind: "voteRegained" }]);
  t.deepEqual(
    Object.keys(disk.snapshot()).filter((name) => name.startsWith("damaged")),
    [],
  );
  t.is(recovered(open(disk)).voteLoss, undefined);
  t.is(recovered(open(disk)).lastZxids.length, kept + 4);
});

test("a crash at any moment of setting aside loses neither the marker nor the good records", (t) => {
  for (let steps = 0; steps < 80; steps += 1) {
    const disk = damagedDisk((files) => flip(files, segments(files)[1], 1000));
    const log = open(disk);
    for (let step = 0; step < steps; step += 1) log.step();
    disk.crash(() => (steps % 3) / 3);
    const report = recovered(open(disk));
    t.is(report.voteLoss?.reason, "log");
    t.true(report.lastZxids.length > 32);
  }
});

test("a missing segment, also the first one, costs the vote", (t) => {
  for (const missing of [0, 1]) {
    const disk = damagedDisk((files) => delete files[segments(files)[missing] ?? ""]);
    const report = recovered(open(disk));
    t.is(report.voteLoss?.reason, "log");
    t.is(report.baseZxid, zxid(0, 0));
    t.is(report.lastZxids.length, missing * 32);
  }
});

test("a log damaged before its snapshot begins anew at the snapshot", (t) => {
  const disk = damagedDisk((files) => flip(files, segments(files)[0], 1000), [60]);
  const report = recovered(open(disk));
  t.is(report.voteLoss?.reason, "log");
  t.is(report.baseZxid, zxid(1, 60));
  t.deepEqual(report.lastZxids, []);
  t.is(report.snapshot?.zxid, zxid(1, 60));
});

test("without any good snapshot a purged log counts for nothing", (t) => {
  const disk = damagedDisk(
    (files) => {
      for (const name of Object.keys(files)) {
        if (name.startsWith("snapshot.")) flip(files, name, 50);
      }
    },
    [50, 80],
  );
  const report = recovered(open(disk));
  t.is(report.voteLoss?.reason, "log");
  t.deepEqual([report.baseZxid, report.lastZxids.length], [zxid(0, 0), 0]);
  t.is(recovered(open(disk)).lastZxids.length, 0);
});

test("a lost or damaged promise costs the vote, and counts as one of the log's epoch", (t) => {
  const changes = [
    (files: Files): unknown => delete files["promise"],
    (files: Files): unknown => flip(files, "promise", 12),
  ];
  for (const change of changes) {
    const disk = damagedDisk(change);
    const report = recovered(open(disk));
    t.deepEqual(report.voteLoss, { reason: "promise", epoch: epoch(1) });
    t.deepEqual(report.promise, { epoch: epoch(1), candidate: server1 });
    t.is(report.lastZxids.length, 101);
    t.is(recovered(open(disk)).voteLoss?.reason, "promise");
  }
});

test("a node that regained its vote keeps it over the next start, also if the promise was damaged", (t) => {
  const disk = damagedDisk((files) => flip(files, "promise", 12));
  const log = open(disk);
  recovered(log);
  t.deepEqual(log.ask({ kind: "regainVote" }), [{ kind: "voteRegained" }]);
  const report = recovered(open(disk));
  t.is(report.voteLoss, undefined);
  t.deepEqual(report.promise, { epoch: epoch(1), candidate: server1 });
});

test("an empty folder has no vote, and an incarnation that no earlier folder can have had", (t) => {
  for (let steps = 0; steps < 30; steps += 1) {
    const disk = new MemoryDisk();
    const log = open(disk);
    for (let step = 0; step < steps; step += 1) log.step();
    disk.crash(() => 0.5);
    const report = recovered(open(disk));
    t.deepEqual(report.voteLoss, { reason: "new", epoch: epoch(0) });
    t.true(report.incarnation > WALL_MS);
  }
});

test("a record or a snapshot of a later format version is refused, and nothing is changed", (t) => {
  const changes = [
    (files: Files): void => {
      const bytes = files[segments(files)[0] ?? ""] as Uint8Array;
      const record = bytes.subarray(24 + 104 + 24, 24 + 104 + 24 + 104);
      record[8] = 2;
      new DataView(record.buffer, record.byteOffset).setUint32(4, checksum(record.subarray(8)));
    },
    (files: Files): void => {
      const chunk = files["snapshot.000000010000003c"] as Uint8Array;
      chunk[12] = SNAPSHOT_VERSION + 1;
      new DataView(chunk.buffer).setUint32(8, checksum(chunk.subarray(12)));
    },
  ];
  for (const change of changes) {
    const log = open(damagedDisk(change, [60]));
    log.run();
    t.regex(log.stopReason ?? "", /of a version that this zooid does not know/);
    t.true(log.performed.every(({ kind }) => kind === "list" || kind === "read"));
  }
});

test("a vote that finds no room is regained when there is room again", (t) => {
  const disk = damagedDisk((files) => delete files["promise"]);
  const log = open(disk);
  log.run();
  disk.failure = (operation) => (operation.kind === "write" ? "ENOSPC" : undefined);
  t.deepEqual(
    log.ask({ kind: "regainVote" }).map(({ kind }) => kind),
    ["diskFull"],
  );
  disk.failure = undefined;
  t.deepEqual(
    log.fire("probe").map(({ kind }) => kind),
    ["voteRegained", "writable"],
  );
  t.is(recovered(open(disk)).voteLoss, undefined);
});

test("of a marker that cannot be read the worst is assumed", (t) => {
  const disk = damagedDisk((files) => {
    files["damaged"] = new Uint8Array([1, 2, 3]);
  });
  t.is(recovered(open(disk)).voteLoss?.reason, "promise");
});

test("a node alone does not start on a folder that was found damaged, until its marker is removed", (t) => {
  const disk = damagedDisk((files) => flip(files, segments(files)[1], 1000));
  recovered(open(disk));
  const alone = new LogHarness(disk);
  alone.run();
  t.regex(alone.stopReason ?? "", /found damaged .* remove that file first/);
  disk.perform({ kind: "remove", file: "damaged" });
  t.is(recovered(new LogHarness(disk)).voteLoss, undefined);
});
