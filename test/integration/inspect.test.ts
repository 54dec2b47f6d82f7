/** `zooid inspect` on the folder of a real node: while it runs, after it was killed, and on damaged copies. */
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import { encodeLogEnd } from "../../actors/log/segments/log-end.ts";
import { encodePromise } from "../../actors/log/format/files.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { chunkHeader } from "../../protocol/snapshot.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import { parseNodeLine } from "../../cli/node-line.ts";
import { Child } from "../support/child.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, multi, setData } from "../support/zookeeper-client/operations.ts";
import { COMMAND_LINE, type Ran, runZooid } from "../support/zooid-command.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/data-folder-1/", import.meta.url));

const inspect = (...args: readonly string[]): Promise<Ran> => runZooid("inspect", ...args);

type Node = { readonly child: Child; readonly port: number };

async function startNode(folder: string, ...flags: readonly string[]): Promise<Node> {
  const args = [
    ...[COMMAND_LINE, "serve", "--data-dir", folder],
    ...["--client-port", "0", "--client-port-address", "127.0.0.1", ...flags],
  ];
  const child = new Child({ command: process.execPath, args });
  const line = parseNodeLine(await child.line(/^node 1 {2}pid/));
  if (line === undefined) throw new Error("no line of the node");
  await child.line(/log-sync leading /);
  return { child, port: line.port };
}

async function kill({ child }: Node): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

async function write(port: number, path: string, count: number, bytes: number): Promise<void> {
  const client = await ZkClient.connect({ port, timeoutMs: 30_000 });
  await client.request(create(path, "first"));
  await client.request(multi(create(`${path}/a`, "one"), setData(path, "second")));
  const data = Buffer.alloc(bytes, "x");
  for (let number = 0; number < count; number += 1) {
    const reply = await client.request(setData(path, data));
    if (reply.code !== 0) throw new Error(`write ${number} failed with ${reply.code}`);
  }
  await client.close();
}

/** Two incarnations: the first cuts two snapshots, the second fills the first segment and begins another; both end by kill -9. */
async function makeFolder(folder: string): Promise<void> {
  const first = await startNode(folder, "--snapshot-every-bytes", "65536");
  for (const path of ["/a", "/b"]) {
    const seen = first.child.lines.length;
    const stored = first.child.line(/snapshotStored/, seen);
    await write(first.port, path, 120, 1000);
    await stored;
  }
  await kill(first);
  const second = await startNode(folder);
  await write(second.port, "/c", 36, 500_000);
  await kill(second);
}

let whole = "";

test.before(async () => {
  whole = mkdtempSync(join(tmpdir(), "zooid-inspect-"));
  await makeFolder(whole);
});

test.after.always(() => rmSync(whole, { recursive: true, force: true }));

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-inspect-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function copy(t: ExecutionContext, from = whole): string {
  const folder = temporary(t);
  cpSync(from, folder, { recursive: true });
  return folder;
}

/** Name, content and time of the last change of every file. */
function stateOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
      const { mtimeMs, ino } = statSync(path);
      return `${name} ${hash} ${mtimeMs} ${ino}`;
    });
}

function namesOf(folder: string, prefix: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort();
}

function nameOf(folder: string, prefix: string, position: number): string {
  const name = namesOf(folder, prefix).at(position);
  if (name === undefined) throw new Error(`no ${prefix} number ${position}`);
  return name;
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x20;
  writeFileSync(path, bytes);
}

type Line = Readonly<Record<string, string | number | undefined>>;

function linesOf({ stdout }: Ran, kind: string): readonly Line[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line["kind"] === kind);
}

/** What the inspection of a folder calls wrong. It must say so in its text and its exit code too, and change nothing. */
async function problemsOf(t: ExecutionContext, folder: string): Promise<readonly Line[]> {
  const before = stateOf(folder);
  const [text, json] = await Promise.all([inspect(folder), inspect(folder, "--json")]);
  t.deepEqual(stateOf(folder), before);
  const problems = linesOf(json, "problem");
  t.is(json.code, problems.length === 0 ? 0 : 1);
  t.is(text.code, json.code);
  const last = text.stdout.trimEnd().split("\n");
  if (problems.length === 0) t.is(last.at(-1), "ok");
  for (const problem of problems) {
    const line = last.find((each) => each.endsWith(String(problem["what"]))) ?? "";
    t.true(line.startsWith(String(problem["file"])), line);
    if (problem["offset"] !== undefined)
      t.true(line.includes(` offset ${Number(problem["offset"])} `));
    if (problem["zxid"] !== undefined) t.true(line.includes(` zxid ${String(problem["zxid"])}:`));
  }
  return problems;
}

