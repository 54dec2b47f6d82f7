/** A log in a folder of its own: the two folders belong together, and no other takes the place of one. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import { encodeOwner } from "../../../actors/log/format/files.ts";
import { ReadOnlyFolder } from "../../../server/offline/read-only-folder.ts";
import type { Identity } from "../../../protocol/identity.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { logFolderOf, openDataFolders } from "../../../server/log-folder.ts";
import { lockHolder } from "../../../runtime/disks/folder-lock.ts";
import type { Disk } from "../../../runtime/disk.ts";

const SEGMENT = "log.0000000100000001";

type Place = { readonly dataDir: string; readonly dataLogDir: string; readonly root: string };

function place(t: ExecutionContext): Place {
  const root = mkdtempSync(join(tmpdir(), "zooid-log-folder-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return { root, dataDir: join(root, "data"), dataLogDir: join(root, "log") };
}

function write(disk: Disk, file: string, text: string): void {
  disk.perform({ kind: "write", file, position: 0, buffers: [Buffer.from(text)] });
  disk.perform({ kind: "sync", file });
}

function textOf(disk: Pick<Disk, "perform">, file: string): string {
  const result = disk.perform({ kind: "read", file, position: 0, length: 100 });
  return result.kind === "bytes" ? Buffer.from(result.bytes).toString() : "";
}

/** Both folders with something in them. */
function used({ dataDir, dataLogDir }: Place): void {
  const disk = openDataFolders({ dataDir, dataLogDir });
  for (const file of ["zooid.json", SEGMENT, "snapshot.0000000100000001"]) write(disk, file, file);
  disk.perform({ kind: "syncFolder" });
  disk.close();
}

function isRefused(t: ExecutionContext, { dataDir, dataLogDir }: Place, why: RegExp): void {
  const all = (): unknown => [dataDir, dataLogDir].map((folder) => readdirSync(folder).toSorted());
  mkdirSync(dataLogDir, { recursive: true });
  const before = all();
  t.throws(() => openDataFolders({ dataDir, dataLogDir }), { message: why });
  t.deepEqual(all(), before, "nothing is changed, and no lock is left");
}

test("another node's folder is refused before its log is moved", (t) => {
  const at = place(t);
  const owner = { ensemble: "one", server: 1 as ServerId, members: [1 as ServerId] };
  const file = encodeOwner(
    owner,
    { ...owner, identity: "0".repeat(32) as Identity, configuration: undefined },
    crc32,
  );
  const disk = openDataFolders({ dataDir: at.dataDir, dataLogDir: undefined });
  write(disk, SEGMENT, SEGMENT);
  disk.perform({ kind: "write", file: "zooid.json", position: 0, buffers: [file] });
  disk.close();
  const before = readdirSync(at.dataDir).toSorted();
  t.throws(() => openDataFolders(at, { ...owner, ensemble: "two" }), {
    message: /contradicts this start.*ensemble "one" in the folder, "two" in this start/,
  });
  t.deepEqual(readdirSync(at.dataDir).toSorted(), before);
  t.deepEqual(readdirSync(at.dataLogDir), []);
  openDataFolders(at, owner).close();
  t.true(readdirSync(at.dataLogDir).includes(SEGMENT));
});

test("segments lie in the one folder and all else in the other, and to the log they are one", (t) => {
  const at = place(t);
  used(at);
  t.deepEqual(readdirSync(at.dataLogDir).toSorted(), ["data-folder", SEGMENT]);
  t.deepEqual(readdirSync(at.dataDir).toSorted(), [
    "log-folder",
    "snapshot.0000000100000001",
    "zooid.json",
  ]);
  t.is(logFolderOf(at.dataDir), at.dataLogDir);
  const inspected = new ReadOnlyFolder(at.dataDir);
  const found = inspected.perform({ kind: "list" });
  t.true(found.kind === "files" && found.files.some(({ name }) => name === SEGMENT));
  t.is(textOf(inspected, SEGMENT), SEGMENT);
  inspected.close();
  const disk = openDataFolders(at);
  t.is(lockHolder(at.dataLogDir)?.pid, process.pid);
  t.throws(() => openDataFolders({ ...at, dataDir: join(at.root, "other") }), {
    message: /in use/,
  });
  const listed = disk.perform({ kind: "list" });
  t.deepEqual(
    listed.kind === "files" ? listed.files.map(({ name }) => name).toSorted() : [],
    ["data-folder", "log-folder", SEGMENT, "snapshot.0000000100000001", "zooid.json"].toSorted(),
  );
  disk.perform({ kind: "rename", file: SEGMENT, to: `damaged.${SEGMENT}` });
  disk.perform({ kind: "rename", file: `damaged.${SEGMENT}`, to: "spare.0000000100000001" });
  disk.perform({ kind: "truncate", file: "spare.0000000100000001", length: 3 });
  t.is(textOf(disk, "spare.0000000100000001"), "log");
  disk.perform({ kind: "remove", file: "spare.0000000100000001" });
  t.throws(() => disk.perform({ kind: "rename", file: "promise", to: SEGMENT }), {
    message: /not of one folder/,
  });
  disk.close();
  t.deepEqual(readdirSync(at.dataLogDir), ["data-folder"]);
});

