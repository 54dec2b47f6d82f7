import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Disk, DiskResult } from "../../runtime/disk.ts";
import { FileDisk } from "../../runtime/disks/file.ts";
import { FolderLockedError } from "../../runtime/disks/folder-lock.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-disk-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

function write(disk: Disk, file: string, position: number, ...chunks: number[][]): void {
  disk.perform({
    kind: "write",
    file,
    position,
    buffers: chunks.map((chunk) => Uint8Array.from(chunk)),
  });
}

function read(disk: Disk, file: string, position = 0, length = 100): number[] {
  const result: DiskResult = disk.perform({ kind: "read", file, position, length });
  if (result.kind !== "bytes") throw new Error("no bytes");
  return [...result.bytes];
}

function list(disk: Disk): Record<string, number> {
  const result = disk.perform({ kind: "list" });
  if (result.kind !== "files") throw new Error("no files");
  return Object.fromEntries(result.files.map(({ name, size }) => [name, size]));
}

const openers: Record<string, (t: ExecutionContext) => Disk> = {
  "in memory": () => new MemoryDisk(),
  "of files": (t) => {
    const disk = new FileDisk(temporaryFolder(t));
    t.teardown(() => disk.close());
    return disk;
  },
};

for (const [name, open] of Object.entries(openers)) {
  test(`a disk ${name} writes chunks one after the other and reads what is there`, (t) => {
    const disk = open(t);
    write(disk, "a", 0, [1, 2], [], [3]);
    write(disk, "a", 5, [9]);
    t.deepEqual(read(disk, "a"), [1, 2, 3, 0, 0, 9]);
    t.deepEqual(read(disk, "a", 2, 2), [3, 0]);
    t.deepEqual(read(disk, "a", 6, 4), []);
    t.deepEqual(list(disk), { a: 6 });
  });

  test(`a disk ${name} renames over a file, cuts, extends and removes`, (t) => {
    const disk = open(t);
    write(disk, "a", 0, [1, 2, 3]);
    write(disk, "b", 0, [7]);
    disk.perform({ kind: "rename", file: "a", to: "b" });
    t.deepEqual(list(disk), { b: 3 });
    disk.perform({ kind: "truncate", file: "b", length: 1 });
    disk.perform({ kind: "truncate", file: "b", length: 3 });
    disk.perform({ kind: "sync", file: "b" });
    t.deepEqual(read(disk, "b"), [1, 0, 0]);
    disk.perform({ kind: "remove", file: "b" });
    disk.perform({ kind: "syncFolder" });
    t.deepEqual(list(disk), {});
  });

  test(`a disk ${name} fails with ENOENT on a file that is not there`, (t) => {
    const disk = open(t);
    for (const kind of ["read", "sync", "remove", "truncate"] as const) {
      const operation = { kind, file: "a", position: 0, length: 1 };
      t.like(
        t.throws(() => disk.perform(operation)),
        { code: "ENOENT" },
      );
    }
    t.like(
      t.throws(() => disk.perform({ kind: "rename", file: "a", to: "b" })),
      {
        code: "ENOENT",
      },
    );
  });
}

/** Counts only the open files of this folder: other threads of the process have files open too. */
function openFilesIn(folder: string): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false; // closed in the meantime
    }
  }).length;
}

test("a disk of files keeps few files open, whatever the number of files", (t) => {
  const folder = temporaryFolder(t);
  const disk = new FileDisk(folder);
  t.teardown(() => disk.close());
  for (let number = 0; number < 300; number += 1) {
    write(disk, `f${number}`, 0, [number % 256]);
    disk.perform({ kind: "sync", file: `f${number}` });
  }
  const open = openFilesIn(folder);
  t.true(open > 0 && open < 100, `${open} files are open`);
  for (const number of [0, 150, 299]) t.deepEqual(read(disk, `f${number}`), [number % 256]);
});

test("a disk of files creates its folder for its owner only and gives it free again", (t) => {
  const folder = join(temporaryFolder(t), "deep", "er");
  const disk = new FileDisk(folder);
  t.is(statSync(folder).mode & 0o777, 0o700);
  disk.close();
  t.deepEqual(readdirSync(folder), []);
  new FileDisk(folder).close();
});

