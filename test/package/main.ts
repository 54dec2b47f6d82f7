/**
 * `npm run package:check`: packs the package as it would be published, installs the tarball with npm as a user does, for Node 22 and Node 24,
 * and runs programs in TypeScript and in JavaScript that have nothing else. It needs the registry; takes about two minutes.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, manifestOf, pack, run, succeed, writeProject } from "./install.ts";
import { CLIENT_PROGRAM, CLIENT_TYPES, IMPORT_PROGRAM, SERVER_PROGRAM } from "./programs.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

const NODES = ["22", "24"] as const;

type Line = { readonly what: string; readonly ok: boolean; readonly said: string };

async function check(folder: string, tarball: string, major: string): Promise<readonly Line[]> {
  const project = join(folder, `node-${major}`);
  const sources = { "program.ts": SERVER_PROGRAM, "client.ts": CLIENT_TYPES };
  await writeProject(project, sources, { module: "nodenext", skipLibCheck: false });
  await writeFile(join(project, "client.js"), CLIENT_PROGRAM);
  await writeFile(join(project, "import.js"), IMPORT_PROGRAM);
  const { devDependencies } = await manifestOf(CHECKOUT);
  const tools = ["typescript", "@types/node"].map((each) => `${each}@${devDependencies[each]}`);
  const packages = [tarball, `node@${major}`, ...tools];
  await succeed(["install", "--no-audit", "--no-fund", "--silent", ...packages], project, "npm");
  const node = join(project, "node_modules/.bin/node");
  const version = (await run(["--version"], project, node)).trim();
  const types = await run(["node_modules/typescript/bin/tsc", "-p", "."], project, node);
  const served = await run(["out/program.js", join(project, "data")], project, node);
  const said = await run(["client.js"], project, node);
  const took = (await run(["import.js"], project, node)).trim();
  return [
    { what: "version", ok: version.startsWith(`v${major}.`), said: version },
    { what: "types", ok: types === "", said: types },
    { what: "server", ok: served.trim().endsWith("asked"), said: served },
    {
      what: "client",
      ok: said.includes('"code":"ZOOID_UNREACHABLE","unneeded":[]'),
      said: `${said.trim()} import: ${took}`,
    },
  ];
}

const folder = await mkdtemp(join(tmpdir(), "zooid-package-check-"));
try {
  const built = join(folder, "zooid");
  await buildPackage(built);
  const tarball = await pack(built, folder);
  for (const major of NODES) {
    for (const { what, ok, said } of await check(folder, tarball, major)) {
      const text = ok && what === "server" ? "" : ` ${said.trim()}`;
      process.stdout.write(`Node ${major}: ${what}: ${ok ? "ok" : "FAILED"}${text}\n`);
      if (!ok) process.exitCode = 1;
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
