/** One look at a data folder: what it says of good ones, and that it finds what the log actor would stumble over. */
import fc from "fast-check";
import test from "ava";
import { encodePromise, FORMAT_VERSION, snapshotName } from "../../../actors/log/format/files.ts";
import { drive } from "../../../server/offline/drive.ts";
import { type Finding, findingText } from "../../../cli/inspect/findings.ts";
import { lookAtFolder } from "../../../cli/inspect/look.ts";
import { FolderChanged } from "../../../server/offline/read-only-folder.ts";
import { settle } from "../../../cli/inspect/settle.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  epoch,
  LogHarness,
  logWith,
  recordAfter,
  records,
  server1,
  server2,
  untellEnd,
  zxid,
} from "../log/harness.ts";
import {
  bytesOf,
  changed,
  dataFolder1,
  type Files,
  fixture,
  flip,
  lookAt,
  onward,
  rename,
  SECOND,
  SEGMENT,
  THIRD,
  WHOLE,
  WRITE_BYTES,
} from "./inspected-folder.ts";

function brief({ kind, file, offset, zxid: at, chunk }: Finding): object {
  return { kind, file, ...(offset === undefined ? {} : { offset }), zxid: at, chunk };
}

async function problemsOf(change: (files: Files) => void): Promise<readonly object[]> {
  return (await lookAt(changed(change))).problems.map(brief);
}

test("a whole folder has no problem, and every file is accounted for", async (t) => {
  const look = await lookAt(WHOLE);
  t.deepEqual(look.problems, []);
  t.deepEqual(look.notices, []);
  t.like(look.identity, { ensemble: "test", server: server1, version: FORMAT_VERSION });
  t.deepEqual(look.identity?.own?.members, [server1]);
  t.deepEqual(look.promise, { epoch: epoch(1), candidate: server1 });
  t.is(look.incarnation, 1);
  t.is(look.voteLoss, undefined);
  t.deepEqual(
    look.segments.map(({ file, records: count, firstZxid, lastZxid }) => [
      file,
      count,
      firstZxid,
      lastZxid,
    ]),
    [
      [SEGMENT, 32, zxid(1, 0), zxid(1, 31)],
      [SECOND, 32, zxid(1, 32), zxid(1, 63)],
      [THIRD, 16, zxid(1, 64), zxid(1, 79)],
    ],
  );
  t.is(look.segments[2]?.freeBytes, 4096 - 16 * WRITE_BYTES);
  t.deepEqual(
    look.snapshots.map(({ chunks, sessions, znodes, valid, zxid: at }) => [
      at,
      chunks,
      sessions,
      znodes,
      valid,
    ]),
    [
      [zxid(1, 20), 2, 1, 0, true],
      [zxid(1, 50), 2, 1, 0, true],
    ],
  );
  const named = ["zooid.json", "promise", "incarnation"];
  for (const part of [look.segments, look.snapshots, look.others]) {
    named.push(...part.map(({ file }) => file));
  }
  t.deepEqual(named.sort(), Object.keys(WHOLE).sort());
});

test("the data folder of format version 1 has no problem", async (t) => {
  const look = await lookAt(dataFolder1());
  t.deepEqual(look.problems, []);
  t.deepEqual(look.promise, { epoch: epoch(2), candidate: server2 });
  t.deepEqual(
    look.segments.map(({ records: count, batches, operations }) => [count, batches, operations]),
    [
      [32, 31, 31],
      [9, 8, 71],
    ],
  );
});

test("the snapshot of format version 1 has no problem", async (t) => {
  const snapshot = fixture("snapshot-1");
  const { zxid: at } = chunkHeader(snapshot);
  const files = changed((each) => {
    for (const name of Object.keys(each)) if (/^(log|spare)/.test(name)) delete each[name];
    each[snapshotName(at)] = snapshot;
    each["promise"] = encodePromise({ epoch: epoch(1000), candidate: server1 }, checksum);
  }, dataFolder1());
  const look = await lookAt(files);
  t.deepEqual(look.problems, []);
  t.true((look.snapshots[0]?.znodes ?? 0) > 0);
  t.is(look.baseZxid, at);
});

