/** Runs test files by the test runner: prints each failure as it comes, and the progress, and all failures again at the end. */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { againText, failureText } from "./failures.ts";
import { ANNOUNCEMENTS, progressText, slowestText } from "./progress.ts";
import { TapReader, type Totals } from "./tap.ts";

export const ALL_FILES = "test/**/*.test.ts";

export type TestRun = {
  /** Patterns of files. Empty: all. */
  readonly files: readonly string[];
  /** Patterns of titles. Default: all. */
  readonly titles?: readonly string[];
  /** Variables of the environment beside those that there are. Default none. */
  readonly environment?: Readonly<Record<string, string>>;
};

const PROGRESS_EVERY_MS = 30_000;
/** How many test files there are in the run. */
function countFiles(patterns: readonly string[]): number {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!"));
  const exclude = patterns
    .filter((pattern) => pattern.startsWith("!"))
    .map((each) => each.slice(1));
  return globSync(wanted.length === 0 ? [ALL_FILES] : wanted, { cwd, exclude }).length;
}

export async function runTests({ files, titles = [], environment }: TestRun): Promise<Totals> {
  const ava = fileURLToPath(new URL("../../node_modules/.bin/ava", import.meta.url));
  const matches = titles.flatMap((title) => ["--match", title]);
  const folder = mkdtempSync(join(tmpdir(), "zooid-tests-"));
  const announcements = join(folder, "announcements");
  writeFileSync(announcements, "");
  const child = spawn(process.execPath, [ava, "--tap", ...matches, ...files], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      // The thread of each test file loads much the same sources: the first compiles them, the others take its work, a fifth of theirs.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
      ...process.env,
      ...environment,
      [ANNOUNCEMENTS]: announcements,
    },
  });
  // Whoever ends this ends the tests too: they would go on for minutes.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => child.kill(signal));
  const count = countFiles(files);
  const exited = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const startedMs = performance.now();
  const totals = { passed: 0, failed: 0 };
  const failures: string[] = [];
  const tap = new TapReader((event) => {
    totals[event.kind] += 1;
    if (event.kind !== "failed") return;
    const text = failureText(event.title, event.details);
    console.log(text);
    failures.push(text);
  });
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const so = `${totals.passed} passed, ${totals.failed} failed so far`;
    const far = progressText(readFileSync(announcements, "utf8"), count, Date.now());
    console.log(`  … ${seconds} s: ${so}; ${far}`);
  }, PROGRESS_EVERY_MS);
  let isWhole = false;
  for await (const line of createInterface({ input: child.stdout })) {
    // TAP's plan, which the runner writes when all is done.
    if (/^1\.\.\d+$/.test(line)) isWhole = true;
    tap.line(line);
  }
  tap.end();
  const how = await exited;
  clearInterval(progress);
  const slowest = slowestText(readFileSync(announcements, "utf8"));
  if (slowest !== "") console.log(`  slowest files: ${slowest}`);
  rmSync(folder, { recursive: true, maxRetries: 5 });
  if (failures.length > 0) console.log(againText(failures));
  if (!isWhole || (how !== "exit code 0" && totals.failed === 0)) {
    console.log(`✗ the test runner ended with ${how}${isWhole ? "" : " before all tests had run"}`);
    totals.failed += 1;
  }
  if (totals.passed + totals.failed === 0) {
    console.log("✗ no test ran");
    totals.failed += 1;
  }
  return totals;
}
