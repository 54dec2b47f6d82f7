/** The bench as a user runs it, for a few seconds. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

const MAIN = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
const run = promisify(execFile);

test.serial(
  "a short run drives three nodes, and its table, JSON, page and baseline have each case",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-bench-test-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const [json, html, baseline] = ["a.json", "a.html", "base.json"].map((name) =>
      join(folder, name),
    );
    const times = ["--seconds=1", "--warmup-seconds=0", "--first-warmup-seconds=0"];
    const files = [`--json=${json}`, `--html=${html}`, `--baseline=${baseline}`, `--dir=${folder}`];
    const { stdout, stderr } = await run(process.execPath, [MAIN, "lone", ...times, ...files]);
    const results: unknown = JSON.parse(await readFile(json ?? "", "utf8"));
    t.like(results, { format: 1, environment: { targets: [{ name: "zooid" }] } });
    for (const name of ["set 1x1", "create 1x1", "get 1x1"]) {
      t.regex(stdout, new RegExp(`${name}  zooid +[\\d,]+ `));
      t.regex(stderr, new RegExp(`zooid lone ${name} round 1: [\\d,]+ operations/s`));
      t.true((await readFile(html ?? "", "utf8")).includes(name));
    }
    t.notRegex(stdout, /^!.*(?:error|lost|never)/m);
    t.is(await readFile(baseline ?? "", "utf8"), await readFile(json ?? "", "utf8"));
  },
);

test.serial("a wrong command line is told with all its problems and the exit code 2", async (t) => {
  const error = await t.throwsAsync(run(process.execPath, [MAIN, "dance", "--seconds=0"]));
  t.like(error, { code: 2 });
  const stdout = error !== undefined && "stdout" in error ? String(error.stdout) : "";
  t.regex(stdout, /dance: no such profile.*\n--seconds 0: must be/);
});