test("two damaged records of one segment are both found, each with what is lost", async (t) => {
  const look = await lookAt(
    changed((files) => {
      flip(files, SEGMENT, 5 * WRITE_BYTES + 80);
      flip(files, SEGMENT, 9 * WRITE_BYTES + 30);
    }),
  );
  t.deepEqual(look.problems.map(brief), [
    { kind: "recordDamaged", file: SEGMENT, offset: 640, zxid: zxid(1, 4), chunk: undefined },
    { kind: "recordDamaged", file: SEGMENT, offset: 1152, zxid: zxid(1, 8), chunk: undefined },
  ]);
  t.regex(look.problems[0]?.what ?? "", /after zxid 0x100000004 up to 0x100000005$/);
  t.is(look.segments[0]?.records, 30);
  t.is(look.lastZxid, zxid(1, 79));
});

test("a damaged write header is found like a damaged record", async (t) => {
  t.deepEqual(await problemsOf((files) => flip(files, SECOND, 3 * WRITE_BYTES + 12)), [
    { kind: "recordDamaged", file: SECOND, offset: 384, zxid: zxid(1, 34), chunk: undefined },
  ]);
});

test("damage at the end of a segment that is not the last one is no write cut short", async (t) => {
  const problems = await problemsOf((files) => flip(files, SEGMENT, 31 * WRITE_BYTES + 80));
  t.deepEqual(problems, [
    { kind: "recordDamaged", file: SEGMENT, offset: 3968, zxid: zxid(1, 30), chunk: undefined },
  ]);
});

test("a damaged last write is found by its seal", async (t) => {
  const problems = await problemsOf((files) => flip(files, THIRD, 15 * WRITE_BYTES + 80));
  t.deepEqual(problems, [
    { kind: "recordDamaged", file: THIRD, offset: 1920, zxid: zxid(1, 78), chunk: undefined },
    { kind: "endMissing", file: "log-end", zxid: zxid(1, 78), chunk: undefined },
  ]);
});

test("bytes behind the log of which no write of it began are not called a write cut short for certain", async (t) => {
  const look = await lookAt(
    changed((files) => bytesOf(files, THIRD).fill(0x33, 16 * WRITE_BYTES + 28)),
  );
  t.deepEqual(look.problems, []);
  t.regex(look.notices[0]?.what ?? "", /no part of the log: what the file held before it was used/);
});

test("a last write cut short is a notice, no problem", async (t) => {
  const look = await lookAt(
    changed((files) => {
      bytesOf(files, THIRD).fill(0, 15 * WRITE_BYTES + 80);
      untellEnd(files, zxid(1, 78));
    }),
  );
  t.deepEqual(look.problems, []);
  t.deepEqual(look.notices.map(brief), [
    { kind: "tornWrite", file: THIRD, offset: 1920, zxid: zxid(1, 78), chunk: undefined },
  ]);
});

test("a missing segment is one gap, told where the log goes on", async (t) => {
  const look = await lookAt(changed((files) => delete files[SECOND]));
  t.deepEqual(look.problems.map(brief), [
    { kind: "recordsMissing", file: THIRD, offset: 0, zxid: zxid(1, 31), chunk: undefined },
  ]);
  t.regex(look.problems[0]?.what ?? "", /follows zxid 0x10000003f.*ends at 0x10000001f/);
});

test("a missing first segment is no problem where a snapshot takes its place", async (t) => {
  const look = await lookAt(changed((files) => delete files[SEGMENT]));
  t.deepEqual(look.problems, []);
  t.deepEqual(
    look.notices.map(({ kind, file }) => [kind, file]),
    [["snapshotOld", snapshotName(zxid(1, 20))]],
  );
});

test("a log that does not begin at the beginning needs a snapshot that is whole", async (t) => {
  const problems = await problemsOf((files) => {
    delete files[SEGMENT];
    flip(files, snapshotName(zxid(1, 50)), 40);
  });
  t.deepEqual(
    problems.map((problem) => "kind" in problem && problem.kind),
    ["snapshotDamaged", "logWithoutBeginning"],
  );
});

test("a damaged chunk is named by its number and offset", async (t) => {
  const file = snapshotName(zxid(1, 50));
  const first = chunkHeader(bytesOf(WHOLE, file)).length;
  t.deepEqual(await problemsOf((files) => flip(files, file, first + 40)), [
    { kind: "snapshotDamaged", file, offset: first, zxid: zxid(1, 50), chunk: 1 },
  ]);
  t.deepEqual(await problemsOf((files) => (files[file] = bytesOf(files, file).slice(0, first))), [
    { kind: "snapshotDamaged", file, offset: first, zxid: zxid(1, 50), chunk: 1 },
  ]);
});

