/** Files that are replaced as a whole: with their secrets kept, and nothing left of an attempt that fails. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { replaceDurably } from "../../../runtime/disks/durable-file.ts";

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-durable-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a file is made for its owner alone, and is what its draft was made to be when it takes its place", (t) => {
  const path = join(folderOf(t), "own.key");
  replaceDurably(path, "first");
  t.is(readFileSync(path, "utf8"), "first");
  t.is(statSync(path).mode & 0o777, 0o600);
  replaceDurably(path, "second", (draft) => {
    t.is(readFileSync(path, "utf8"), "first");
    chmodSync(draft, 0o640);
  });
  t.is(readFileSync(path, "utf8"), "second");
  t.is(statSync(path).mode & 0o777, 0o640);
});

test("an attempt that fails leaves what was there, and no draft", (t) => {
  const folder = folderOf(t);
  const path = join(folder, "own.key");
  replaceDurably(path, "first");
  const fail = (): never => {
    throw new Error("no");
  };
  t.throws(() => replaceDurably(path, "second", fail), { message: "no" });
  mkdirSync(join(folder, "taken"));
  t.throws(() => replaceDurably(join(folder, "taken"), "second"));
  t.is(readFileSync(path, "utf8"), "first");
  t.deepEqual(readdirSync(folder).toSorted(), ["own.key", "taken"]);
});

test("what lies in the place of the draft is not written through", (t) => {
  const folder = folderOf(t);
  const path = join(folder, "own.key");
  writeFileSync(join(folder, "other"), "another's");
  symlinkSync(join(folder, "other"), `${path}.new`);
  replaceDurably(path, "first");
  t.is(readFileSync(join(folder, "other"), "utf8"), "another's");
  t.deepEqual(readdirSync(folder).toSorted(), ["other", "own.key"]);
});
