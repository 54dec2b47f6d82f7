/** Purged segments are written to again, and what they held before is never taken for a part of the log, nor for damage. */
import test from "ava";
import { WRITE_HEADER_BYTES, SEAL_BYTES } from "../../../actors/log/format/write-header.ts";
import type { Procedure } from "../../../actors/log/format/procedure.ts";
import { firstPrevZxid, scanSegment } from "../../../actors/log/format/scan.ts";
import { DiskError } from "../../../runtime/disks/error.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  chunks,
  cutSnapshot,
  epoch,
  identityOf,
  LogHarness,
  logWith,
  recovered,
  records,
  server2,
  storeChunk,
  untellEnd,
  zxid,
} from "./harness.ts";

const SEGMENT_BYTES = 4096;
/** The bytes of a record and its write header, when each record is a write of its own. */
const WRITE_BYTES = 128;
/** In the file `log-end`, for each write. */
const END_BYTES = 16;

type Files = Record<string, Uint8Array>;

function names(disk: MemoryDisk, prefix: string): string[] {
  return Object.keys(disk.snapshot())
    .filter((name) => name.startsWith(prefix))
    .sort();
}

/** A log whose records up to 200 fill segments of which the older ones are purged. */
function purged(disk: MemoryDisk): LogHarness {
  const log = logWith(200, disk);
  for (const counter of [100, 150]) cutSnapshot(log, zxid(1, counter));
  return log;
}

/** One write for each, of another size than what the segments held before. */
function append(log: LogHarness, from: number, to: number, payloadBytes = 57): void {
  for (const record of records(1, from, to, undefined, payloadBytes)) {
    log.ask({ kind: "append", records: [record] });
  }
}

function lastSegment(files: Files): string {
  const name = Object.keys(files)
    .filter((each) => each.startsWith("log."))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error("no segment");
  return name;
}

/** A log whose last segment was used before and is written to in its first part only. */
function reused(): { readonly files: Files; readonly last: string; readonly lastCounter: number } {
  const disk = new MemoryDisk();
  const log = purged(disk);
  const before = lastSegment(disk.snapshot());
  let counter = 200;
  while (lastSegment(disk.snapshot()) === before || counter < 230) {
    counter += 1;
    append(log, counter, counter);
  }
  const files = disk.snapshot();
  return { files, last: lastSegment(files), lastCounter: counter };
}

test("purged segments wait under another name, their first write header wiped, and the next segments are made of them", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  const spares = names(disk, "spare.");
  t.deepEqual(
    spares,
    [0, 32, 64].map((first) => `spare.${zxid(1, first).toString(16).padStart(16, "0")}`),
  );
  for (const name of spares) {
    t.true(
      disk
        .snapshot()
        [name]?.subarray(0, WRITE_HEADER_BYTES)
        .every((byte) => byte === 0),
    );
    t.is(disk.snapshot()[name]?.length, SEGMENT_BYTES);
  }
  const performedBefore = log.performed.length;
  append(log, 201, 280);
  t.true(names(disk, "spare.").length < spares.length);
  const written = log.performed
    .slice(performedBefore)
    .reduce(
      (sum, done) =>
        done.kind !== "write"
          ? sum
          : sum + done.buffers.reduce((all, { length }) => all + length, 0),
      0,
    );
  t.is(
    written,
    80 * (WRITE_BYTES + 17 + SEAL_BYTES + END_BYTES),
    "the records, their write headers and seals, the end told, and no zeros",
  );
});

test("no more segments are kept than are filled until the next purge", (t) => {
  const disk = new MemoryDisk();
  const log = new LogHarness(disk, { snapshotEveryBytes: SEGMENT_BYTES });
  log.run();
  log.ask({ kind: "promise", promise: { epoch: 1 as never, candidate: 1 as never } });
  for (const record of records(1, 0, 200)) log.ask({ kind: "append", records: [record] });
  for (const counter of [100, 150]) cutSnapshot(log, zxid(1, counter));
  t.is(names(disk, "spare.").length, 2);
});

test("what a segment held before is neither damage nor a write cut short, and is cut off at the start", (t) => {
  const { files, last, lastCounter } = reused();
  t.true(
    files[last]?.subarray(-WRITE_BYTES * 4).some((byte) => byte !== 0),
    "remnants are there",
  );
  const disk = new MemoryDisk({ files });
  const log = new LogHarness(disk);
  const report = recovered(log);
  t.is(report.lastZxids.at(-1), zxid(1, lastCounter));
  t.is(report.tornBytes, 0);
  t.false(log.events.includes("tornWriteCut"), log.events.join(" "));
  t.deepEqual(names(disk, "spare."), [], "those of an earlier life are not used");
  const first = lastCounter - report.lastZxids.length + 1;
  t.is(log.readAll(report.baseZxid).length, report.lastZxids.length);
  append(log, lastCounter + 1, lastCounter + 60, 3);
  const again = recovered(new LogHarness(disk));
  t.is(again.lastZxids.length, lastCounter + 60 - first + 1);
});