test.serial(
  "the folder of a node that was killed is ok, and every file of it is named",
  async (t) => {
    t.deepEqual(await problemsOf(t, whole), []);
    const { stdout } = await inspect(whole);
    for (const name of readdirSync(whole)) {
      if (!["zooid.json", "promise", "incarnation", "lock"].includes(name)) {
        t.true(stdout.includes(name), name);
      }
    }
    t.regex(stdout, /^node +1 of ensemble zooid, format version 3$/m);
    t.regex(stdout, /^started +incarnation 2$/m);
    t.regex(stdout, /^promise +epoch 2, to node 1$/m);
    t.regex(stdout, /^in use +no/m);
    t.is(namesOf(whole, "log.").length, 2);
    t.is(stdout.match(/^ {2}snapshot\.\S+.* valid$/gm)?.length, 2);
  },
);

test.serial("what is counted is what was written", async (t) => {
  const result = await inspect(whole, "--json", "--operations");
  t.is(result.code, 0);
  const operations = linesOf(result, "operation");
  const segments = linesOf(result, "segment");
  const sum = (field: string): number =>
    segments.reduce((total, segment) => total + Number(segment[field]), 0);
  t.is(sum("operations"), operations.length);
  t.is(sum("records"), linesOf(result, "record").length);
  const named = (name: string): readonly Line[] =>
    operations.filter(({ operation }) => operation === name);
  t.is(named("setData").length, 120 + 120 + 36);
  t.is(named("create").length, 3);
  t.is(named("multi").length, 3);
  t.is(named("createSession").length, 3);
  t.false(result.stdout.includes("password"));
  const [snapshot] = linesOf(result, "snapshot").slice(-1);
  t.true(Number(snapshot?.["znodes"]) >= 4);
});

test.serial("--from and --limit choose records, and operations stand below them", async (t) => {
  const listed = await inspect(whole, "--json", "--records");
  const third = linesOf(listed, "record")[2];
  const from = String(third?.["firstZxid"]);
  const { stdout, code } = await inspect(whole, "--operations", "--from", from, "--limit", "1");
  t.is(code, 0);
  const lines = stdout.split("\n");
  const at = lines.findIndex((line) => line.startsWith(from));
  t.regex(lines[at] ?? "", /^0x\S+ \d{4}-\S+Z node=1 lane=1 incarnation=\d+ seq=\d+ bytes=\d+ /);
  t.regex(lines[at + 1] ?? "", /^ {2}0x[0-9a-f]+ \w+/);
  t.is(lines.filter((line) => line.startsWith("0x")).length, 1);
});

test.serial(
  "a running node's folder is ok at any moment, it is said that it runs, and it goes on undisturbed",
  async (t) => {
    const folder = copy(t);
    const node = await startNode(folder, "--snapshot-every-bytes", "65536");
    t.teardown(() => node.child.stop());
    const writing = Promise.all([
      write(node.port, "/d", 600, 3000),
      write(node.port, "/e", 600, 3000),
    ]);
    const lock = readFileSync(join(folder, "lock"), "utf8");
    let done = false;
    void writing.finally(() => (done = true)).catch(() => undefined);
    do {
      const { stdout, stderr, code } = await inspect(folder);
      t.is(code, 0, stdout + stderr);
      t.true(stdout.includes(`by process ${node.child.pid}, which goes on writing`));
      t.is(stdout.trimEnd().split("\n").at(-1), "ok");
    } while (!done);
    await writing;
    t.is(readFileSync(join(folder, "lock"), "utf8"), lock);
    t.false(node.child.ended);
  },
);

test.serial(
  "a bit flipped in the middle of a segment is named with file, offset and zxid",
  async (t) => {
    const folder = copy(t);
    const file = nameOf(folder, "log.", 0);
    const records = linesOf(await inspect(folder, "--json", "--records"), "record");
    const [before, hit] = records.slice(9, 11);
    flip(join(folder, file), Number(hit?.["offset"]) + 70);
    const problems = await problemsOf(t, folder);
    t.is(problems.length, 1);
    t.like(problems[0], { finding: "recordDamaged", file, zxid: before?.["lastZxid"] });
    t.true(Number(problems[0]?.["offset"]) <= Number(hit?.["offset"]));
    t.true(String(problems[0]?.["what"]).includes("the checksum is wrong"));
  },
);

test.serial("a running node does not hide damage", async (t) => {
  const folder = copy(t);
  const node = await startNode(folder);
  t.teardown(() => node.child.stop());
  const file = nameOf(folder, "log.", 0);
  flip(join(folder, file), 10_000);
  const { stdout, code } = await inspect(folder);
  t.is(code, 1);
  t.true(stdout.includes(`${file} offset `));
});

