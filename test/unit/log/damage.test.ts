import test from "ava";
import type { ServerId } from "../../../protocol/ids.ts";
import { FORMAT_VERSION } from "../../../actors/log/format/files.ts";
import type { LogReport } from "../../../actors/log/messages.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  epoch,
  LogHarness,
  logWith,
  recovered,
  records,
  server2,
  untellEnd,
  WALL_MS,
  zxid,
} from "./harness.ts";

const SEGMENT = "log.0000000100000000";
const RECORD_BYTES = 104;
const MARK_BYTES = 24;
const SEAL_BYTES = 28;

type Files = Record<string, Uint8Array>;

/** The files of a log of `to` + 1 records, each written on its own, changed by `change`. */
function damaged(to: number, change: (files: Files) => void): LogHarness {
  const disk = new MemoryDisk();
  logWith(to, disk);
  const files = disk.snapshot();
  change(files);
  return new LogHarness(new MemoryDisk({ files }));
}

function flip(files: Files, name: string, offset: number): void {
  const bytes = files[name];
  if (bytes?.[offset] === undefined) throw new Error(`no byte ${offset} in ${name}`);
  bytes[offset] ^= 0x10;
}

function endOf(record: number): number {
  return (record + 1) * (MARK_BYTES + RECORD_BYTES);
}

/** As a power failure before the seal reached the disk. */
function unseal(files: Files, end: number): void {
  files[SEGMENT]?.fill(0, end, end + SEAL_BYTES);
}

test("a last write cut short is cut off and counted, wherever it was cut", (t) => {
  for (let cut = 1; cut < MARK_BYTES + RECORD_BYTES; cut += 1) {
    const log = damaged(4, (files) => {
      files[SEGMENT]?.fill(0, endOf(3) + cut, 4096);
      untellEnd(files);
    });
    const report = recovered(log);
    t.deepEqual(
      report.lastZxids,
      [0, 1, 2, 3].map((counter) => zxid(1, counter)),
    );
    // A whole write header and nothing of a record is what a seal is.
    const isSeal = cut >= MARK_BYTES && cut < SEAL_BYTES;
    t.true(report.tornBytes <= cut);
    t.is(report.tornBytes > 0, !isSeal);
    t.deepEqual(log.ask({ kind: "append", records: records(1, 4, 4) })[0], {
      kind: "appended",
      lastZxid: zxid(1, 4),
      truncations: 0,
    });
  }
});

test("a last write of which only the end arrived is cut off", (t) => {
  const log = damaged(4, (files) => {
    files[SEGMENT]?.fill(0, endOf(3), endOf(4) - 3);
    untellEnd(files);
    unseal(files, endOf(4));
  });
  const report = recovered(log);
  t.is(report.lastZxids.length, 4);
  t.is(report.tornBytes, MARK_BYTES + RECORD_BYTES);
  t.deepEqual(log.events, ["tornWriteCut", "logRecovered"]);
});

test("a bad record before good ones of the same write is a write cut short", (t) => {
  const disk = new MemoryDisk();
  logWith(0, disk).ask({ kind: "append", records: records(1, 1, 5) });
  const files = disk.snapshot();
  flip(files, SEGMENT, endOf(0) + MARK_BYTES + 2 * RECORD_BYTES + 80);
  unseal(files, endOf(0) + MARK_BYTES + 5 * RECORD_BYTES);
  untellEnd(files);
  const log = new LogHarness(new MemoryDisk({ files }));
  t.deepEqual(
    recovered(log).lastZxids,
    [0, 1, 2].map((counter) => zxid(1, counter)),
  );
  log.ask({ kind: "append", records: records(1, 3, 3) });
  t.deepEqual(log.readAll(), records(1, 0, 3));
});

test("a byte damaged before a later write is refused with file, offset and zxid, and nothing is changed", (t) => {
  for (let offset = endOf(1); offset < endOf(2); offset += 1) {
    const log = damaged(4, (files) => flip(files, SEGMENT, offset));
    t.deepEqual(log.run(), []);
    t.regex(
      log.stopReason ?? "",
      new RegExp(`${SEGMENT} .* damaged at offset ${endOf(1)}, after zxid 0x100000001 `),
    );
    t.true(log.performed.every(({ kind }) => kind === "list" || kind === "read"));
  }
});

