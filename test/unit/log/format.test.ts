import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import type { Zxid } from "../../../protocol/zxid.ts";
import { MemoryDisk } from "../../../runtime/disks/memory.ts";
import {
  epoch,
  lastZxidOf,
  LogHarness,
  logWith,
  recordAfter,
  recovered,
  records,
  server2,
  zxid,
} from "./harness.ts";

/** A data folder that version 1 wrote, by the steps of `writeFolder`. It stays as it is. */
const FIXTURE = new URL("../../fixtures/data-folder-1/", import.meta.url);

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

function readFixture(): Record<string, Uint8Array> {
  const names = readdirSync(FIXTURE);
  return Object.fromEntries(
    names.map((name) => [name, Uint8Array.from(readFileSync(new URL(name, FIXTURE)))]),
  );
}

test("a data folder of format version 1 is read", (t) => {
  const log = new LogHarness(new MemoryDisk({ files: readFixture() }));
  t.deepEqual(recovered(log), {
    kind: "recovered",
    promise: { epoch: epoch(2), candidate: server2 },
    baseZxid: 0 as Zxid,
    lastZxids: expected.map(lastZxidOf),
    snapshot: undefined,
    voteLoss: undefined,
    incarnation: 2,
    tornBytes: 0,
  });
  t.deepEqual(log.readAll(), expected);
});

test("what is written today is format version 1, byte for byte", (t) => {
  t.deepEqual(writeFolder().snapshot(), readFixture());
});
