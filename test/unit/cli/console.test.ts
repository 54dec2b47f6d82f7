/** The console's parts that need no ensemble: arguments, escapes, lists of access, exports, and what a start loads. */
import { readFileSync } from "node:fs";
import test from "ava";
import { aclOf, aclText } from "../../../cli/console/acl-text.ts";
import { targetOf } from "../../../cli/console/connection.ts";
import { escaped, escapedText } from "../../../cli/console/escape.ts";
import { endingOf, EXIT_CODES, MisusedError } from "../../../cli/console/exit-codes.ts";
import { rootOf, znodeOf } from "../../../cli/console/export-format.ts";
import { linesOf } from "../../../cli/console/lines.ts";
import { parseStatus } from "../../../cli/srvr.ts";
import { parseMembers } from "../../../cli/console/servers/members.ts";
import { flagsOf, helpOf, parse } from "../../../cli/console/parse.ts";
import { SPECS, specOf } from "../../../cli/console/specs.ts";
import type { Given } from "../../../cli/console/given.ts";
import { errorOfCode } from "../../../protocol/errors.ts";
import { Code } from "../../../protocol/codes.ts";
import { run } from "../../support/console.ts";
import { reachOf } from "../../package/reach.ts";

const ROOT = new URL("../../..", import.meta.url);

function given(line: string): Given {
  const [name = "", ...args] = line.split(" ");
  const spec = specOf(name);
  if (spec === undefined) throw new Error(`no command ${name}`);
  const parsed = parse(spec, args);
  if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
  return parsed.given;
}

function complaint(line: string): string {
  const [name = "", ...args] = line.split(" ");
  const spec = specOf(name);
  const parsed = spec && parse(spec, args);
  return parsed?.kind === "wrong" ? parsed.message : `no complaint: ${JSON.stringify(parsed)}`;
}

test("flags stand anywhere, letters together, and a value may begin with a dash behind --", (t) => {
  const create = given("create -es /a x --acl world:anyone:r --auth a:b --auth c:d");
  t.true(create.has("ephemeral"));
  t.true(create.has("sequential"));
  t.deepEqual(create.values("auth"), ["a:b", "c:d"]);
  t.is(create.value("acl"), "world:anyone:r");
  const set = given("set /a -v 3 -- -5x");
  t.is(set.optional("value"), "-5x");
  t.is(set.number("version"), 3);
});

test("a wrong argument is answered with what is expected", (t) => {
  t.regex(complaint("ls --jsn"), /unknown option '--jsn' \(Did you mean --json\?\)/);
  t.regex(complaint("ls --depth 0 -R"), /it is a whole number from 1 on/);
  t.regex(complaint("watch --from later"), /it is a zxid such as 0x100000005/);
  t.regex(complaint("create -e -c /a"), /cannot be used with/);
  t.regex(complaint("get"), /missing required argument 'path'/);
  t.regex(complaint("get /a /b"), /too many arguments/);
  t.regex(complaint("set /a x -v one"), /it is a version/);
});

test("the ensemble comes from the flags, else from the environment, else it is ZooKeeper's port", (t) => {
  t.is(targetOf(given("ls"), {}).url, "zk://127.0.0.1:2181");
  const env = { ZOOID_SERVER: "nats://b:1", ZOOID_AUTH: "bob:p:w", ZOOID_ENSEMBLE: "two" };
  const { url, options } = targetOf(given("ls"), env);
  t.is(url, "nats://b:1");
  t.deepEqual(options.identities, [{ user: "bob", password: "p:w" }]);
  t.is(options.ensemble, "two");
  t.is(targetOf(given("ls --server zk://c"), env).url, "zk://c");
  t.throws(() => targetOf(given("ls --server c:2181"), env), { instanceOf: MisusedError });
  t.throws(() => targetOf(given("ls --auth bob"), env), { message: /USER:PASSWORD/ });
  t.throws(() => targetOf(given("ls --server @/no/such/file"), env), {
    message: /@\/no\/such\/file: ENOENT/,
  });
});

test("what could act on a terminal is escaped, letters are not", (t) => {
  t.is(
    escaped("a\u001b]0;x\u0007\u202eb\u009b\u2028\n"),
    "a\\u001b]0;x\\u0007\\u202eb\\u009b\\u2028\\u000a",
  );
  t.is(escaped("żółw 🐢 नमस्ते"), "żółw 🐢 नमस्ते");
  t.is(escapedText("a\tb\n\u001b"), "a\tb\n\\u001b");
  t.is(JSON.parse(escaped(JSON.stringify("\u009b\u{e0001}"))), "\u009b\u{e0001}");
});