test("a byte damaged in the very last write is refused too, once its seal is there", (t) => {
  for (let offset = endOf(3); offset < endOf(4); offset += 1) {
    const log = damaged(4, (files) => flip(files, SEGMENT, offset));
    t.deepEqual(log.run(), []);
    t.regex(log.stopReason ?? "", /damaged at offset 512, after zxid 0x100000003 /);
  }
});

test("a seal that is damaged, cut short or missing costs nothing", (t) => {
  for (let offset = endOf(4); offset < endOf(4) + SEAL_BYTES; offset += 1) {
    const changes: ((files: Files) => void)[] = [
      (files) => flip(files, SEGMENT, offset),
      (files) => files[SEGMENT]?.fill(0, offset, endOf(4) + SEAL_BYTES),
    ];
    for (const change of changes) {
      const log = damaged(4, change);
      t.is(recovered(log).lastZxids.length, 5);
      log.ask({ kind: "append", records: records(1, 5, 9) });
      t.deepEqual(log.readAll(), records(1, 0, 9));
    }
  }
});

test("zeros in the middle of a segment are refused", (t) => {
  const log = damaged(4, (files) => files[SEGMENT]?.fill(0, endOf(1), endOf(2)));
  log.run();
  t.regex(log.stopReason ?? "", /damaged at offset 256, after zxid 0x100000001/);
});

test("a damaged record in a segment that has a later one is refused even if it is the segment's last", (t) => {
  const log = damaged(100, (files) => flip(files, SEGMENT, endOf(30) + 70));
  log.run();
  t.regex(log.stopReason ?? "", /log\.0000000100000000 .* damaged at offset/);
});

test("a missing segment is refused", (t) => {
  const log = damaged(100, (files) => {
    const [, second] = Object.keys(files)
      .filter((name) => name.startsWith("log."))
      .sort();
    if (second === undefined) throw new Error("one segment only");
    delete files[second];
  });
  log.run();
  t.regex(
    log.stopReason ?? "",
    /does not continue the log, which ends before it at zxid 0x10000001f: it follows zxid/,
  );
});

test("a segment under another's name is refused", (t) => {
  const log = damaged(3, (files) => {
    const bytes = files[SEGMENT];
    if (bytes === undefined) throw new Error("no segment");
    delete files[SEGMENT];
    files["log.0000000100000007"] = bytes;
  });
  log.run();
  t.regex(log.stopReason ?? "", /does not continue the log.* its first record is 0x100000000/);
});

test("a lost or damaged promise is refused", (t) => {
  const lost = damaged(3, (files) => delete files["promise"]);
  lost.run();
  t.regex(lost.stopReason ?? "", /promise file .* is missing; the log has records of epoch 1/);
  const bad = damaged(3, (files) => flip(files, "promise", 14));
  bad.run();
  t.regex(bad.stopReason ?? "", /promise file .* is damaged; the log has records of epoch 1/);
});

test("in the place of a lost or damaged incarnation comes one that no earlier life can have had", (t) => {
  const lost = damaged(3, (files) => delete files["incarnation"]);
  t.is(recovered(lost).incarnation, WALL_MS + 1);
  const bad = damaged(3, (files) => flip(files, "incarnation", 20));
  t.is(recovered(bad).incarnation, WALL_MS + 1);
});

test("half-written files of an earlier life are removed", (t) => {
  const disk = new MemoryDisk();
  logWith(3, disk);
  const leftover = new Uint8Array([1, 2, 3]);
  const files = { ...disk.snapshot(), "promise.new": leftover, "incarnation.new": leftover };
  const later = new MemoryDisk({ files });
  const log = new LogHarness(later);
  t.is(recovered(log).lastZxids.length, 4);
  t.false("promise.new" in later.snapshot());
  t.false("incarnation.new" in later.snapshot());
});

