/** The file of users of SASL: what Java reads in it is read, and what is wrong is said with its line and without a password. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { readJaas } from "../../../server/config/jaas.ts";
import { loadConfig, type Loaded } from "../../../server/config/load.ts";
import { problemsText } from "../../../server/config/node-config.ts";
import { authenticationOf } from "../../../server/config/authentication.ts";

const MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule";
const PROVIDER = "authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider";

function options(text: string): readonly (readonly [string, string])[] {
  const { sections, problems } = readJaas(`Server {\n ${MODULE} required\n ${text};\n};`);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return sections.flatMap(({ modules }) =>
    modules.flatMap((module) => module.options.map(({ key, value }) => [key, value] as const)),
  );
}

test("a section has modules, a module options, and comments are none", (t) => {
  const text = [
    "/* of the\nservers */ Server { // users",
    `  ${MODULE} REQUIRED user_bob="a // b" user_ann=word-1.2 debug="true";`,
    "  org.example.Other optional; / the rest of the line",
    "};",
    '"Client" { };',
  ].join("\r\n");
  const { sections, problems } = readJaas(text);
  t.deepEqual(problems, []);
  t.deepEqual(
    sections.map(({ name, modules }) => [name, modules.map((module) => module.name)]),
    [
      ["Server", [MODULE, "org.example.Other"]],
      ["Client", []],
    ],
  );
  t.deepEqual(
    sections[0]?.modules[0]?.options.map(({ key, value, line }) => [key, value, line]),
    [
      ["user_bob", "a // b", 3],
      ["user_ann", "word-1.2", 3],
      ["debug", "true", 3],
    ],
  );
});

test("values are read as Java's StreamTokenizer reads them", (t) => {
  t.deepEqual(options(String.raw`a="x\"y\\z\t\101\0618" b=$w_*-ü "c d"=e`), [
    ["a", 'x"y\\z\tA18'],
    ["b", "$w_*-ü"],
    ["c d", "e"],
  ]);
});

type Case = readonly [text: string, line: number, rule: RegExp];

const WRONG: readonly Case[] = [
  ["Server", 1, /"\{" at the end of the file/],
  ["Server {\n", 1, /"\}" at the end/],
  [`Server {\n ${MODULE} needed;\n};`, 2, /required, requisite, sufficient, optional/],
  [`Server {\n ${MODULE} required\n user_bob "secret";\n};`, 3, /"=" here/],
  [`Server {\n ${MODULE} required\n user_bob=12secret;\n};`, 3, /in quotes unless/],
  [`Server {\n ${MODULE} required\n user_bob="secret\n;\n};`, 3, /closed on its line/],
  [`Server {\n ${MODULE} required\n user_bob="\${secret}";\n};`, 3, /no properties of Java/],
  [`Server {\n ${MODULE} required\n user_bob="secret"\n};`, 4, /";" behind the last one/],
  [`Server {\n ${MODULE} required;\n}`, 3, /";" at the end/],
  ["Server {};\nServer {};", 2, /comes twice/],
  ["# no comment\nServer {};", 1, /the name of a section/],
];

test("each mistake is found on its line, and no password is told", (t) => {
  for (const [text, line, rule] of WRONG) {
    const { problems } = readJaas(text);
    const [first] = problems;
    t.is(first?.line, line, text);
    t.regex(first?.rule ?? "", rule, text);
    t.notRegex(JSON.stringify(problems), /secret/);
  }
});

