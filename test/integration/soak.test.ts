/**
 * The soak command itself: a short run finds nothing in the nodes as they are and something in nodes with a mistake, and one
 * that is cut short leaves nothing behind.
 */
import { readdir } from "node:fs/promises";
import test from "ava";
import { SOAK, runNode, runSoak } from "../support/soak-command.ts";

test.serial("an ensemble under faults of many kinds violates nothing", async (t) => {
  const faults =
    "kill,pause,restart,nats-kill,cut-link,cut-silent,cut-reset,disk-full,wrong-start,twin";
  const args = ["--seconds", "8", "--seed", "21", "--pace", "0.25", "--faults", faults];
  const { child, folder } = await runSoak(t, ...args);
  await child.exited;
  t.is(child.process.exitCode, 0, child.output());
  t.true(child.lines.includes("no violations"), child.output());
  for (const name of ["writes acknowledged", "reads", "answers held against history"]) {
    const count = new RegExp(`^ +${name} +(\\d+)$`, "m").exec(child.output())?.[1];
    t.true(Number(count) > 100, child.output());
  }
  t.regex(child.output(), /^ +wrong starts refused +[1-9]/m);
  t.deepEqual(await readdir(folder), []);
});

test.serial("a soak that is interrupted takes away all that it started", async (t) => {
  const { child, folder } = await runSoak(t, "--minutes", "5", "--seed", "1", "--clients", "2");
  await child.line(/^all nodes serve/);
  child.kill("SIGINT");
  await child.exited;
  t.is(child.process.exitCode, 130, child.output());
  t.deepEqual(await readdir(folder), []);
});

/** In what is written; and in what is read, by which watches are set at the wrong version. */
const MUTANTS = ["multi-not-rolled-back", "read-before-own-write"];

for (const mutant of MUTANTS) {
  test.serial(`nodes with the mistake ${mutant} do not pass`, async (t) => {
    const args = ["--seconds", "3", "--seed", "5", "--faults", "kill", "--mutant", mutant];
    const { child, folder } = await runSoak(t, ...args);
    await child.exited;
    t.is(child.process.exitCode, 1, child.output());
    t.regex(child.output(), /^VIOLATIONS: .*\d+ history/m);
    t.deepEqual(await readdir(folder), []);
  });
}

/** A module that fails, where nobody waits for it, as soon as the nodes serve. */
const FAILING = `data:text/javascript,${encodeURIComponent(`
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = (text, ...rest) => {
    if (String(text).startsWith("all nodes serve")) setImmediate(() => { throw new Error("planted"); });
    return write(text, ...rest);
  };
`)}`;

test.serial("a soak that fails itself says so and takes away all that it started", async (t) => {
  const { child, folder } = await runNode(t, ["--import", FAILING, SOAK, "--minutes", "5"]);
  await child.exited;
  t.is(child.process.exitCode, 1, child.output());
  t.regex(child.output(), /Error: planted/);
  t.deepEqual(await readdir(folder), []);
});
