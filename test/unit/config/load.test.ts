/** Flags, a zoo.cfg and myid together: who wins, and that all their problems come at once. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { KEYS } from "../../../server/config/keys.ts";
import { type Loaded, loadConfig } from "../../../server/config/load.ts";

type Machine = { readonly folder: string; readonly dataDir: string; readonly file: string };

/** A folder with a `zoo.cfg` of these lines, whose dataDir is `data` beside it. */
function machine(t: ExecutionContext, lines: readonly string[], myid?: string): Machine {
  const folder = mkdtempSync(join(tmpdir(), "zooid-config-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, "data");
  const file = join(folder, "zoo.cfg");
  mkdirSync(dataDir);
  writeFileSync(file, [`dataDir=${dataDir}`, ...lines].join("\n"));
  if (myid !== undefined) writeFileSync(join(dataDir, "myid"), myid);
  return { folder, dataDir, file };
}

function load(file: string | undefined, flags: Record<string, string> = {}): Loaded {
  return loadConfig({ transport: "nats", flags: new Map(Object.entries(flags)), file });
}

const THREE = ["server.1=a:1:2", "server.2=b:1:2", "server.3=c:1:2;2199", "zooid.nats=nats://a"];

test("a path with a NUL byte is refused with its field, and one that is too long breaks nothing", (t) => {
  const paths = KEYS.filter(({ field }) => /(File|Dir)$/.test(field));
  t.true(paths.length > 10);
  for (const { field, flag } of paths) {
    for (const value of ["a\0b", "\0"]) {
      const loaded = load(undefined, { [flag]: value });
      const named = loaded.kind === "invalid" ? loaded.problems.map((each) => each.field) : [];
      t.true(named.includes(field), field);
    }
    t.notThrows(() => load(undefined, { [flag]: "x".repeat(10_000) }), field);
  }
});

test("myid gives a member of a zoo.cfg its id", (t) => {
  const { file, dataDir } = machine(t, THREE, "2\n");
  const validation = load(file);
  t.like(validation, { kind: "valid", config: { id: 2, members: [1, 2, 3], dataDir } });
});

test("a flag wins over the file and over myid", (t) => {
  const { file } = machine(t, [...THREE, "clientPort=2000"], "2\n");
  const validation = load(file, { id: "3", "client-port": "3000" });
  t.like(validation, { kind: "valid", config: { id: 3, clientPort: 3000 } });
});

test("the client port of this node's own server line counts unless clientPort is set", (t) => {
  t.like(load(machine(t, THREE, "3").file), { config: { clientPort: 2199 } });
  t.like(load(machine(t, THREE, "2").file), { config: { clientPort: 2181 } });
  t.like(load(machine(t, [...THREE, "clientPort=2000"], "3").file), {
    config: { clientPort: 2000 },
  });
});

test("members without a myid file are refused with a hint that names it", (t) => {
  const validation = load(machine(t, THREE).file);
  t.is(validation.kind, "invalid");
  if (validation.kind === "valid") return;
  t.is(validation.problems[0]?.field, "id");
  t.regex(validation.problems[0]?.hint ?? "", /myid/);
});

test("a myid that is no number is refused with its file as the source", (t) => {
  const validation = load(machine(t, THREE, "two").file);
  t.is(validation.kind, "invalid");
  if (validation.kind === "valid") return;
  t.regex(validation.problems[0]?.source ?? "", /myid$/);
});

test("a zoo.cfg without server lines is a node alone, whatever myid says", (t) => {
  t.like(load(machine(t, [], "9").file), { kind: "valid", config: { id: 1, members: [1] } });
});

test("problems of the file and of flags are reported together", (t) => {
  const { file } = machine(t, ["server.1=a:1:2:observer", "tickTime=fast"]);
  const validation = load(file, { lanes: "17" });
  t.is(validation.kind, "invalid");
  if (validation.kind === "valid") return;
  t.deepEqual(
    validation.problems.map((problem) => problem.field),
    ["server.1", "tickTimeMs", "lanes"],
  );
});

test("warnings of the file come with a valid configuration, and apart from them the keys that nobody misses", (t) => {
  const { file } = machine(t, [
    "snapCount=3",
    "leaderServes=no",
    "4lw.commands.whitelist=ruok,what",
  ]);
  const loaded = load(file);
  t.is(loaded.kind, "valid");
  t.deepEqual(
    loaded.warnings.map((warning) => warning.replace(/:(?! \w+ has).*/, "")),
    [`${file}`, "four-letter words that there are not, and that have no effect"],
  );
  t.deepEqual(
    loaded.idleKeys.map(({ key, source }) => [key, source]),
    [["snapCount", `${file}:2`]],
  );
});

test("warnings come with an invalid configuration as well, for a mistyped key may be what is wrong", (t) => {
  const { file } = machine(t, ["server.1=a:1:2", "server.2=b:1:2", "zooid.nat=nats://a"], "1");
  const loaded = load(file);
  t.is(loaded.kind, "invalid");
  t.is(loaded.warnings.length, 1);
  t.regex(loaded.warnings[0] ?? "", /did you mean zooid.nats\?/);
});

test("with datadir.autocreate=false a data folder that is not there is refused, with all other problems", (t) => {
  const { file, dataDir } = machine(t, ["datadir.autocreate=false"]);
  t.is(load(file).kind, "valid");
  const elsewhere = `${dataDir}-2`;
  const loaded = load(file, { "data-dir": elsewhere, lanes: "17" });
  t.is(loaded.kind, "invalid");
  if (loaded.kind === "valid") return;
  t.deepEqual(
    loaded.problems.map(({ field, value, source }) => [field, value, source]),
    [
      ["dataDir", elsewhere, "--data-dir"],
      ["lanes", "17", "--lanes"],
    ],
  );
  t.true(loaded.problems[0]?.rule.includes(`${file}:2`));
});

test("a file that is not there is a problem, not a crash", (t) => {
  const validation = load("/nowhere/zoo.cfg");
  t.is(validation.kind, "invalid");
  if (validation.kind === "valid") return;
  t.like(validation.problems[0], { field: "config", value: "/nowhere/zoo.cfg" });
});

function problemOf(t: ExecutionContext, content: string | Uint8Array): string {
  const { file } = machine(t, []);
  writeFileSync(file, content);
  const validation = load(file);
  if (validation.kind === "valid") return "valid";
  return validation.problems.map(({ field, rule }) => `${field} ${rule}`).join("; ");
}

test("a file that is no text, or says nothing, is refused instead of starting a lone node on defaults", (t) => {
  const lines = "dataDir=/data\nclientPort=2181\nserver.1=a:1:2\n";
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(lines, "utf16le")]);
  t.regex(problemOf(t, utf16), /config must be text in UTF-8 .*UTF-16/);
  t.regex(problemOf(t, Buffer.from(lines, "utf16le").swap16()), /UTF-16/);
  t.regex(problemOf(t, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 2, 0, 0])), /config must be text/);
  t.regex(problemOf(t, Buffer.from(`clientPort=1\u0001\n`)), /config must be text/);
  t.regex(problemOf(t, ""), /config must have at least one of the settings/);
  t.regex(problemOf(t, "# nothing\nport=1\n{}\n"), /config must have at least one of the settings/);
  t.regex(
    problemOf(t, `${"#".repeat(1024 * 1024)}\nclientPort=1\n`),
    /config must have at most 1048576 bytes/,
  );
});

