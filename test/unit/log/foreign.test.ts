/** What stands in a data folder and is no file of a zooid's: it is refused by name, or left alone. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { FileDisk } from "../../../runtime/disks/file.ts";
import { drive } from "../../../server/offline/drive.ts";
import { lookAtFolder } from "../../../cli/inspect/look.ts";
import { ReadOnlyFolder } from "../../../server/offline/read-only-folder.ts";
import { type Configuration, foundedBy } from "../../../protocol/configuration.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import {
  checksum,
  identityOf,
  LogHarness,
  logWith,
  recovered,
  server1,
  storeChunk,
  zxid,
} from "./harness.ts";

const LAST = "log.0000000100000020";

function emptyFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-foreign-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Two segments. */
function dataFolder(t: ExecutionContext): string {
  const folder = emptyFolder(t);
  const disk = new FileDisk(folder);
  logWith(40, disk);
  disk.close();
  return folder;
}

function start(folder: string, repairable = false): LogHarness {
  const disk = new FileDisk(folder);
  const log = new LogHarness(disk, { repairable });
  log.run();
  disk.close();
  return log;
}

async function problemsOf(folder: string): Promise<readonly string[]> {
  const opened = new ReadOnlyFolder(folder);
  const look = await drive(lookAtFolder(checksum), opened, () => Promise.resolve(true));
  opened.close();
  return look?.problems.map(({ kind, file }) => `${kind} ${file}`) ?? [];
}

test("a file of the folder that is a symbolic link is refused, and nothing is written through it", async (t) => {
  for (const name of [
    LAST,
    "promise",
    "incarnation",
    "zooid.json",
    "log-end",
    "damaged",
    "spare",
  ]) {
    const folder = dataFolder(t);
    const away = emptyFolder(t);
    const to = join(away, name);
    if (name === "damaged") writeFileSync(to, "");
    else renameSync(join(folder, name), to);
    symlinkSync(to, join(folder, name));
    for (const repairable of [false, true]) {
      const log = start(folder, repairable);
      t.regex(log.stopReason ?? "", new RegExp(`^${name} .* is a symbolic link.* regular file`));
      t.true(log.performed.every(({ kind }) => kind === "list"));
    }
    t.true((await problemsOf(folder)).includes(`noFile ${name}`), name);
  }
});

test("a folder in the place of a segment or a snapshot is refused", async (t) => {
  for (const name of [LAST, "snapshot.0000000100000005", "install.0000000100000005"]) {
    const folder = dataFolder(t);
    rmSync(join(folder, name), { force: true });
    mkdirSync(join(folder, name));
    const log = start(folder);
    t.regex(log.stopReason ?? "", new RegExp(`^${name} .* is a folder`));
    t.true((await problemsOf(folder)).includes(`noFile ${name}`));
  }
});

test("what else stands beside the files of a node is said, and does no harm", async (t) => {
  const folder = dataFolder(t);
  mkdirSync(join(folder, "backup"));
  mkdirSync(join(folder, "lost+found"));
  symlinkSync("/nowhere", join(folder, "log.old"));
  writeFileSync(join(folder, "log.100000020"), "");
  const log = start(folder);
  t.is(recovered(log).lastZxids.length, 41);
  t.deepEqual(log.events, ["unknownFiles", "logRecovered"]);
  t.deepEqual(await problemsOf(folder), []);
});

test("a folder of Apache ZooKeeper is refused with a word on migration", (t) => {
  const folder = emptyFolder(t);
  mkdirSync(join(folder, "version-2"));
  writeFileSync(join(folder, "myid"), "1\n");
  writeFileSync(join(folder, "version-2", "log.1"), "ZKLG");
  for (const repairable of [false, true]) {
    const log = start(folder, repairable);
    t.regex(log.stopReason ?? "", /version-2, .*Apache ZooKeeper.*To migrate/);
    t.true(log.performed.every(({ kind }) => kind === "list"));
  }
});

test("a new node takes a folder with nothing in it but what belongs beside, and names what else it finds", (t) => {
  const beside = emptyFolder(t);
  mkdirSync(join(beside, "lost+found"));
  for (const name of ["myid", "zoo.cfg", "zoo_sample.cfg", "zoo.cfg.dynamic.100000000"]) {
    writeFileSync(join(beside, name), "");
  }
  t.is(recovered(start(beside)).incarnation, 1);
  const names = ["notes.txt", "data", ".config", "base", "snapshot.5"];
  for (const [index, name] of names.entries()) {
    const folder = emptyFolder(t);
    if (index % 2 === 0) writeFileSync(join(folder, name), "");
    else mkdirSync(join(folder, name));
    t.true(start(folder).stopReason?.includes(`is not empty (${name})`), name);
  }
});

const OWN: Configuration = foundedBy([{ id: server1, identity: "1".repeat(32) }]);
const OTHER: Configuration = foundedBy([{ id: server1, identity: "2".repeat(32) }]);

/** One chunk, which names the configuration that its ensemble went by. */
function snapshotOf(configuration: Configuration): Uint8Array {
  const writer = new ChunkWriter(500);
  writer.head({ timeMs: 7, sessions: 0, submitters: 0, znodes: 0 });
  writer.configuration(configuration);
  return writer.take({ zxid: zxid(1, 60), index: 0, last: true }, checksum);
}

function logOf(configuration: Configuration, disk: MemoryDisk): LogHarness {
  const log = logWith(40, disk);
  log.ask({ kind: "storeConfiguration", configuration, guest: false });
  return log;
}

for (const name of ["snapshot.000000010000003c", "install.000000010000003c"]) {
  test(`${name} of another ensemble is refused at the start, and nothing is changed`, (t) => {
    for (const repairable of [false, true]) {
      const disk = new MemoryDisk();
      logOf(OWN, disk);
      const files = { ...disk.snapshot(), [name]: snapshotOf(OTHER) };
      const later = new MemoryDisk({ files });
      const log = new LogHarness(later, { repairable });
      log.run();
      t.regex(log.stopReason ?? "", /does not belong there: it is of the ensemble/);
      t.true(log.stopReason?.includes(OTHER.ensembleId) && log.stopReason.includes(OWN.ensembleId));
      t.deepEqual(later.snapshot(), files);
      const own = new MemoryDisk({ files: { ...files, [name]: snapshotOf(OWN) } });
      const started = new LogHarness(own, { repairable: true });
      started.run();
      t.is(started.stopReason, undefined, "the ensemble's own is taken");
    }
  });
}

test("a peer's snapshot of another ensemble is not installed", (t) => {
  for (const configuration of [OTHER, OWN]) {
    const log = logOf(OWN, new MemoryDisk());
    const bytes = snapshotOf(configuration);
    const snapshot = identityOf(zxid(1, 60), [bytes]);
    log.ask(storeChunk("leader", { zxid: snapshot.zxid, chunks: [bytes], index: 0 }));
    const [report] = log.ask({ kind: "installSnapshot", snapshot });
    if (configuration === OWN) t.like(report, { kind: "installed", timeMs: 7 });
    else t.regex(report?.kind === "installRefused" ? report.reason : "", /of the ensemble/);
  }
});