test("another node's folder is refused", (t) => {
  const disk = new MemoryDisk();
  logWith(3, disk);
  const log = new LogHarness(disk, { server: server2 });
  log.run();
  t.regex(log.stopReason ?? "", /contradicts this start.*id 1 in the folder, 2 in this start/);
});

test("a start with other members than the folder's is refused, and both are named", (t) => {
  const disk = new MemoryDisk();
  const members = [1, 2, 3] as ServerId[];
  new LogHarness(disk, { members, repairable: true }).run();
  const before = disk.snapshot();
  for (const wrong of [[1], [1, 4, 5]] as ServerId[][]) {
    const log = new LogHarness(disk, { members: wrong, repairable: wrong.length > 1 });
    log.run();
    const expected = `members 1,2,3 in the folder, ${wrong.join(",")} in this start`;
    t.true(log.stopReason?.includes(expected), log.stopReason);
    t.deepEqual(disk.snapshot(), before, "nothing was changed");
  }
  t.is(recovered(new LogHarness(disk, { members, repairable: true })).incarnation, WALL_MS + 2);
});

test("another ensemble's folder is refused", (t) => {
  const disk = new MemoryDisk();
  logWith(3, disk);
  const log = new LogHarness(disk, { ensemble: "other" });
  log.run();
  t.regex(log.stopReason ?? "", /ensemble "test" in the folder, "other" in this start/);
});

test("a folder with files that are not ours is refused, ZooKeeper's myid aside", (t) => {
  const bytes = new Uint8Array([49]);
  const foreign = new LogHarness(new MemoryDisk({ files: { "notes.txt": bytes } }));
  foreign.run();
  t.regex(foreign.stopReason ?? "", /not empty \(notes\.txt\).*empty folder of its own/);
  t.deepEqual(
    foreign.performed.map(({ kind }) => kind),
    ["list"],
  );
  t.is(recovered(new LogHarness(new MemoryDisk({ files: { myid: bytes } }))).incarnation, 1);
});

test("segments without the file that says whose they are are refused", (t) => {
  const log = damaged(3, (files) => delete files["zooid.json"]);
  log.run();
  t.regex(log.stopReason ?? "", /no zooid\.json, which says whose they are/);
});

test("a folder of a later format is refused", (t) => {
  const log = damaged(3, (files) => {
    const fields = { version: FORMAT_VERSION + 1, ensemble: "test", server: 1 };
    const sum = checksum(new TextEncoder().encode(JSON.stringify(fields)));
    const text = JSON.stringify({ ...fields, checksum: sum.toString(16).padStart(8, "0") });
    files["zooid.json"] = new TextEncoder().encode(text);
  });
  log.run();
  const [later, ours] = [FORMAT_VERSION + 1, FORMAT_VERSION];
  t.regex(
    log.stopReason ?? "",
    new RegExp(`format version ${later}, this zooid reads versions 1 to ${ours}`),
  );
});

test("a failed sync stops the node, whatever its code, and nothing is reported", (t) => {
  for (const code of ["EIO", "ENOSPC"]) {
    const disk = new MemoryDisk();
    const log = logWith(3, disk);
    disk.failure = (operation) => (operation.kind === "sync" ? code : undefined);
    t.deepEqual(log.ask({ kind: "append", records: records(1, 4, 4) }), []);
    t.regex(
      log.stopReason ?? "",
      new RegExp(`sync of log\\.0000000100000000 .* failed with ${code}`),
    );
  }
});

test("a failed write that is not for want of room stops the node", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(3, disk);
  disk.failure = (operation) => (operation.kind === "write" ? "EIO" : undefined);
  t.deepEqual(log.ask({ kind: "append", records: records(1, 4, 4) }), []);
  t.regex(log.stopReason ?? "", /write of log\.0000000100000000 .* failed with EIO/);
});

test("a record that went bad while the node ran is not given out", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(3, disk);
  const bad: DiskOperation = {
    kind: "write",
    file: SEGMENT,
    position: endOf(1) + 90,
    buffers: [new Uint8Array([255])],
  };
  disk.perform(bad);
  t.deepEqual(
    log.ask({ kind: "read", purpose: { kind: "delivery" }, after: zxid(1, 0), bytesMax: 1e6 }),
    [],
  );
  t.regex(
    log.stopReason ?? "",
    /damaged at offset \d+, in the record that ends at zxid 0x100000002/,
  );
});