test("a file in another alphabet than UTF-8 is read as ZooKeeper reads it, and a byte order mark is no part of a key", (t) => {
  const { file } = machine(t, []);
  writeFileSync(file, Buffer.from("# \u00e9t\u00e9\ndataDir=/donn\u00e9es\n", "latin1"));
  t.like(load(file), { kind: "valid", config: { dataDir: "/donn\u00e9es" } });
  writeFileSync(file, "\ufeffdataDir=/donn\u00e9es\n");
  t.like(load(file), { kind: "valid", config: { dataDir: "/donn\u00e9es" } });
});

test("of a key that is given again the last value counts, also of a server line, as in ZooKeeper", (t) => {
  const again = machine(t, [...THREE, "server.2=other:1:2;2299", "clientPort=1", "clientPort=2"]);
  const validation = load(again.file, { id: "2" });
  t.like(validation, { kind: "valid", config: { members: [1, 2, 3], clientPort: 2 } });
  if (validation.kind !== "valid") return;
  const repeated = validation.warnings.filter((warning) => warning.includes("given again"));
  t.deepEqual(
    repeated.map((warning) => warning.replace(/^.*:/, "")),
    [
      " server.2 is given again, and this value counts",
      " clientPort is given again, and this value counts",
    ],
  );
  const port = machine(t, [...THREE, "server.2=other:1:2;2299"]);
  t.like(load(port.file, { id: "2" }), { config: { clientPort: 2299 } });
});