test("a snapshot that holds less than it says is damaged, though its checksums are right", async (t) => {
  const writer = new ChunkWriter(1024);
  writer.head({ timeMs: 1000, sessions: 0, submitters: 0, znodes: 1 });
  const chunk = writer.take({ zxid: zxid(1, 50), index: 0, last: true }, checksum);
  const file = snapshotName(zxid(1, 50));
  const look = await lookAt(changed((files) => (files[file] = chunk)));
  t.is(look.problems.length, 1);
  t.regex(look.problems[0]?.what ?? "", /holds 0 znodes.* and says 1/);
});

test("a snapshot that the log does not reach is a problem", async (t) => {
  const file = snapshotName(zxid(1, 50));
  const problems = await problemsOf((files) => {
    delete files[THIRD];
    delete files[SECOND];
  });
  t.deepEqual(problems, [
    { kind: "snapshotAhead", file, zxid: zxid(1, 50), chunk: undefined },
    { kind: "endMissing", file: "log-end", zxid: zxid(1, 31), chunk: undefined },
  ]);
});

test("a snapshot at whose zxid no record ends is a problem", async (t) => {
  const disk = new MemoryDisk();
  logWith(0, disk).ask({
    kind: "append",
    records: [recordAfter(zxid(1, 0), { epoch: 1, counter: 1, count: 50 })],
  });
  const file = snapshotName(zxid(1, 20));
  const look = await lookAt({ ...disk.snapshot(), [file]: bytesOf(WHOLE, file) });
  t.deepEqual(look.problems.map(brief), [
    { kind: "snapshotUnjoined", file, zxid: zxid(1, 20), chunk: undefined },
  ]);
});

test("segments with swapped names are out of place", async (t) => {
  const problems = await problemsOf((files) => {
    rename(files, SECOND, "keep");
    rename(files, THIRD, SECOND);
    rename(files, "keep", THIRD);
  });
  t.deepEqual(
    problems.map((problem) => "kind" in problem && problem.kind),
    ["recordsMissing", "segmentMisnamed", "recordOutOfPlace", "segmentMisnamed"],
  );
});

test("a promise that is lower, damaged or missing is a problem", async (t) => {
  const low = changed((files) => {
    files["promise"] = encodePromise({ epoch: epoch(1), candidate: server1 }, checksum);
  }, dataFolder1());
  t.deepEqual((await lookAt(low)).problems.map(findingText), [
    "promise zxid 0x200000040: it promises epoch 1, and the log has records of epoch 2, which was promised before",
  ]);
  t.deepEqual(
    (await problemsOf((files) => flip(files, "promise", 20))).map(
      (each) => "kind" in each && each.kind,
    ),
    ["fileDamaged"],
  );
  t.deepEqual(
    (await problemsOf((files) => delete files["promise"])).map(
      (each) => "kind" in each && each.kind,
    ),
    ["fileMissing"],
  );
});

test("files that say more are noted: the marker, what was set aside, what is not zooid's", async (t) => {
  const disk = new MemoryDisk({ files: changed((files) => flip(files, SEGMENT, 700)) });
  const log = new LogHarness(disk, { repairable: true });
  log.run();
  t.is(log.stopReason, undefined);
  const look = await lookAt({ ...disk.snapshot(), "notes.txt": new Uint8Array(3) });
  t.deepEqual(look.voteLoss, { reason: "log", epoch: epoch(1) });
  const kinds = look.notices.map(({ kind }) => kind);
  for (const kind of ["withoutVote", "setAside", "unknownFile"] as const) {
    t.true(kinds.includes(kind), kind);
  }
  t.deepEqual(look.problems, []);
});

test("a peer's snapshot that waits to be installed takes the place of the log", async (t) => {
  const file = snapshotName(zxid(1, 50));
  const look = await lookAt(
    changed((files) => {
      rename(files, file, "install.0000000100000032");
      flip(files, SEGMENT, 700);
      untellEnd(files, zxid(1, 50));
    }),
  );
  t.deepEqual(look.problems, []);
  t.deepEqual(
    look.notices.map(({ kind }) => kind),
    ["installPending"],
  );
  t.is(look.others.filter(({ what }) => what.includes("gives way")).length, 4);
});

test("a file that the disk cannot read is a problem, and the others are looked at", async (t) => {
  const disk = new MemoryDisk({ files: WHOLE });
  disk.failure = (operation) =>
    operation.kind === "read" && operation.file === SECOND ? "EIO" : undefined;
  const look = await drive(lookAtFolder(checksum), disk, onward);
  t.deepEqual(look?.problems.map(findingText), [
    `${SECOND} zxid 0x10000001f: read of ${SECOND} in the data folder failed with EIO`,
  ]);
  t.is(look?.segments.length, 2);
});