function load(t: ExecutionContext, jaas: string | undefined, ...lines: readonly string[]): Loaded {
  const folder = mkdtempSync(join(tmpdir(), "zooid-jaas-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "zoo.cfg");
  const users = join(folder, "jaas.conf");
  if (jaas !== undefined) writeFileSync(users, jaas);
  const named = jaas === undefined ? [] : [`java.security.auth.login.config=${users}`];
  writeFileSync(file, [`dataDir=${folder}`, ...named, ...lines].join("\n"));
  return loadConfig({ transport: "nats", flags: new Map(), file });
}

function told(loaded: Loaded): string {
  return loaded.kind === "invalid" ? problemsText(loaded.problems) : "";
}

const USERS = `Server {\n ${MODULE} required user_super="one" user_bob="two";\n};\n`;

test("all that is wrong is said at once, with its line", (t) => {
  const krb5 = "com.sun.security.auth.module.Krb5LoginModule";
  const text = told(
    load(
      t,
      [
        "Server {",
        `  ${MODULE} required`,
        '  user_bob="secret" user_bob="secret"',
        '  user_="secret"',
        '  "user_a@b"="secret"',
        '  user_ann="";',
        `  ${krb5} required useKeyTab=true;`,
        "  org.example.Module required;",
        "};",
        "Client { 1 };",
      ].join("\n"),
      PROVIDER,
    ),
  );
  t.regex(text, /7 settings are wrong|6 settings are wrong/);
  t.regex(text, /jaas\.conf:3\)\n +user_bob must come once/);
  t.regex(text, /jaas\.conf:4\)\n +user_ must be followed by a name/);
  t.regex(text, /jaas\.conf:5\)\n +user_a@b must be a plain name/);
  t.regex(text, /jaas\.conf:6\)\n +user_ann must have a password/);
  t.regex(text, /jaas\.conf:7\)\n .*asks for Kerberos \(GSSAPI\), which is not served/);
  t.regex(text, /jaas\.conf:8\)\n .*org\.example\.Module is not served/);
  t.regex(text, /jaas\.conf:10\)\n .*the class of a module/);
  t.notRegex(text, /secret/);
});

test("a file without its section, or without users, says so", (t) => {
  t.regex(told(load(t, "Client {};", PROVIDER)), /must have a section Server \{/);
  t.regex(told(load(t, `Server { ${MODULE} required; };`, PROVIDER)), /must have users/);
  t.regex(told(load(t, "", PROVIDER)), /must have a section/);
  const other = "sasl.serverconfig=Other";
  t.regex(told(load(t, USERS, PROVIDER, other)), /must have a section Other/);
  t.is(load(t, USERS.replace("Server", "Other"), PROVIDER, other).kind, "valid");
});

test("what is asked of SASL without its users or its scheme is refused or warned of", (t) => {
  const required = "sessionRequireClientSASLAuth=true";
  t.regex(told(load(t, USERS, required)), /whose scheme is not there/);
  t.regex(told(load(t, undefined, PROVIDER, required)), /and nobody can/);
  t.is(load(t, USERS, PROVIDER, required).kind, "valid");
  const enforced = ["enforce.auth.enabled=true", "enforce.auth.schemes=sasl"];
  t.regex(told(load(t, USERS, ...enforced)), /must be schemes that are served/);
  t.is(load(t, USERS, PROVIDER, ...enforced).kind, "valid");
  t.regex(load(t, USERS).warnings.join(), /no list can name them/);
  t.regex(load(t, undefined, PROVIDER).warnings.join(), /saslScheme has no effect/);
  t.regex(load(t, undefined, "superUser=x").warnings.join(), /saslSuperUser has no effect/);
});

test("nothing of a configuration shows a password, and what is kept of one is its hash", (t) => {
  const apart = "SASLAuthenticationProvider.superPassword=three";
  const loaded = load(t, USERS, PROVIDER, apart, "superUser=bob");
  t.is(loaded.kind, "valid");
  if (loaded.kind !== "valid") return;
  t.notRegex(JSON.stringify(loaded), /two/);
  const { sasl } = authenticationOf(loaded.config);
  const hexOf = (user: string): string =>
    Buffer.from(sasl?.secrets.get(user) ?? []).toString("hex");
  // MD5 of bob:zk-sasl-md5:two and of super:zk-sasl-md5:three.
  t.is(hexOf("bob"), "a092d78795215490d45b02d7148c8b8e");
  t.is(hexOf("super"), "4d1bf3b88dd9343b6b851cd2ae971b25");
  t.is(sasl?.superUser, "bob");
  t.deepEqual([...(sasl?.secrets.keys() ?? [])], ["super", "bob"]);
});
