/**
 * `npm run docs:api`: the reference of the package, made from the built declarations, into `docs/client/api/`, a folder of Markdown for each
 * thing that the package exports. It is not kept in the repository.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, linkPackages, manifestOf, succeed } from "../package/install.ts";
import { CHECKOUT } from "../support/zooid-command.ts";
import { entriesOf, extract } from "./extract.ts";

const OUTPUT = join(CHECKOUT, "docs/client/api");
const DOCUMENTER = join(CHECKOUT, "node_modules/@microsoft/api-documenter/bin/api-documenter");

const folder = await mkdtemp(join(tmpdir(), "zooid-api-"));
try {
  await buildPackage(folder);
  const { dependencies, peerDependencies } = await manifestOf(folder);
  const names = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "@types/node"];
  await linkPackages(folder, names);
  const models = join(folder, "models");
  const entries = await entriesOf(folder);
  const undocumented = extract(folder, entries, models);
  if (undocumented.length > 0) throw new Error(`no documentation: ${undocumented.join(", ")}`);
  for (const { name } of entries) {
    const output = join(OUTPUT, name);
    await rm(output, { recursive: true, force: true });
    const args = ["markdown", "--input-folder", join(models, name), "--output-folder", output];
    process.stdout.write(await succeed([DOCUMENTER, ...args], folder));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