test("a write cut short before remnants is cut off, wherever it was cut", (t) => {
  const { files, last, lastCounter } = reused();
  const [bytes] = [files[last]];
  if (bytes === undefined) throw new Error("no segment");
  const end = endOf(files, last);
  const written = WRITE_HEADER_BYTES + 64 + 57;
  // What stood there before the write, which the write has replaced up to the cut: a seal and remnants.
  const before = new Uint8Array(written + SEAL_BYTES).fill(0x55);
  before.set(bytes.subarray(end - written, end - written + WRITE_HEADER_BYTES));
  before.fill(0, WRITE_HEADER_BYTES, SEAL_BYTES);
  for (let cut = 0; cut < written; cut += 1) {
    const torn = bytes.slice();
    torn.set(before.subarray(cut), end - written + cut);
    const power = { ...files, [last]: torn };
    untellEnd(power);
    const log = new LogHarness(new MemoryDisk({ files: power }));
    const report = recovered(log);
    t.is(report.lastZxids.at(-1), zxid(1, lastCounter - 1));
    t.is(report.tornBytes > 0, cut >= SEAL_BYTES);
  }
});

test("a life that ends anywhere in the first write to a segment that was used before loses nothing", (t) => {
  for (let steps = 0; ; steps += 1) {
    const disk = new MemoryDisk();
    const log = purged(disk);
    append(log, 201, 216);
    const before = names(disk, "log.").length;
    log.tell({ kind: "append", records: records(1, 217, 225) });
    for (let step = 0; step < steps; step += 1) log.step();
    const isWritten = log.reports.some(
      (report) => report.kind === "appended" && report.lastZxid === zxid(1, 225),
    );
    const report = recovered(new LogHarness(disk));
    t.true((report.lastZxids.at(-1) ?? 0) >= zxid(1, 216), `${steps} steps`);
    if (!isWritten) continue;
    t.true(names(disk, "log.").length > before);
    t.is(report.lastZxids.at(-1), zxid(1, 225));
    return;
  }
});

test("the first write to a segment that was used before may be cut short at any byte", (t) => {
  for (let cut = 0; cut < WRITE_BYTES; cut += 1) {
    const disk = new MemoryDisk();
    const log = purged(disk);
    append(log, 201, 223, 40);
    const perform = disk.perform.bind(disk);
    let isWritten = false;
    disk.perform = (operation) => {
      if (operation.kind !== "write") return perform(operation);
      // As large as what stood there before: an old record begins where the new one would.
      const whole = Buffer.concat([...operation.buffers]);
      isWritten = true;
      return perform({ ...operation, buffers: [whole.subarray(0, cut)] });
    };
    log.tell({ kind: "append", records: records(1, 224, 224) });
    while (!isWritten) log.step();
    const again = new LogHarness(new MemoryDisk({ files: disk.snapshot() }));
    again.run();
    t.is(again.stopReason, undefined, `${cut} bytes`);
    t.is(recovered(again).lastZxids.at(-1), zxid(1, 223));
  }
});

test("a segment has its name only when its first records are in it, wherever a life ends", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  const before = names(disk, "log.").length;
  for (const record of records(1, 201, 400)) {
    log.tell({ kind: "append", records: [record] });
    while (log.step()) {
      for (const file of names(disk, "log.")) {
        t.not(perform(disk, firstPrevZxid(file, checksum)), undefined, file);
      }
    }
  }
  t.true(names(disk, "log.").length > before + names(disk, "spare.").length);
});

test("a peer's snapshot for which the disk has no space takes that of the waiting segments", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  const whole = chunks(zxid(1, 500), 1, 3000);
  disk.capacityBytes = used(disk) + 50;
  const chunk = storeChunk("leader", { zxid: zxid(1, 500), chunks: whole, index: 0 });
  t.like(log.ask(chunk).at(-1), { kind: "snapshotRefused", reason: "the disk is full" });
  t.deepEqual(names(disk, "spare."), []);
  t.like(log.ask(chunk).at(-1), { kind: "chunkStored" });
  const snapshot = identityOf(zxid(1, 500), whole);
  t.like(log.ask({ kind: "installSnapshot", snapshot }).at(0), { kind: "installed" });
});

test("a promise and zeros that find no room take that of the waiting segments, and writes are not refused", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  disk.capacityBytes = used(disk);
  const promise = { epoch: epoch(2), candidate: server2 };
  t.like(log.ask({ kind: "promise", promise }), [{ kind: "promised", promise }]);
  t.deepEqual(names(disk, "spare."), []);
  disk.capacityBytes = Number.POSITIVE_INFINITY;

  const other = new MemoryDisk();
  const shortened = purged(other);
  const size = other.snapshot()[lastSegment(other.snapshot())]?.length ?? 0;
  t.is(size, SEGMENT_BYTES);
  shortened.tell({ kind: "truncate", after: zxid(1, 199) });
  while (shortened.reports.at(-1)?.kind !== "truncated") shortened.step();
  other.capacityBytes = used(other);
  t.deepEqual(shortened.run(), [], "no word of a low disk");
  t.deepEqual(names(other, "spare."), []);
  t.is(other.snapshot()[lastSegment(other.snapshot())]?.length, SEGMENT_BYTES);
});

