import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import type { Disk } from "../../../runtime/disk.ts";
import { FileDisk } from "../../../runtime/disks/file.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { type DiskUnderTest, playHistory } from "./scenario.ts";

function inMemory(): DiskUnderTest {
  const disk = new MemoryDisk();
  return {
    open: () => disk,
    // Now and then only the process dies, and the next incarnation finds what was not synced yet.
    crash: (_disk: Disk, random: () => number) => {
      if (random() < 0.7) disk.crash(random);
    },
    setFull: (_disk: Disk, full: boolean) => {
      disk.failure = (operation) => (full && operation.kind === "write" ? "ENOSPC" : undefined);
    },
  };
}

/** A process that is killed loses nothing that the system has taken, so only the incarnation ends. */
function inFolder(folder: string): DiskUnderTest {
  return { open: () => new FileDisk(folder), crash: (disk) => disk.close(), setFull: undefined };
}

test("power failures and deaths between any two disk operations lose nothing that was reported and bring nothing back", (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => playHistory(inMemory(), seed, 12)),
    {
      numRuns: 200,
    },
  );
  t.pass();
});

test("a process killed between any two operations on real files loses nothing that was reported", (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const folder = mkdtempSync(join(tmpdir(), "zooid-log-"));
      try {
        playHistory(inFolder(folder), seed, 5);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 5 },
  );
  t.pass();
});
