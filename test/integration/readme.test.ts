/** The README's session works as printed: kazoo plays it against an ensemble, and Python's doctest compares every line. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { ZooidEnsemble } from "../support/zooid.ts";

const README = new URL("../../README.md", import.meta.url);
/** Debian's own, which sees Debian's kazoo. */
const PYTHON = "/usr/bin/python3";

function session(): string {
  const text = readFileSync(README, "utf8");
  const block = /## A session\n[\s\S]*?```python\n([\s\S]*?)```/.exec(text)?.[1];
  if (block === undefined) throw new Error("the README has no session");
  return block;
}

function doctest(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(PYTHON, ["-m", "doctest", "-v", file], { timeout: 60_000 }, (_, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

test("the session of the README works line by line", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zooid-readme-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ensemble = await ZooidEnsemble.start();
  t.teardown(() => ensemble.stop());
  const shown = session();
  const played = ensemble.nodes.reduce(
    (text, { id, port }) => text.replaceAll(`127.0.0.1:${2180 + id}`, `127.0.0.1:${port}`),
    shown,
  );
  const file = join(folder, "session.txt");
  writeFileSync(file, played);
  const output = await doctest(file);
  const lines = shown.split("\n").filter((line) => line.startsWith(">>> ")).length;
  t.true(output.includes(`${lines} passed and 0 failed.`), output);
});
