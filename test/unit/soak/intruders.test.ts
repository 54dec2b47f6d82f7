/** Processes that must not be: each way in which one is not refused, takes part, or dies otherwise than it should is found. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { changedFiles, digestFolder } from "../../soak/folder-digest.ts";
import { Intruders } from "../../soak/intruders.ts";
import { ServerProcess } from "../../soak/server-process.ts";
import { type Rule, Violations } from "../../soak/violations.ts";

const LINE = "2026-01-01T00:00:00.000Z warn  node=2 ";
const REFUSED = `${LINE}log-sync joinRefused leader=1 reason="…"\n`;
const OLD = "zooid serve: node 2 stopped: the data folder is older than what the others remember";
const WENT = { end: 1, output: `${OLD} of it: it is a copy.\n` };
const GOES_ON = { end: undefined, output: `${LINE}log-sync following leader=1 epoch=3\n` };

/** What is found by this. */
function found(act: (intruders: Intruders) => void): readonly Rule[] {
  const violations = new Violations();
  act(new Intruders(violations));
  return [...violations.counts.keys()];
}

test("a wrong start that does not end, ends otherwise, or without its word is found", (t) => {
  const word = /contradicts this start/;
  const output = "zooid serve: the data folder contradicts this start (zooid.json): …\n";
  const judged = (of: { end: number | string | undefined; output: string }): readonly Rule[] =>
    found((intruders) => intruders.refused("a start", word, of));
  t.deepEqual(judged({ end: 1, output }), []);
  t.deepEqual(judged({ end: undefined, output }), ["wrong-start"]);
  t.deepEqual(judged({ end: 0, output }), ["wrong-start"]);
  t.deepEqual(judged({ end: "SIGABRT", output }), ["wrong-start"]);
  t.deepEqual(judged({ end: 1, output: "Error: out of memory\n" }), ["wrong-start"]);
});

test("a wrong start that changes, makes or removes a file is found, and the lock is no such file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-digest-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const name of ["log.1", "promise", "lock"]) await writeFile(join(folder, name), "before");
  const before = digestFolder(folder);
  await writeFile(join(folder, "lock"), "another process");
  t.deepEqual(changedFiles(before, digestFolder(folder)), []);
  await writeFile(join(folder, "log.1"), "after");
  await writeFile(join(folder, "log.2"), "");
  await rm(join(folder, "promise"));
  const changed = changedFiles(before, digestFolder(folder));
  t.deepEqual(changed, ["log.1", "log.2", "promise"]);
  t.deepEqual(
    found((intruders) => intruders.unchanged("a start", changed)),
    ["wrong-start"],
  );
  t.deepEqual(
    found((intruders) => intruders.unchanged("a start", [])),
    [],
  );
});

test("a process beside the ensemble that votes, leads, follows or serves is found", (t) => {
  const judged = (of: { output?: string; modes?: string[]; acknowledged?: string[] }) =>
    found((intruders) => {
      intruders.keptOut("a twin", { output: REFUSED, modes: [], acknowledged: [], ...of });
    });
  t.deepEqual(judged({}), []);
  t.deepEqual(judged({ modes: ["follower"] }), ["intruder"]);
  t.deepEqual(judged({ acknowledged: ["/written"] }), ["intruder"]);
  for (const word of [
    "votesAgain reason=new",
    "establishing epoch=3",
    "following leader=1 epoch=3",
  ]) {
    t.deepEqual(judged({ output: `${REFUSED}${LINE}log-sync ${word}\n` }), ["intruder"], word);
  }
});

test("a process beside the ensemble that is not told that it has no place is found", (t) => {
  const judged = (output: string): readonly Rule[] =>
    found((intruders) => {
      intruders.keptOut("a twin", { output, modes: [], acknowledged: [] });
    });
  t.deepEqual(judged(`${LINE}gate refusedByPeer by=2 reason=twin text="another process"\n`), []);
  t.deepEqual(judged(`${LINE}log logRecovered records=0\n`), ["wrong-start"]);
});

test("two processes of one folder that both go on, or both end, are found", (t) => {
  const judged = (original: typeof WENT | typeof GOES_ON, copy: typeof WENT | typeof GOES_ON) =>
    found((intruders) => intruders.twoOfOne("node 2 and a copy", { original, copy }));
  t.deepEqual(judged(GOES_ON, WENT), []);
  t.deepEqual(judged(WENT, GOES_ON), []);
  t.deepEqual(judged(GOES_ON, GOES_ON), ["one-folder-twice"]);
  t.deepEqual(judged(WENT, WENT), ["one-folder-twice"]);
  t.deepEqual(judged(GOES_ON, { end: "SIGSEGV", output: WENT.output } as never), ["wrong-start"]);
});

test("an old copy that goes on, or votes before it ends, is found", (t) => {
  const judged = (of: { end: number | undefined; output: string }): readonly Rule[] =>
    found((intruders) => intruders.oldCopy("an old copy", of));
  t.deepEqual(judged(WENT), []);
  t.deepEqual(judged({ end: undefined, output: "" }), ["wrong-start"]);
  const voted = `${LINE}log-sync establishing epoch=9 after=0x1\n${WENT.output}`;
  t.deepEqual(judged({ ...WENT, output: voted }), ["intruder"]);
});

test("an end that is waited for is no death, and any other is", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-ends-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const deaths: string[] = [];
  const started = (text: string): ServerProcess =>
    new ServerProcess({
      command: process.execPath,
      args: ["-e", `console.log("${text}"); process.exit(3)`],
      cwd: folder,
      logFile: join(folder, "log"),
      onDeath: (how) => deaths.push(how),
    });
  const expected = started("one");
  expected.expectEnd(true);
  await expected.exited;
  t.deepEqual(deaths, []);
  t.is(expected.end, 3);
  const unexpected = started("two");
  await unexpected.exited;
  t.deepEqual(deaths, ["exit code 3"]);
  t.is(unexpected.output(), "two\n");
});
