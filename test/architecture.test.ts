/** The layout holds: who imports whom, what actors may name, how long a file is. And the checker sees what it should. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { layerProblems, type SourceFile, TOP_FOLDERS } from "./setup/layers.ts";
import { codeOf, importsOf } from "./setup/scan.ts";

const ROOT = new URL("..", import.meta.url);
/** What other commands leave behind; `.gitignore` names them too. */
const NOT_OURS = new Set(["node_modules", "data", "dist", "coverage"]);

function projectFiles(): readonly SourceFile[] {
  const paths = globSync(`{${TOP_FOLDERS.join(",")}}/**/*.{ts,tsx}`, { cwd: ROOT });
  return paths.map((path) => ({ path, text: readFileSync(new URL(path, ROOT), "utf8") }));
}

function projectFolders(): readonly string[] {
  const entries = readdirSync(ROOT, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return folders.filter((name) => !name.startsWith(".") && !NOT_OURS.has(name));
}

function problemsOf(path: string, text: string): readonly string[] {
  return layerProblems([{ path, text }], []);
}

test("the project keeps to its layout", (t) => {
  t.deepEqual(layerProblems(projectFiles(), projectFolders()), []);
});

test("the check reads every layer of the project", (t) => {
  const seen = new Set(projectFiles().map((file) => file.path.split("/")[0]));
  for (const folder of [
    "runtime",
    "protocol",
    "actors",
    "server",
    "testing",
    "cli",
    "dashboard",
    "packaging",
    "test",
  ]) {
    t.true(seen.has(folder), folder);
  }
});

test("seeing no file is a problem", (t) => {
  t.deepEqual(layerProblems([], []), ["no source file was seen"]);
});

test("a top-level folder outside the layout is a problem", (t) => {
  const files = [{ path: "protocol/a.ts", text: "" }];
  t.deepEqual(layerProblems(files, ["utils", "docs"]), ["utils/: no such room in the layout"]);
});

test("a file of 501 lines is too long and one of 500 is not", (t) => {
  t.deepEqual(problemsOf("server/a.ts", "x;\n".repeat(501)), [
    "server/a.ts: 501 lines, at most 500",
  ]);
  t.deepEqual(problemsOf("server/a.ts", "x;\n".repeat(500)), []);
});

test("the runtime may import nothing of ours", (t) => {
  t.deepEqual(problemsOf("runtime/a.ts", 'import { zxid } from "../protocol/zxid.ts";'), [
    "runtime/a.ts:1: runtime/ may not import from protocol/ (../protocol/zxid.ts)",
  ]);
  t.deepEqual(problemsOf("runtime/disks/a.ts", 'import { b } from "../b.ts";'), []);
});

test("a client may import the protocol but not the server", (t) => {
  t.deepEqual(problemsOf("client/a.ts", 'import { zxid } from "../protocol/zxid.ts";'), []);
  t.is(problemsOf("client/a.ts", 'export * from "../server/node.ts";').length, 1);
});

test("of the runtime a client may import only what speaks to NATS", (t) => {
  const from = (file: string): string => `import { a } from "../runtime/${file}";`;
  t.deepEqual(problemsOf("client/a.ts", from("nats/servers.ts")), []);
  t.is(problemsOf("client/a.ts", from("system.ts")).length, 1);
  t.is(problemsOf("protocol/a.ts", from("nats/servers.ts")).length, 1);
});

test("of the server only what is embedded may import the client", (t) => {
  const client = 'import { Session } from "../../client/rx.ts";';
  t.deepEqual(problemsOf("server/embedded/a.ts", client), []);
  t.deepEqual(problemsOf("server/threads/a.ts", client), [
    "server/threads/a.ts:1: server/ may not import from client/ (../../client/rx.ts)",
  ]);
});

test("what users test with may import all that is shipped, which does not import it, and nothing of the tests", (t) => {
  for (const folder of ["runtime", "protocol", "actors", "server", "client"]) {
    t.deepEqual(problemsOf("testing/a.ts", `import { a } from "../${folder}/a.ts";`), []);
    t.is(problemsOf(`${folder}/a.ts`, 'import { a } from "../testing/a.ts";').length, 1, folder);
  }
  for (const folder of ["testing", "runtime", "server", "client", "cli"]) {
    t.is(problemsOf(`${folder}/a.ts`, 'import { a } from "../test/a.ts";').length, 1, folder);
  }
});

test("the dashboard imports nothing of what it is served by, and is imported by tests alone", (t) => {
  const reply = 'import { jsonReply } from "../../server/admin/api/json.ts";';
  t.is(problemsOf("dashboard/src/a.tsx", reply).length, 1);
  const build = 'import { buildDashboard } from "../dashboard/build.ts";';
  t.is(problemsOf("server/a.ts", build).length, 1);
  t.deepEqual(problemsOf("test/a.ts", build), []);
});

test("the site imports the simulator, which it shows, and nothing else of ours", (t) => {
  const file = "site/simulator/worker/a.ts";
  const from = (path: string): string => `import { a } from "../../../${path}";`;
  t.deepEqual(problemsOf(file, from("test/sim/simulate.ts")), []);
  t.deepEqual(problemsOf(file, from("test/support/browser.ts")), [
    "site/simulator/worker/a.ts:1: site/ may import only test/sim/ of test/ (../../../test/support/browser.ts)",
  ]);
  t.is(problemsOf(file, from("actors/log/log.ts")).length, 1);
});

test("the session of a client imports the protocol and itself only, and uses no clock, chance or RxJS", (t) => {
  const file = "client/session/a.ts";
  t.deepEqual(problemsOf(file, 'import { zxid } from "../../protocol/zxid.ts";'), []);
  t.deepEqual(problemsOf(file, 'import type { State } from "./state.ts";'), []);
  for (const other of ["../driver.ts", "../../runtime/nats/servers.ts", "rxjs", "node:crypto"]) {
    t.deepEqual(problemsOf(file, `import { a } from "${other}";`), [
      `client/session/a.ts:1: client/session/ may not import ${other}`,
    ]);
  }
  for (const use of ["setInterval(run, 50);", "performance.now();", "queueMicrotask(run);"]) {
    t.is(problemsOf(file, use).length, 1, use);
    t.deepEqual(problemsOf("client/driver.ts", use), [], use);
  }
  t.is(problemsOf(file, "const promise = new Promise(run);").length, 1);
  t.is(problemsOf(file, "async function run() {}").length, 1);
});

test("the sessions of both protocols are as pure, and share what they have in common", (t) => {
  const file = "client/zookeeper/session/a.ts";
  t.deepEqual(problemsOf(file, 'import { a } from "../../session/backoff.ts";'), []);
  for (const other of ["../driver.ts", "../../driver.ts", "rxjs", "node:net"]) {
    t.is(problemsOf(file, `import { a } from "${other}";`).length, 1, other);
  }
  t.is(problemsOf(file, "performance.now();").length, 1);
});

test("an import that spans lines, re-exports or is made while running is seen", (t) => {
  t.is(problemsOf("client/a.ts", 'import {\n  a,\n  b,\n} from "../server/node.ts";').length, 1);
  t.is(problemsOf("client/a.ts", 'export { a } from "../server/node.ts";').length, 1);
  t.is(problemsOf("client/a.ts", 'import "../server/node.ts";').length, 1);
  t.is(problemsOf("client/a.ts", 'const a = await import("../server/node.ts");').length, 1);
  t.is(problemsOf("client/a.ts", "import a from '../server/node.ts'").length, 1);
});

test("an import in a comment or a string is not one", (t) => {
  t.deepEqual(problemsOf("client/a.ts", '// import { a } from "../server/node.ts";'), []);
  t.deepEqual(
    problemsOf("client/a.ts", 'const text = `import { a } from "../server/node.ts"`;'),
    [],
  );
});

test("an actor may import types of the runtime and no values", (t) => {
  const types = 'import type { Effect } from "../../runtime/effects.ts";';
  const values = 'import { system } from "../../runtime/system.ts";';
  t.deepEqual(problemsOf("actors/log/state.ts", types), []);
  t.deepEqual(problemsOf("actors/log/state.ts", values), [
    "actors/log/state.ts:1: actors/ may import only types of runtime/ (../../runtime/system.ts)",
  ]);
});

test("an actor may import another's messages and nothing else of it", (t) => {
  const messages = 'import type { TreeMessage } from "../tree/messages.ts";';
  const secret = 'import { apply } from "../tree/apply.ts";';
  const own = 'import { apply } from "./apply.ts";';
  const inboxes = 'import { tell } from "../inboxes.ts";';
  t.deepEqual(problemsOf("actors/log/a.ts", [messages, own, inboxes].join("\n")), []);
  t.deepEqual(problemsOf("actors/log/a.ts", secret), [
    "actors/log/a.ts:1: an actor may import only the messages.ts of another (../tree/apply.ts)",
  ]);
});

test("actors and the protocol may not import Node's modules or RxJS", (t) => {
  for (const name of ["node:fs", "fs", "rxjs", "rxjs/operators"]) {
    t.is(problemsOf("actors/log/a.ts", `import { x } from "${name}";`).length, 1, name);
    t.is(problemsOf("protocol/a.ts", `import { x } from "${name}";`).length, 1, name);
    t.is(problemsOf("runtime/a.ts", `import { x } from "${name}";`).length, 0, name);
  }
});

test("an example may not reach into the package's files", (t) => {
  t.deepEqual(problemsOf("examples/a.ts", 'import { connect } from "zooid/client";'), []);
  t.is(problemsOf("examples/a.ts", 'import { connect } from "../client/connect.ts";').length, 1);
});

test("an actor may not name a clock, a timer, chance or the process", (t) => {
  const uses = [
    "const now = Date.now();",
    "setTimeout(run, 1);",
    "setInterval(run, 1);",
    "const id = process.pid;",
    "const at = performance.now();",
    "crypto.getRandomValues(bytes);",
    "const x = Math.random();",
    "const x = Math\n  .random();",
    "const text = `at ${Date.now()}`;",
    "const x = a / b; const y = new Date(); const z = c / d;",
  ];
  for (const use of uses) {
    t.is(problemsOf("actors/log/a.ts", use).length, 1, use);
    t.is(problemsOf("protocol/a.ts", use).length, 1, use);
    t.is(problemsOf("server/a.ts", use).length, 0, use);
  }
});

test("a banned word is no use of it in a comment, a string, a pattern, a key or a longer name", (t) => {
  const harmless = [
    "// Date is not for actors",
    "/* setTimeout */",
    'const kind = "process";',
    "const at = `Date`;",
    "const pattern = /process/;",
    "const pattern = /[/'\"]Date/;",
    "type Limits = { process: number };",
    "const x = state.process;",
    "const updated = processed + lastDate;",
  ];
  for (const text of harmless) t.deepEqual(problemsOf("actors/log/a.ts", text), [], text);
});

test("an integration test that runs beside the others of its file is a problem", (t) => {
  const both =
    'test.serial("a", () => {});\nfor (const each of all) {\n  test(each, () => {});\n}\n';
  t.deepEqual(problemsOf("test/integration/a.test.ts", both), [
    "test/integration/a.test.ts:3: tests of this folder are test.serial",
  ]);
  t.deepEqual(problemsOf("test/unit/a.test.ts", both), []);
  t.deepEqual(problemsOf("test/integration/a.test.ts", "if (pattern.test(text)) stop();\n"), []);
});

test("the line of a problem is the line in the file", (t) => {
  const text = '/*\n * two\n */\nconst a = "\\"";\nconst b = Date.now();\n';
  t.deepEqual(problemsOf("actors/log/a.ts", text), ["actors/log/a.ts:5: actors/ may not use Date"]);
});

test("blanking keeps the length and the lines of a source", (t) => {
  const text = 'const a = "x\\"y"; // end\nconst b = `p ${a + `q ${1}`} r`;\n';
  t.is(codeOf(text).length, text.length);
  t.is(codeOf(text).split("\n").length, text.split("\n").length);
  t.true(codeOf(text).includes("a +"));
  t.false(codeOf(text).includes("end"));
});

test("a type import is told from a value import", (t) => {
  const found = importsOf('import type { A } from "./a.ts";\nimport { b } from "./b.ts";');
  t.deepEqual(found, [
    { specifier: "./a.ts", typeOnly: true, line: 1 },
    { specifier: "./b.ts", typeOnly: false, line: 2 },
  ]);
});
