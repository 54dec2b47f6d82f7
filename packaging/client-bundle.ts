/**
 * The client and its adapters, of which a program loads all or nothing, in few files: Node takes longer to find and read a hundred modules
 * than to run them. What else is in `dist/` stays as the compiler wrote it.
 *
 * A module that the rest of the package imports, too, stays a file of its own, or there would be two of it: an error that a node's embedded
 * client throws must be an instance of the class that `zooid/client` exports.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { build } from "esbuild";

/** Folders of `dist/` that are bundled. */
const BUNDLED = ["client", "adapters"];
/** Classes that both sides throw and catch. The rest of the protocol has no state: its modules may be there twice. */
const SHARED = ["protocol/errors.js"];
const EXPORTED = /^adapters\/([^/]+)\/\1\.js$|^client\/connect\.js$/;
/** As the compiler writes them: `import … from "…"`, `export … from "…"`, `import("…")`. */
const IMPORT = /(?:\bfrom|\bimport\(|^import)\s*"(\.[^"]+)"/gm;

/** Rewrites a `dist/` that the compiler has written. Throws with what esbuild finds wrong. */
export async function bundleClient(dist: string): Promise<void> {
  const modules = modulesOf(dist);
  const entries = new Set([...SHARED, ...modules.filter((each) => EXPORTED.test(each))]);
  for (const module of modules.filter((each) => !isBundled(each))) {
    for (const imported of importedBy(dist, module)) {
      if (isBundled(imported)) entries.add(imported);
    }
  }
  const { outputFiles } = await build({
    entryPoints: [...entries].sort().map((entry) => join(dist, entry)),
    outdir: dist,
    outbase: dist,
    chunkNames: "client/chunks/[name]-[hash]",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // What runs the package: `engines` in package.json.
    target: "node22.20",
    packages: "external",
    sourcemap: true,
    sourcesContent: false,
    legalComments: "none",
    logLevel: "warning",
  });
  for (const module of modules.filter(isBundled)) {
    rmSync(join(dist, module));
    rmSync(join(dist, `${module}.map`));
  }
  for (const { path, contents } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
}

function isBundled(module: string): boolean {
  return BUNDLED.some((folder) => module.startsWith(`${folder}/`));
}

/** From `dist`, with slashes on every system. */
function modulesOf(dist: string): readonly string[] {
  return readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((each) => each.endsWith(".js"))
    .map((each) => each.replaceAll(sep, "/"));
}

function importedBy(dist: string, module: string): readonly string[] {
  const file = join(dist, module);
  return [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, specifier = ""]) => {
    return relative(dist, resolve(dirname(file), specifier)).replaceAll(sep, "/");
  });
}
