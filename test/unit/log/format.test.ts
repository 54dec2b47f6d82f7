import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { foundedBy } from "../../../protocol/configuration.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { FORMAT_VERSION } from "../../../actors/log/format/files.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  epoch,
  lastZxidOf,
  LogHarness,
  logWith,
  recordAfter,
  recovered,
  records,
  server1,
  server2,
  WALL_MS,
  zxid,
} from "./harness.ts";

/** Data folders that each version wrote, by the steps of `writeFolder`. They stay as they are. */
const VERSIONS: readonly number[] = [1, 2, 3];

const expected: readonly Uint8Array[] = [
  ...records(1, 0, 38),
  recordAfter(zxid(1, 38), { epoch: 2, counter: 0 }),
  recordAfter(zxid(2, 0), { epoch: 2, counter: 1, count: 64 }, 500),
];

/** Two segments, a truncation within a group, a second promise. */
function writeFolder(): MemoryDisk {
  const disk = new MemoryDisk();
  const log = logWith(35, disk);
  log.ask({ kind: "append", records: records(1, 36, 45) });
  log.ask({ kind: "promise", promise: { epoch: epoch(2), candidate: server2 } });
  log.ask({ kind: "truncate", after: zxid(1, 38) });
  log.ask({ kind: "append", records: expected.slice(39) });
  return disk;
}

function readFixture(version: number): Record<string, Uint8Array> {
  const folder = new URL(`../../fixtures/data-folder-${version}/`, import.meta.url);
  const names = readdirSync(folder);
  return Object.fromEntries(
    names.map((name) => [name, Uint8Array.from(readFileSync(new URL(name, folder)))]),
  );
}

for (const version of VERSIONS) {
  test(`a data folder of format version ${version} is read`, (t) => {
    const log = new LogHarness(new MemoryDisk({ files: readFixture(version) }));
    t.deepEqual(recovered(log), {
      kind: "recovered",
      identity: "0".repeat(32),
      configuration: foundedBy([{ id: server1, identity: "0".repeat(32) }]),
      logged: [],
      promise: { epoch: epoch(2), candidate: server2 },
      baseZxid: 0 as Zxid,
      lastZxids: expected.map(lastZxidOf),
      snapshot: undefined,
      timeMs: 1000,
      voteLoss: undefined,
      incarnation: 2,
      tornBytes: 0,
    });
    t.deepEqual(log.readAll(), expected);
  });
}

test("what is written today is the newest format version, byte for byte", (t) => {
  t.deepEqual(writeFolder().snapshot(), readFixture(FORMAT_VERSION));
});

test("a folder of an older version is taken over once: it gets an identity that it keeps, and the members of the start", (t) => {
  const disk = new MemoryDisk({ files: readFixture(2) });
  const members = [server1, server2];
  const first = recovered(new LogHarness(disk, { members, repairable: true, random: 7 }));
  const again = recovered(new LogHarness(disk, { members, repairable: true, random: 9 }));
  t.is(first.identity, "07".repeat(16));
  t.is(again.identity, first.identity);
  const alone = new LogHarness(disk);
  alone.run();
  t.regex(alone.stopReason ?? "", /members 1,2 in the folder, 1 in this start/);
});

test("a folder of an older version that a member of an ensemble has used is not opened by a node alone", (t) => {
  const files = readFixture(2);
  const fields = { version: 2, incarnation: WALL_MS };
  const sum = checksum(new TextEncoder().encode(JSON.stringify(fields))).toString(16);
  const line = JSON.stringify({ ...fields, checksum: sum.padStart(8, "0") });
  const disk = new MemoryDisk({
    files: { ...files, incarnation: new TextEncoder().encode(`${line}\n`) },
  });
  const before = disk.snapshot();
  const log = new LogHarness(disk);
  log.run();
  t.regex(log.stopReason ?? "", /used by a member of an ensemble.*--members/);
  t.deepEqual(disk.snapshot(), before, "nothing was changed");
});
