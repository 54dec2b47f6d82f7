/** The package as it is published: what it exports is there, has types, and works in a program that only has the package. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { Child } from "../support/child.ts";
import { CHECKOUT } from "../support/zooid.ts";

const TSC = join(CHECKOUT, "node_modules/typescript/bin/tsc");

/** A program of a user who relies on the types. */
const PROGRAM = `
import { type Client, connect, ZooidError } from "zooid/client";
import { ConfigurationError, startNode, type ChangeEvent, type RunningNode } from "zooid/server";
import { startTestEnsemble, type TestEnsemble } from "zooid/testing";

const dataDir: string = process.argv[2] ?? "data";
const wrong: ConfigurationError = await startNode({ lanes: 99 }).then(
  () => { throw new Error("it started"); },
  (error: unknown) => { if (error instanceof ConfigurationError) return error; throw error; },
);
console.log(wrong instanceof ZooidError, wrong.code, wrong.problems.map(({ field }) => field).join());
const node: RunningNode = await startNode({ dataDir, clientPort: 0, clientPortAddress: "127.0.0.1" });
node.leadership$.subscribe(({ role, epoch, leader }) => console.log(role, epoch, leader));
node.peers$.subscribe((peers) => console.log("peers", peers.length));
node.nats$.subscribe(({ peers }) => console.log("nats", peers ?? "none"));
const seen: ChangeEvent[] = [];
node.changes("/", { recursive: true }).subscribe({
  next: (change) => seen.push(change),
  complete: () => console.log("changes complete", seen.length),
});
// It is not closed, and keeps no process alive.
const ensemble: TestEnsemble = await startTestEnsemble({ nodes: 3, seed: 2 });
const tested: Client = await ensemble.connect({ sessionTimeoutMs: 4000 });
tested.changes("/", { recursive: true }).subscribe();
await tested.create("/a");
await ensemble.advance(60_000);
console.log("tested", (await tested.children("/")).children.toSorted().join(), ensemble.nodes.length);
await node.ready;
console.log("serves", node.clientPort > 0, typeof connect);
await node.stop();
console.log((await node.stopped).kind);
`;

const TSCONFIG = {
  compilerOptions: {
    module: "nodenext",
    target: "es2024",
    strict: true,
    types: ["node"],
    outDir: "out",
  },
  files: ["program.ts"],
};

async function run(args: readonly string[], cwd: string): Promise<string> {
  const child = new Child({ command: process.execPath, args, cwd });
  await child.exited;
  return child.output();
}

test("a program that has nothing but the package compiles and is a node", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-package-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const own = join(folder, "node_modules/zooid");
  await mkdir(own, { recursive: true });
  const manifest = await readFile(join(CHECKOUT, "package.json"), "utf8");
  await writeFile(join(own, "package.json"), manifest);
  const build = ["-p", join(CHECKOUT, "tsconfig.build.json"), "--outDir", join(own, "dist")];
  t.is(await run([TSC, ...build], folder), "");
  const { dependencies } = JSON.parse(manifest) as { readonly dependencies: object };
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(CHECKOUT, "node_modules", name), link);
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await writeFile(join(folder, "program.ts"), PROGRAM);
  t.is(await run([TSC, "-p", "."], folder), "");
  const lines = (await run(["out/program.js", join(folder, "data")], folder)).trim().split("\n");
  t.is(lines[0], "true ZOOID_CONFIGURATION lanes");
  t.deepEqual(lines.slice(-3), ["serves true function", "changes complete 0", "asked"]);
  for (const line of ["leading 1 1", "peers 0", "nats none", "tested a,zookeeper 3"]) {
    t.true(lines.includes(line), line);
  }
});