test("a folder that is in use is refused, by name of the process", (t) => {
  const folder = temporaryFolder(t);
  const disk = new FileDisk(folder);
  const error = t.throws(() => new FileDisk(folder), { instanceOf: FolderLockedError });
  t.is(error?.pid, process.pid);
  disk.close();
  disk.close();
  new FileDisk(folder).close();
});

test("a lock that names no living process, or nobody, is taken over", (t) => {
  const folder = temporaryFolder(t);
  for (const lock of ['{"pid":1,"started":"another incarnation"}', "", "nonsense"]) {
    writeFileSync(join(folder, "lock"), lock);
    new FileDisk(folder).close();
    t.deepEqual(readdirSync(folder), []);
  }
});

test("a folder in use by another process is refused until that process is killed", async (t) => {
  const folder = temporaryFolder(t);
  const module = new URL("../../runtime/disks/file.ts", import.meta.url).href;
  const program = `
    import { FileDisk } from ${JSON.stringify(module)};
    new FileDisk(${JSON.stringify(folder)});
    console.log("open");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  t.teardown(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const error = t.throws(() => new FileDisk(folder), { instanceOf: FolderLockedError });
  t.is(error?.pid ?? 0, child.pid ?? -1);
  t.regex(error?.message ?? "", /in use by process \d+: stop that process/);
  child.kill("SIGKILL");
  await ended;
  new FileDisk(folder).close();
});

test("a crash of a disk in memory loses content and names that were not synced", (t) => {
  const disk = new MemoryDisk();
  write(disk, "kept", 0, [1, 1]);
  disk.perform({ kind: "sync", file: "kept" });
  disk.perform({ kind: "syncFolder" });
  write(disk, "kept", 1, [2, 2]);
  write(disk, "unnamed", 0, [3]);
  disk.perform({ kind: "sync", file: "unnamed" });
  disk.perform({ kind: "rename", file: "unnamed", to: "named" });
  const draws = [0.9]; // the write is lost, and of the folder's two changes the first is kept
  disk.crash(() => draws.shift() ?? 0.4);
  t.deepEqual(disk.snapshot(), { kept: new Uint8Array([1, 1]), unnamed: new Uint8Array([3]) });

  disk.perform({ kind: "rename", file: "unnamed", to: "kept" });
  disk.crash(() => 0);
  t.deepEqual(Object.keys(disk.snapshot()).sort(), ["kept", "unnamed"]);
  disk.perform({ kind: "remove", file: "kept" });
  disk.perform({ kind: "syncFolder" });
  disk.crash(() => 0);
  t.deepEqual(Object.keys(disk.snapshot()), ["unnamed"]);
});

test("a crash of a disk in memory may keep any part of a write that was not synced", (t) => {
  const outcomes = new Set<string>();
  for (const first of [0, 0.3, 0.6, 0.9]) {
    for (const second of [0.1, 0.35, 0.75]) {
      const disk = new MemoryDisk({ files: { a: new Uint8Array(1024) } });
      disk.perform({
        kind: "write",
        file: "a",
        position: 0,
        buffers: [new Uint8Array(1024).fill(1)],
      });
      const draws = [first, second, 1 - second];
      disk.crash(() => draws.shift() ?? 0);
      const ones = disk.snapshot()["a"]?.reduce((sum, byte) => sum + byte, 0);
      outcomes.add(`${ones}`);
    }
  }
  t.deepEqual(
    [...outcomes].map(Number).sort((a, b) => a - b),
    [0, 205, 512, 717, 1020, 1024],
  );
});

test("a disk in memory without room fills what is left and fails with ENOSPC", (t) => {
  const disk = new MemoryDisk({ capacityBytes: 3 });
  t.like(
    t.throws(() => write(disk, "a", 0, [1, 2, 3, 4])),
    { code: "ENOSPC" },
  );
  t.deepEqual(read(disk, "a"), [1, 2, 3]);
  write(disk, "a", 0, [5]);
  t.deepEqual(read(disk, "a"), [5, 2, 3]);
});
