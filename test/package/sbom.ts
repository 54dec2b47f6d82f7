/**
 * `npm run sbom -- FILE`: writes what zooid consists of, as CycloneDX in JSON. `npm sbom` makes it of the lock file, from which everything that is not
 * shipped was taken first: with `--omit dev` npm leaves out what is shipped and has a use in development, too.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CHECKOUT } from "../support/zooid-command.ts";
import { isBundled, isShipped, readLock } from "./components.ts";

const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const inProcess = promisify(execFile);

/** Returns the text of the bill. */
export async function makeSbom(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-sbom-"));
  // npm takes the name of the component from the folder.
  const project = join(folder, "zooid");
  try {
    const text = await readFile(join(CHECKOUT, "package.json"), "utf8");
    const manifest = shippedManifest(JSON.parse(text) as Record<string, unknown>);
    const lock = readLock();
    const kept = Object.entries(lock.packages)
      .filter(([path, entry]) => isShipped(path, entry))
      // npm leaves out what is for development, which what is bundled is no more.
      .map(([path, { dev: _dev, ...entry }]) => [path, entry] as const);
    const root = shippedManifest({ ...lock.packages[""] });
    await mkdir(project);
    await writeFile(join(project, "package.json"), JSON.stringify(manifest));
    const packages = { "": root, ...Object.fromEntries(kept) };
    await writeFile(join(project, "package-lock.json"), JSON.stringify({ ...lock, packages }));
    const args = ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application"];
    const options = { cwd: project, maxBuffer: TEXT_BYTES_MAX };
    // What npm warns of goes to standard error, and is no part of the bill. One that fails rejects, with what it said.
    const { stdout } = await inProcess("npm", [...args, "--package-lock-only"], options);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is in the bundle of the dashboard counts as a dependency. */
function shippedManifest(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { devDependencies, peerDependencies: _, peerDependenciesMeta: _meta, ...rest } = manifest;
  const bundled = Object.entries((devDependencies ?? {}) as Record<string, string>).filter(
    ([name]) => isBundled(`node_modules/${name}`),
  );
  const dependencies = { ...(rest["dependencies"] as object), ...Object.fromEntries(bundled) };
  return { ...rest, dependencies };
}

if (process.argv[1] === import.meta.filename) {
  const [file, ...others] = process.argv.slice(2);
  if (file === undefined || others.length > 0) {
    process.stderr.write("One file is to be named: npm run sbom -- FILE\n");
    process.exitCode = 2;
  } else {
    await writeFile(file, await makeSbom());
  }
}