test("damage to a record in the middle of the last write of a segment is found, though what follows was begun and not written", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  let counter = 200;
  const count = names(disk, "log.").length;
  while (names(disk, "log.").length < count + 2) {
    log.ask({ kind: "append", records: records(1, counter + 1, counter + 5) });
    counter += 5;
  }
  const files = disk.snapshot();
  const [last = "", full = ""] = names(disk, "log.").reverse();
  const begun = files[last]?.slice() ?? new Uint8Array(0);
  begun.fill(0);
  const end = endOf(files, full);
  files[full] = flipped(files[full], end - 104 - 20);
  const again = new LogHarness(new MemoryDisk({ files: { ...files, [last]: begun } }));
  again.run();
  t.regex(again.stopReason ?? "", /is damaged at offset/);
});

function used(disk: MemoryDisk): number {
  return Object.values(disk.snapshot()).reduce((sum, bytes) => sum + bytes.length, 0);
}

test("damage in the middle of a segment that was used before is found", (t) => {
  const { files, last } = reused();
  const end = endOf(files, last);
  for (let offset = 0; offset < end - 2 * WRITE_BYTES; offset += 1) {
    const bytes = flipped(files[last], offset);
    const log = new LogHarness(new MemoryDisk({ files: { ...files, [last]: bytes } }));
    log.run();
    t.regex(log.stopReason ?? "", /is damaged at offset|does not continue the log/, `${offset}`);
  }
});

test("damage at the end of a segment is found by the segment after it, though remnants follow", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  append(log, 201, 232);
  const full = names(disk, "log.").at(-2) ?? "";
  const files = disk.snapshot();
  const end = endOf(files, full);
  t.true(end < SEGMENT_BYTES);
  files[full] = flipped(files[full], end - 20);
  const damaged = new LogHarness(new MemoryDisk({ files }), { repairable: true });
  const report = recovered(damaged);
  t.is(report.voteLoss?.reason, "log");
  t.deepEqual(damaged.readAll(report.baseZxid).length, report.lastZxids.length);
});

test("a snapshot that finds no room takes that of the waiting segments", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  t.true(names(disk, "spare.").length > 0);
  const used = Object.values(disk.snapshot()).reduce((sum, bytes) => sum + bytes.length, 0);
  disk.capacityBytes = used + 50;
  cutSnapshot(log, zxid(1, 190));
  t.like(log.toTrees.at(-1), { kind: "snapshotRefused", reason: "the disk is full" });
  t.deepEqual(names(disk, "spare."), []);
  t.like(cutSnapshot(log, zxid(1, 190)).at(0), { kind: "snapshotStored" });
});

function flipped(of: Uint8Array | undefined, offset: number): Uint8Array {
  const bytes = new Uint8Array(of ?? []);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x04;
  return bytes;
}

/** Where the records of a segment end. */
function endOf(files: Files, file: string): number {
  const disk = new MemoryDisk({ files });
  const size = files[file]?.length ?? 0;
  const lastZxid = perform(disk, firstPrevZxid(file, checksum));
  if (lastZxid === undefined) throw new Error(`${file} has no first write header`);
  return perform(
    disk,
    scanSegment({ file, size, lastZxid }, checksum, () => undefined),
  ).end;
}

function perform<Result>(disk: MemoryDisk, procedure: Procedure<Result>): Result {
  let step = procedure.next();
  while (step.done !== true) {
    const results = step.value.map((operation) => disk.perform(operation));
    step = procedure.next({ kind: "diskDone", tag: 0, results });
  }
  return step.value;
}

test("a seal that finds no room half way leaves nothing that is damage later", (t) => {
  const disk = new MemoryDisk();
  const log = purged(disk);
  append(log, 201, 240);
  const perform = disk.perform.bind(disk);
  let isRefused = false;
  disk.perform = (operation) => {
    const isSeal = operation.kind === "write" && operation.buffers[0]?.length === SEAL_BYTES;
    if (!isSeal || isRefused) return perform(operation);
    isRefused = true;
    perform({
      ...operation,
      buffers: [operation.buffers[0]?.subarray(0, WRITE_HEADER_BYTES) ?? new Uint8Array(0)],
    });
    throw new DiskError("ENOSPC", operation);
  };
  append(log, 241, 241);
  t.true(isRefused);
  log.ask({ kind: "append", records: records(1, 242, 242, undefined, 3900) });
  const again = recovered(new LogHarness(disk));
  t.is(again.lastZxids.at(-1), zxid(1, 242));
});