test("a log too full for the disk refuses appends, keeps what is durable, and takes up again when room is back", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(3, disk);
  disk.capacityBytes = used(disk) + 1000;
  let counter = 4;
  let reports = log.ask({ kind: "append", records: records(1, counter, counter) });
  while (reports.every((report) => report.kind !== "diskFull")) {
    counter += 1;
    reports = log.ask({ kind: "append", records: records(1, counter, counter) });
  }
  const durable = zxid(1, counter - 1);
  t.deepEqual(reports, [{ kind: "diskFull", durable }]);
  t.is(log.reports.filter(({ kind }) => kind === "diskLow").length, 1);
  t.deepEqual(log.ask({ kind: "append", records: records(1, counter, counter) }), []);
  t.deepEqual(log.fire("probe"), []);
  t.is(log.readAll().length, counter);

  const again = new LogHarness(new MemoryDisk({ files: disk.snapshot() }));
  t.is(recovered(again).lastZxids.length, counter);
  t.is(recovered(again).tornBytes, 0);

  disk.capacityBytes = 1e6;
  t.deepEqual(log.fire("probe"), [{ kind: "writable" }]);
  t.deepEqual(log.ask({ kind: "append", records: records(1, counter + 1, counter + 1) }), []);
  const next = log.ask({ kind: "append", records: records(1, counter, counter) });
  t.deepEqual(next, [{ kind: "appended", lastZxid: zxid(1, counter), truncations: 0 }]);
});

test("a log that can prepare no more says so once, goes on with what it has, and says when there is room again", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(20, disk);
  t.false(log.reports.some(({ kind }) => kind === "diskLow"));
  disk.capacityBytes = used(disk);
  const after = (counter: number): LogReport[] => {
    return log.ask({ kind: "append", records: records(1, counter, counter) });
  };
  const reports: LogReport[] = [];
  let counter = 21;
  for (; !reports.some(({ kind }) => kind === "diskLow"); counter += 1) {
    reports.push(...after(counter));
  }
  t.false(reports.some(({ kind }) => kind === "diskFull"));
  t.deepEqual(after(counter), [{ kind: "appended", lastZxid: zxid(1, counter), truncations: 0 }]);
  t.deepEqual(log.fire("probe"), []);
  disk.capacityBytes = 1e6;
  t.deepEqual(log.fire("probe"), [{ kind: "writable" }]);
});

test("what was prepared leaves room for a promise, and for the next start", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(20, disk);
  disk.capacityBytes = used(disk);
  const promise = { epoch: epoch(2), candidate: server2 };
  t.like(log.ask({ kind: "promise", promise })[0], { kind: "promised", promise });
  t.false(log.reports.some(({ kind }) => kind === "diskFull"));
  disk.capacityBytes = used(disk);
  const next = new LogHarness(disk);
  next.run();
  t.is(next.stopReason, undefined);
  t.like(recovered(next), { promise, incarnation: 2 });
  t.is(recovered(next).lastZxids.length, 21);
});

function used(disk: MemoryDisk): number {
  return Object.values(disk.snapshot()).reduce((sum, bytes) => sum + bytes.length, 0);
}

test("a promise that finds no room is kept until there is, before what came after it", (t) => {
  const disk = new MemoryDisk();
  const log = logWith(3, disk);
  disk.capacityBytes = 0;
  const promise = { epoch: epoch(2), candidate: server2 };
  log.tell({ kind: "promise", promise });
  log.tell({ kind: "truncate", after: zxid(1, 2) });
  t.deepEqual(log.run(), [{ kind: "diskFull", durable: zxid(1, 3) }]);
  disk.capacityBytes = 1e6;
  t.deepEqual(log.fire("probe"), [
    { kind: "promised", promise },
    { kind: "truncated", lastZxid: zxid(1, 2), truncations: 1 },
    { kind: "writable" },
  ]);
});
