/** The package as it is published: what it exports is there, has types, and works in a program that only has the package. */
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import test from "ava";
import { publint } from "publint";
import { entriesOf, extract } from "../docs/extract.ts";
import {
  buildPackage,
  linkPackages,
  manifestOf,
  pack,
  run,
  TSC,
  writeProject,
} from "../package/install.ts";
import {
  ADAPTER_TYPES,
  CLIENT_PROGRAM,
  CLIENT_TYPES,
  IMPORT_PROGRAM,
  SERVER_PROGRAM,
} from "../package/programs.ts";
import { reachOf } from "../package/reach.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

let folder = "";
let own = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "zooid-package-"));
  own = join(folder, "zooid");
  await buildPackage(own);
  await mkdir(join(folder, "node_modules"));
  await symlink(own, join(folder, "node_modules/zooid"));
  const { dependencies, peerDependencies } = await manifestOf(own);
  const names = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "@types/node"];
  await linkPackages(folder, names);
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

test.serial("a program that has nothing but the package compiles and is a node", async (t) => {
  const project = join(folder, "server");
  await writeProject(project, { "program.ts": SERVER_PROGRAM }, { module: "nodenext" });
  t.is(await run([TSC, "-p", "."], project), "");
  const lines = (await run(["out/program.js", join(project, "data")], project)).trim().split("\n");
  t.is(lines[0], "true ZOOID_CONFIGURATION lanes");
  t.deepEqual(lines.slice(-3), ["serves true function", "changes complete 0", "asked"]);
  const others = ["leading 1 1", "peers 0", "nats none", "the same class true"];
  for (const line of [...others, "tested a,zookeeper 3"]) {
    t.true(lines.includes(line), line);
  }
});

test.serial(
  "the types are right however a program resolves modules, also for who checks libraries",
  async (t) => {
    const ways = [
      { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false },
      { module: "node16", moduleResolution: "node16", skipLibCheck: true },
      // With the packages that the adapters adapt, whose own types are not looked at.
      { module: "preserve", moduleResolution: "bundler", skipLibCheck: true },
    ];
    for (const way of ways) {
      const project = join(folder, `types-${way.moduleResolution}`);
      const files = { "client.ts": CLIENT_TYPES };
      const withAdapters = { ...files, "adapters.ts": ADAPTER_TYPES };
      await writeProject(project, way.module === "preserve" ? withAdapters : files, way);
      t.is(await run([TSC, "-p", ".", "--noEmit"], project), "", way.moduleResolution);
    }
  },
);

test.serial(
  "a plain JavaScript program has the client, without the server and what only that needs",
  async (t) => {
    const project = join(folder, "javascript");
    await writeProject(project, { "program.js": CLIENT_PROGRAM, "import.js": IMPORT_PROGRAM }, {});
    const said = JSON.parse(await run(["program.js"], project)) as Record<string, unknown>;
    t.is(said["path"], "/limits");
    t.is(said["code"], "ZOOID_UNREACHABLE");
    t.deepEqual(said["unneeded"], []);
    t.log(`import of zooid/client: ${(await run(["import.js"], project)).trim()}`);
  },
);

test.serial("what the client brings along is within its budget", async (t) => {
  const reach = reachOf(own, "dist/client/connect.js");
  const file = new URL("../package/budget.json", import.meta.url);
  const budget = JSON.parse(await readFile(file, "utf8")) as Omit<typeof reach, "files">;
  t.log(`${reach.bytes} bytes, ${reach.eagerBytes} of them at once, ${reach.files.length} files`);
  t.true(reach.bytes <= budget.bytes, `${reach.bytes} bytes, at most ${budget.bytes}`);
  t.true(reach.eagerBytes <= budget.eagerBytes, `${reach.eagerBytes} bytes at once`);
  t.deepEqual(reach.packages, budget.packages);
  const sources = reachOf(CHECKOUT, "client/connect.ts").files;
  const folders = new Set(sources.map((each) => each.split("/")[0]));
  t.deepEqual(folders, new Set(["client", "protocol", "runtime"]));
});

test.serial(
  "publint and arethetypeswrong find nothing in the tarball, which holds what runs and no sources",
  async (t) => {
    const tarball = await readFile(await pack(own, folder));
    const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length);
    const { messages } = await publint({ pack: { tarball: bytes as ArrayBuffer } });
    t.deepEqual(messages, []);
    const contents = createPackageFromTarballData(tarball);
    const files = contents.listFiles().map((each) => each.replace("/node_modules/zooid/", ""));
    t.true(files.includes("ops/systemd/zooid.service"));
    const others = files.filter((each) => !/^dist\/.*\.(?:js|d\.ts|js\.map)$|^ops\//.test(each));
    t.deepEqual(others.toSorted(), [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "THIRD-PARTY-LICENCES.md",
      "dashboard/dist/dashboard.css",
      "dashboard/dist/dashboard.js",
      "dashboard/dist/index.html",
      "nats.conf",
      "package.json",
    ]);
    const checked = await checkPackage(contents);
    if (checked.types === false) return t.fail("no types");
    // The package is ESM, which CommonJS loads with `import()` or, since Node 22, `require()`; "node10" knows no exports.
    const meant = new Set(["CJSResolvesToESM"]);
    const problems = checked.problems.filter(
      (each) =>
        !meant.has(each.kind) && !("resolutionKind" in each && each.resolutionKind === "node10"),
    );
    t.deepEqual(problems, []);
    const { exports } = await manifestOf(own);
    t.deepEqual(Object.keys(checked.entrypoints).toSorted(), Object.keys(exports).toSorted());
  },
);

test.serial(
  "all that the package exports has documentation, and so have members of classes and fields of types",
  async (t) => {
    t.deepEqual(extract(own, await entriesOf(own), join(folder, "models")), []);
  },
);