test("a log folder that is not the data folder's own is refused: an empty one, another's, a data folder", (t) => {
  const [one, two] = [place(t), place(t)];
  used(one);
  used(two);
  isRefused(t, { ...one, dataLogDir: join(one.root, "empty") }, /does not hold the log/);
  isRefused(t, { ...one, dataLogDir: two.dataLogDir }, /does not hold the log .* was last in/);
  const fresh = { ...one, dataDir: join(one.root, "fresh") };
  mkdirSync(fresh.dataDir);
  isRefused(t, fresh, /holds log\.0000000100000001 of another node/);
  isRefused(t, { ...fresh, dataLogDir: two.dataDir }, /holds zooid\.json of another node/);
  isRefused(t, { ...one, dataDir: one.dataLogDir, dataLogDir: one.dataDir }, /is no data folder/);
  writeFileSync(join(one.dataDir, "log-folder"), "garbage");
  isRefused(t, one, /does not hold the log/);
});

test("one of the two may lie in the other, where it is nothing to wonder at", (t) => {
  const { root } = place(t);
  const pairs = [
    [join(root, "data"), join(root, "data", "of", "log")],
    [join(root, "log", "data"), join(root, "log")],
  ] as const;
  for (const [dataDir, dataLogDir] of pairs) {
    const disk = openDataFolders({ dataDir, dataLogDir });
    const listed = disk.perform({ kind: "list" });
    t.deepEqual(listed.kind === "files" ? listed.others : undefined, []);
    disk.close();
  }
});

test("a start without its log folder is refused, and so is one on the folder of a log", (t) => {
  const at = place(t);
  used(at);
  const alone = { dataDir: at.dataDir, dataLogDir: undefined };
  t.throws(() => openDataFolders(alone), { message: /lies in .*give dataLogDir=/ });
  t.throws(() => openDataFolders({ ...alone, dataDir: at.dataLogDir }), {
    message: /is no data folder/,
  });
  openDataFolders(at).close();
});

test("folders that were moved together are found where they are", (t) => {
  const at = place(t);
  used(at);
  const moved = { ...at, dataDir: join(at.root, "data-2"), dataLogDir: join(at.root, "log-2") };
  cpSync(at.dataDir, moved.dataDir, { recursive: true });
  cpSync(at.dataLogDir, moved.dataLogDir, { recursive: true });
  openDataFolders(moved).close();
  t.is(logFolderOf(moved.dataDir), moved.dataLogDir);
});

test("a log that lies in the data folder is moved, also when a crash has left it in both", (t) => {
  const at = place(t);
  const before = openDataFolders({ dataDir: at.dataDir, dataLogDir: undefined });
  const names = [SEGMENT, "log.0000000100000002", `damaged.${SEGMENT}`, "spare", "promise"];
  for (const name of names) write(before, name, `${name} before`);
  before.close();
  openDataFolders(at).close();
  t.deepEqual(readdirSync(at.dataDir).toSorted(), ["log-folder", "promise"]);
  t.deepEqual(
    readdirSync(at.dataLogDir).toSorted(),
    ["data-folder", `damaged.${SEGMENT}`, SEGMENT, "log.0000000100000002"].toSorted(),
  );
  // The first segment was renamed and not yet removed, the second was half copied.
  cpSync(join(at.dataLogDir, SEGMENT), join(at.dataDir, SEGMENT));
  cpSync(join(at.dataLogDir, "log.0000000100000002"), join(at.dataDir, "log.0000000100000002"));
  rmSync(join(at.dataLogDir, "log.0000000100000002"));
  writeFileSync(join(at.dataLogDir, "moved.new"), "log.00");
  const disk = openDataFolders(at);
  for (const name of names.slice(0, 3)) t.is(textOf(disk, name), `${name} before`);
  disk.close();
  t.deepEqual(readdirSync(at.dataDir).toSorted(), ["log-folder", "promise"]);
  t.false(readdirSync(at.dataLogDir).includes("moved.new"));
});

test("a crash at the first start, between the two files that name the folders, is no problem", (t) => {
  const at = place(t);
  openDataFolders(at).close();
  const first = readFileSync(join(at.dataLogDir, "data-folder"), "utf8");
  rmSync(join(at.dataDir, "log-folder"));
  openDataFolders(at).close();
  t.not(readFileSync(join(at.dataLogDir, "data-folder"), "utf8"), first);
  used(at);
});