test("a dataLogDir with the transaction logs of Apache ZooKeeper is refused, an empty one is not", (t) => {
  const { file, folder } = machine(t, []);
  const logs = join(folder, "logs");
  mkdirSync(logs);
  writeFileSync(file, `dataDir=${folder}/new\ndataLogDir=${logs}\n`);
  t.is(load(file).kind, "valid");
  mkdirSync(join(logs, "version-2"));
  const validation = load(file);
  t.is(validation.kind, "invalid");
  if (validation.kind === "valid") return;
  t.is(validation.problems[0]?.field, "dataLogDir");
  t.regex(validation.problems[0]?.rule ?? "", /Apache ZooKeeper/);
  t.regex(validation.problems[0]?.hint ?? "", /To migrate/);
});

test("a dataLogDir is a folder of its own, and none where it is dataDir", (t) => {
  const { file, folder } = machine(t, []);
  writeFileSync(file, `dataDir=${folder}/data\ndataLogDir=${folder}/log\n`);
  t.like(load(file), { kind: "valid", config: { dataLogDir: join(folder, "log") } });
  writeFileSync(file, `dataDir=${folder}/data\ndataLogDir=${folder}/log/../data/\n`);
  t.like(load(file), { kind: "valid", config: { dataLogDir: undefined } });
});

test("ssl.crl is refused unless lists of withdrawn certificates are named", (t) => {
  const { file, folder } = machine(t, []);
  writeFileSync(file, `dataDir=${folder}/data\nssl.crl=true\n`);
  const refused = load(file);
  t.is(refused.kind, "invalid");
  if (refused.kind === "valid") return;
  t.like(refused.problems, [{ field: "ssl.crl", value: "true", source: `${file}:2` }]);
  t.is(load(file, { "tls-crl": file }).kind, "valid");
});

test("jute.maxbuffer is what it says, in any of Java's ways to write a number, and never more than a record has place for", (t) => {
  const { file, folder } = machine(t, []);
  const of = (value: string): ReturnType<typeof load> => {
    writeFileSync(file, `dataDir=${folder}/data\njute.maxbuffer=${value}\n`);
    return load(file);
  };
  t.like(of("4096"), { config: { maxPacketBytes: 4096 }, warnings: [] });
  t.like(of("0x1000"), { config: { maxPacketBytes: 4096 }, warnings: [] });
  const more = of("4194304");
  t.like(more, { kind: "valid", config: { maxPacketBytes: 1_048_575 } });
  t.regex(more.warnings.join(), /:2: jute\.maxbuffer is 1048575 here at most/);
  for (const value of ["1023", "-1", "1m", ""]) t.is(of(value).kind, "invalid", value);
});

test("what ZooKeeper and its documentation call differently is one setting", (t) => {
  const { file, folder } = machine(t, []);
  const names = ["connectionMaxTokens=3", "connection_throttle_fill_time=20"];
  const lines = [...names, "connectionTokenFillCount=4", "globalOutstandingLimit=100"];
  writeFileSync(
    file,
    [`dataDir=${folder}/data`, ...lines, "autopurge.snapRetainCount=1"].join("\n"),
  );
  t.like(load(file), {
    config: {
      ...{ sessionTokens: 3, sessionTokenFillMs: 20, sessionTokenFillCount: 4 },
      ...{ maxOutstandingRequests: 100, snapshotsKept: 2 },
    },
  });
});
