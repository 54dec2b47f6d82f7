/** The shell's parts that need no ensemble: words of a line, zkCli's words, history, and what completion proposes. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { type Candidates, candidatesOf } from "../../../cli/console/completion/candidates.ts";
import { parse } from "../../../cli/console/parse.ts";
import { historyFileOf, keepLine, readHistory } from "../../../cli/console/shell/history.ts";
import { quoted, split } from "../../../cli/console/shell/split.ts";
import { MISSING_WORDS, translated, WORDS } from "../../../cli/console/shell/words.ts";
import { SPECS, specOf } from "../../../cli/console/specs.ts";

test("a line is split as a shell does it", (t) => {
  t.deepEqual(split(`set /a 'b "c' "d 'e\\"" f\\ g ''`).words, [
    ...["set", "/a", 'b "c', `d 'e"`, "f g", ""],
  ]);
  t.deepEqual(split("  ").words, []);
  t.deepEqual(split("ls /a ").last, { word: "", raw: "" });
  t.deepEqual(split('ls "/a b').last, { word: "/a b", raw: '"/a b' });
  t.is(split('ls "/a').open, '"');
  t.is(split("ls a\\").words.at(-1), "a\\");
});

test("a word that is quoted is split to itself", (t) => {
  for (const word of ["/a", "/a b", `/a'"\\b`, "/a\tb", "/$(x)"]) {
    t.deepEqual(split(`ls ${quoted(word, undefined)}`).words, ["ls", word]);
    t.deepEqual(split(`ls ${quoted(word, '"')}"`).words, ["ls", word]);
  }
});

test("zkCli's words become commands that there are, with arguments that they take", (t) => {
  const lines: Readonly<Record<string, string>> = {
    ls2: "ls2 /a",
    rmr: "rmr /a",
    getAcl: "getAcl -s /a",
    setAcl: "setAcl -R -s /a world:anyone:r",
    listquota: "listquota /a",
    setquota: "setquota -n 5 /a",
    delquota: "delquota -n -B /a",
    addWatch: "addWatch -m PERSISTENT /a",
    getAllChildrenNumber: "getAllChildrenNumber /a",
    config: "config -s",
  };
  t.deepEqual(Object.keys(lines).sort(), WORDS.map(({ name }) => name).sort());
  for (const line of Object.values(lines)) {
    const asked = translated(line.split(" "));
    const [name = "", ...args] = asked.kind === "command" ? asked.words : [];
    const spec = specOf(name);
    t.is(spec === undefined ? undefined : parse(spec, args).kind, "run", line);
  }
  t.deepEqual(translated(["delquota", "-n", "/a"]), {
    kind: "command",
    words: ["quota", "-n", "none", "/a"],
  });
  for (const word of Object.keys(MISSING_WORDS)) t.is(translated([word]).kind, "missing");
  t.is(translated(["get", "-w", "/a"]).kind, "missing");
  t.is(translated(["toString"]).kind, "command");
});

test("zkCli's words and what is missing are in the page for those who come from it", (t) => {
  const page = new URL("../../../docs/operations/coming-from-zkcli.md", import.meta.url);
  const text = readFileSync(page, "utf8");
  for (const word of [...WORDS.map(({ name }) => name), ...Object.keys(MISSING_WORDS)]) {
    t.regex(text, new RegExp(`\`(?:[^\`]*[ ,])?${word}\\b`), word);
  }
});

test("the history is the user's alone, keeps no passwords and stays short", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zooid-history-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "history");
  for (const line of [
    "ls /",
    "addauth digest bob:pw",
    "",
    "get /a --auth b:c",
    "connect nats://u:p@h:1",
    "get /a",
  ]) {
    keepLine(file, line);
  }
  t.deepEqual(readHistory(file), ["get /a", "ls /"]);
  t.is(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, Array.from({ length: 2_500 }, (_, index) => `get /${index}\n`).join(""));
  t.is(readHistory(file).length, 1000);
  t.is(readFileSync(file, "utf8").split("\n").length, 1001);
  keepLine(join(folder, "no/such/folder"), "ls");
  t.is(historyFileOf({ ZOOID_HISTORY: "" }), undefined);
  t.is(historyFileOf({ HOME: "/home/me" }), "/home/me/.zooid_history");
});

const TREE: Readonly<Record<string, readonly string[]>> = {
  "/": ["jobs", "a b", "zookeeper"],
  "/jobs": ["2", "1"],
};

function proposed(...words: readonly string[]): Promise<Candidates> {
  return candidatesOf(words, {
    names: SPECS,
    commandOf: (name) => Promise.resolve(specOf(name)),
    withConnection: true,
    children: (path) => Promise.resolve(TREE[path] ?? []),
  });
}

async function valuesFor(...words: readonly string[]): Promise<readonly string[]> {
  return (await proposed(...words)).values.map(({ value }) => value);
}

test("commands, flags, paths and files are proposed where they may stand", async (t) => {
  t.deepEqual(await valuesFor("del"), ["delete", "deleteall"]);
  t.deepEqual(await valuesFor("ls", "/j"), ["/jobs"]);
  t.deepEqual(await valuesFor("ls", "/jobs"), ["/jobs/1", "/jobs/2"]);
  t.deepEqual(await valuesFor("ls", "/jobs/"), ["/jobs/1", "/jobs/2"]);
  t.deepEqual(await valuesFor("ls", ""), ["/"]);
  t.deepEqual(await valuesFor("ls", "--depth", "2", "/a"), ["/a b"]);
  t.deepEqual(await valuesFor("ls", "--dep"), ["--depth"]);
  t.deepEqual(await valuesFor("ls", "--depth", "2", "--dep"), []);
  t.deepEqual(await valuesFor("get", "--auth", "a:b", "--au"), ["--auth"]);
  t.true((await proposed("get", "--tls-ca", "")).files);
  t.true((await proposed("set", "/a", "--file", "x")).files);
  t.true((await proposed("ls", "/")).open);
  t.deepEqual(await valuesFor("set", "/jobs", "/j"), []);
  t.deepEqual(await valuesFor("delete", "--", "/j"), ["/jobs"]);
  t.deepEqual(await valuesFor("get", "/a b", "/j"), []);
  t.deepEqual(await valuesFor("nothing", "/j"), []);
});
