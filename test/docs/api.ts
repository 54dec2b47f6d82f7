/**
 * `npm run docs:api`: the reference of the package, made from the built declarations, into `docs/client/api/`, a folder of Markdown for each
 * thing that the package exports. It is not kept in the repository.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, linkPackages, manifestOf, run } from "../package/install.ts";
import { CHECKOUT } from "../support/zooid.ts";
import { entriesOf, extract, undocumented } from "./extract.ts";

const OUTPUT = join(CHECKOUT, "docs/client/api");
const DOCUMENTER = join(CHECKOUT, "node_modules/@microsoft/api-documenter/bin/api-documenter");

const folder = await mkdtemp(join(tmpdir(), "zooid-api-"));
try {
  const problems = await buildPackage(folder);
  if (problems !== "") throw new Error(problems);
  const { dependencies, peerDependencies } = await manifestOf(folder);
  const names = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "@types/node"];
  await linkPackages(folder, names);
  for (const entry of await entriesOf(folder)) {
    const models = join(folder, "models", entry.name);
    const known = (await undocumented())[entry.name] ?? [];
    const bare = extract(folder, entry, models).filter((name) => !known.includes(name));
    if (bare.length > 0) throw new Error(`zooid/${entry.name}: no documentation: ${bare.join()}`);
    const output = join(OUTPUT, entry.name);
    await rm(output, { recursive: true, force: true });
    const args = ["markdown", "--input-folder", models, "--output-folder", output];
    process.stdout.write(await run([DOCUMENTER, ...args], folder));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