test("lists of access read as zkCli writes them, with ids that have colons and commas", (t) => {
  const text = "world:anyone:r,digest:bob:ab+/=:cdrwa,x509:CN=a b,OU=c:rw,ip:::1:r";
  t.deepEqual(
    aclOf([text]).map(({ scheme, id }) => [scheme, id]),
    [
      ["world", "anyone"],
      ["digest", "bob:ab+/="],
      ["x509", "CN=a b,OU=c"],
      ["ip", "::1"],
    ],
  );
  t.is(aclText(aclOf([text])), text);
  t.throws(() => aclOf(["anyone:r", "world:anyone:q"]), {
    message: /"anyone:r" is no entry.*"world:anyone:q": permissions/,
  });
});

test("an export that is none is refused with the line", (t) => {
  t.is(rootOf('{"zooidExport":1,"root":"/a"}'), "/a");
  for (const line of [
    "",
    "[]",
    "{}",
    '{"zooidExport":3,"root":"/a"}',
    '{"zooidExport":0,"root":"/a"}',
    '{"zooidExport":1,"root":"a"}',
  ]) {
    t.throws(() => rootOf(line), { instanceOf: MisusedError, message: /^line 1 / });
  }
  const wrong = [
    "null",
    '{"path":1}',
    '{"path":"/b","data":"","encoding":"utf8"}',
    '{"path":"/ab","data":"","encoding":"utf8"}',
    '{"path":"/a/","data":"","encoding":"utf8"}',
    '{"path":"/a/b","data":1,"encoding":"utf8"}',
    '{"path":"/a/b","data":"","encoding":"latin1"}',
    '{"path":"/a/b","data":"","encoding":"utf8","acl":["x"]}',
    '{"path":"/a/b","data":"","encoding":"utf8","ttlMs":0}',
    '{"path":"/a/b","data":"","encoding":"utf8","ttlMs":"60000"}',
    '{"path":"/a/b","data":"","encoding":"utf8","ttlMs":1099511627776}',
    '{"path":"/a/b","data":"","encoding":"utf8","ttlMs":1,"container":true}',
  ];
  for (const line of wrong) {
    t.throws(() => znodeOf(line, 7, "/a"), { instanceOf: MisusedError, message: /^line 7/ }, line);
  }
});

test("lines are found across pieces, and characters too", async (t) => {
  const bytes = Buffer.from("é\r\nb\n\nlast");
  const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const lines: string[] = [];
  for await (const line of linesOf(pieces as never)) lines.push(line);
  t.deepEqual(lines, ["é", "b", "", "last"]);
});

test("the members of an ensemble are read from its configuration", (t) => {
  const text = [
    "server.1=zk1:2888:3888:participant;0.0.0.0:2181",
    "server.2=10.0.0.2:2888:3888:participant;10.1.0.2:2182",
    "server.3=[::1]:2888:3888:observer;2183",
    "server.4=[::1]:2888:3888;[::]:2184",
    "server.5=old:2888:3888",
    "server.6=zk6:2888:3888:participant;[fe80::1]:2186",
    "version=100000000",
  ].join("\n");
  t.deepEqual(
    parseMembers(text).map(({ id, place: { host, port } }) => `${id} ${host} ${port}`),
    ["1 zk1 2181", "2 10.1.0.2 2182", "3 ::1 2183", "4 ::1 2184", "6 fe80::1 2186"],
  );
});

test("a server that does not serve is told with what it says", (t) => {
  const text = "This ZooKeeper instance is not currently serving requests\n";
  const { mode, because, clients } = parseStatus(text);
  t.deepEqual([mode, because, clients], [undefined, text.trim(), undefined]);
});

test("every error of the client ends with a code that is documented", (t) => {
  const documented = new Set(EXIT_CODES.map(({ code }) => code));
  for (const code of Object.values(Code)) {
    t.true(documented.has(endingOf(errorOfCode(code, "/a")).code), String(code));
  }
  t.is(endingOf(errorOfCode(Code.noNode, "/a")).code, 3);
  t.is(endingOf(new Error("other")).code, 1);
});

test("every command has a help that names all of its flags", async (t) => {
  t.true(SPECS.length > 10);
  for (const spec of SPECS) {
    const { code, stdout, stderr } = await run([spec.name, "--help"]);
    t.deepEqual([code, stderr, stdout], [0, "", `${helpOf(spec)}\n`]);
    for (const { name } of flagsOf(spec)) t.true(stdout.includes(`--${name}`), name);
    for (const { command } of spec.examples) t.true(stdout.includes(command), command);
  }
});

test("a command of the console loads neither the server nor the actors", (t) => {
  const root = ROOT.pathname;
  const { files } = reachOf(root, "cli/console/run.ts");
  t.true(files.some((file) => file === "client/connect.ts"));
  t.deepEqual(
    files.filter((file) => /^(?:actors|server)\//.test(file)),
    [],
  );
  // The list of commands is loaded by every command.
  const text = readFileSync(new URL("cli/main.ts", ROOT), "utf8");
  t.notRegex(text, /^import .*"\.\/(?:serve|inspect|ensemble)/m);
});
