/** Making a data folder: what is there stays, and what cannot be is said in a message for people. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { makeDataFolder } from "../../../server/data-folder.ts";

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-folder-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder is made with those above it, and one that is there is left alone", (t) => {
  const folder = temporaryFolder(t);
  const inner = join(folder, "a", "b");
  makeDataFolder(inner);
  writeFileSync(join(inner, "file"), "");
  makeDataFolder(inner);
  t.deepEqual(readdirSync(inner), ["file"]);
});

test("a file where the folder should be is named", (t) => {
  const file = join(temporaryFolder(t), "file");
  writeFileSync(file, "");
  const rule = /the data folder .*file.* cannot be made: .*file is there and is no folder/;
  t.throws(() => makeDataFolder(file), { message: rule });
  t.throws(() => makeDataFolder(join(file, "inner")), { message: rule });
});

test("a place where nothing can be made is an error, not an endless attempt", (t) => {
  t.throws(() => makeDataFolder("/proc/nope/data"), { message: /cannot be made/ });
});

test("a new data folder is its owner's only, and one that is there stays as it is", (t) => {
  const folder = temporaryFolder(t);
  const made = join(folder, "a", "b");
  makeDataFolder(made);
  t.is(statSync(made).mode & 0o777, 0o700);
  const open = join(folder, "open");
  mkdirSync(open, { mode: 0o755 });
  makeDataFolder(open);
  t.is(statSync(open).mode & 0o777, 0o755);
});