test.serial(
  "a torn tail is named with its place, and is what a crash leaves, so the folder is ok",
  async (t) => {
    const folder = copy(t);
    const file = nameOf(folder, "log.", -1);
    const [before, last] = linesOf(await inspect(folder, "--json", "--records"), "record").slice(
      -2,
    );
    // As a power failure before the file told of the last record.
    const told = encodeLogEnd(Number(before?.["lastZxid"]) as Zxid, (bytes) => crc32(bytes));
    writeFileSync(join(folder, "log-end"), told);
    truncateSync(join(folder, file), Number(last?.["offset"]) + Number(last?.["bytes"]) - 10);
    const result = await inspect(folder, "--json");
    t.is(result.code, 0);
    t.deepEqual(linesOf(result, "problem"), []);
    const [notice] = linesOf(result, "notice");
    t.like(notice, { finding: "tornWrite", file });
    t.regex(
      (await inspect(folder)).stdout,
      new RegExp(`^note: ${file} offset \\d+ zxid 0x[0-9a-f]+: `, "m"),
    );
  },
);

test.serial("a missing segment is named by where the log goes on", async (t) => {
  const folder = copy(t);
  rmSync(join(folder, nameOf(folder, "log.", 0)));
  const file = nameOf(folder, "snapshot.", -1);
  const problems = await problemsOf(t, folder);
  t.deepEqual(
    problems.map(({ finding }) => finding),
    ["logWithoutBeginning"],
  );
  const json = await inspect(folder, "--json");
  // Older than the rest of the log, so no snapshot takes the place of what is missing.
  t.true(linesOf(json, "notice").some((notice) => notice["file"] === file));
  const record = linesOf(await inspect(whole, "--json"), "segment")[0];
  t.is(problems[0]?.["zxid"], record?.["lastZxid"]);
});

test.serial("a damaged chunk of a snapshot is named with chunk and offset", async (t) => {
  const folder = copy(t);
  const file = nameOf(folder, "snapshot.", -1);
  const { zxid, length } = chunkHeader(readFileSync(join(folder, file)));
  flip(join(folder, file), length - 5);
  const problems = await problemsOf(t, folder);
  t.is(problems.length, 1);
  t.like(problems[0], {
    finding: "snapshotDamaged",
    file,
    chunk: 0,
    offset: 0,
    zxid: `0x${zxid.toString(16)}`,
  });
});

test.serial(
  "a promise below the log's epoch, a damaged one and a missing one are named",
  async (t) => {
    const folder = copy(t);
    const promise = { epoch: 1 as Epoch, candidate: 1 as ServerId };
    writeFileSync(join(folder, "promise"), encodePromise(promise, crc32));
    t.like((await problemsOf(t, folder))[0], { finding: "promiseTooLow", file: "promise" });
    flip(join(folder, "promise"), 12);
    t.like((await problemsOf(t, folder))[0], { finding: "fileDamaged", file: "promise" });
    rmSync(join(folder, "promise"));
    t.like((await problemsOf(t, folder))[0], { finding: "fileMissing", file: "promise" });
  },
);

test.serial(
  "the data folder of format version 1 is ok, and inspecting leaves it as it is",
  async (t) => {
    t.deepEqual(await problemsOf(t, FIXTURE), []);
  },
);

test.serial("a missing, empty or foreign folder is an error that says what it is", async (t) => {
  const folder = temporary(t);
  const missing = await inspect(join(folder, "nowhere"));
  t.is(missing.code, 2);
  t.regex(missing.stderr, /there is no folder .*nowhere/);
  const empty = await inspect(folder);
  t.is(empty.code, 2);
  t.regex(empty.stderr, /is empty/);
  cpSync(FIXTURE, join(folder, "1"), { recursive: true });
  const above = await inspect(folder);
  t.is(above.code, 2);
  t.true(above.stderr.includes(`name one of them: ${join(folder, "1")}`));
  const foreign = temporary(t);
  mkdirSync(join(foreign, "version-2"));
  writeFileSync(join(foreign, "myid"), "1\n");
  const other = await inspect(foreign);
  t.is(other.code, 2);
  t.regex(other.stderr, /no data folder of zooid: it holds version-2.*To migrate/);
  for (const result of [missing, empty, above, other]) t.is(result.stdout, "");
});

test.serial("wrong arguments are reported together and exit with 2", async (t) => {
  const none = await inspect();
  t.is(none.code, 2);
  t.regex(none.stderr, /<data-dir> is missing/);
  const wrong = await inspect(FIXTURE, "--from", "x", "--limit", "0", "--records");
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /--from x is no zxid/);
  t.regex(wrong.stderr, /--limit 0 is no number/);
  const alone = await inspect(FIXTURE, "--limit", "3");
  t.regex(alone.stderr, /go with --records/);
  const help = await inspect("--help");
  t.is(help.code, 0);
  t.true(help.stdout.includes("usage: zooid inspect <data-dir> [flags]"));
});