test("a folder without a problem is one that a node starts on, and it finds as many records", async (t) => {
  const names = Object.keys(WHOLE).filter((name) => name !== "spare");
  const change = fc.record({
    file: fc.constantFrom(...names),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    how: fc.constantFrom("flip", "cut", "zero", "remove", "repeat"),
  });
  const damage = fc.array(change, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const files = changed((each) => {
        for (const { file, at, how } of changes) spoil(each, file, at, how);
      });
      const look = await lookAt(files);
      const log = new LogHarness(new MemoryDisk({ files }));
      log.run();
      if (look.problems.length > 0) return;
      t.is(log.stopReason, undefined);
      const [report] = log.reports;
      if (report?.kind !== "recovered") throw new Error("not recovered");
      t.is(
        report.lastZxids.length,
        look.segments.reduce((sum, each) => sum + each.records, 0),
      );
      t.is(report.lastZxids.at(-1) ?? report.baseZxid, look.lastZxid);
    }),
    { numRuns: 400 },
  );
});

test("a folder of which one file was damaged, emptied, cut or lost has a problem, or loses no record", async (t) => {
  const change = fc.record({
    file: fc.constantFrom(...Object.keys(WHOLE)),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    how: fc.constantFrom("flip", "cut", "zero", "remove", "repeat", "empty", "zeroAll"),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ file, at, how }) => {
      const files = changed((each) => spoil(each, file, at, how));
      const log = new LogHarness(new MemoryDisk({ files }));
      log.run();
      const look = await lookAt(files);
      if (log.stopReason !== undefined) {
        t.true(look.problems.length > 0, log.stopReason);
        return;
      }
      const [report] = log.reports;
      if (report?.kind !== "recovered") throw new Error("not recovered");
      t.is(report.lastZxids.at(-1), zxid(1, 79));
    }),
    { numRuns: 1000 },
  );
});

function spoil(files: Files, file: string, at: number, how: string): void {
  const bytes = files[file];
  if (bytes === undefined || bytes.length === 0) return;
  const offset = Math.floor(at * bytes.length);
  if (how === "flip") bytes[offset] = (bytes[offset] ?? 0) ^ 0x41;
  else if (how === "cut") files[file] = bytes.slice(0, offset);
  else if (how === "zero") bytes.fill(0, offset, offset + 200);
  else if (how === "remove") delete files[file];
  else if (how === "empty") files[file] = new Uint8Array(0);
  else if (how === "zeroAll") bytes.fill(0);
  else bytes.copyWithin(offset, 0, 200);
}

test("in a running node's folder only what two looks see counts", async (t) => {
  const real: Finding = { kind: "recordDamaged", file: SEGMENT, offset: 640, what: "real" };
  const passing: Finding = { kind: "recordDamaged", file: THIRD, offset: 128, what: "passing" };
  const whole = await lookAt(WHOLE);
  const looks = [[passing], "changed", [real, passing], [real]] as const;
  let next = 0;
  const { look, pid } = await settle(
    () => {
      const problems = looks[next] ?? [real];
      next += 1;
      if (problems === "changed") return Promise.reject(new FolderChanged("gone"));
      return Promise.resolve({ ...whole, problems });
    },
    () => 7,
  );
  t.deepEqual(look.problems, [real]);
  t.is(pid, 7);
});

test("a folder that nobody uses is looked at once", async (t) => {
  const problem: Finding = { kind: "recordDamaged", file: SEGMENT, offset: 640, what: "real" };
  const whole = await lookAt(WHOLE);
  let looks = 0;
  const { look } = await settle(
    () => {
      looks += 1;
      return Promise.resolve({ ...whole, problems: [problem] });
    },
    () => undefined,
  );
  t.is(looks, 1);
  t.deepEqual(look.problems, [problem]);
});

test("records of several writes, one of them of many records, are counted once", async (t) => {
  const disk = new MemoryDisk();
  const log = logWith(2, disk);
  log.ask({ kind: "append", records: records(1, 3, 9) });
  log.ask({
    kind: "append",
    records: [recordAfter(zxid(1, 9), { epoch: 1, counter: 10, count: 5 })],
  });
  const look = await lookAt(disk.snapshot());
  t.deepEqual(look.problems, []);
  t.is(look.segments[0]?.records, 11);
  t.is(look.segments[0]?.operations, 14);
});
