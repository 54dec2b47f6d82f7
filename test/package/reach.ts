/** What a module brings along when it is run: its files of ours, in bytes, and the packages. */
import { readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { importsOf } from "../setup/scan.ts";

export type Reach = {
  /** All bytes of the files of ours, those that are loaded later too. */
  readonly bytes: number;
  /** Those that an import of the module loads. */
  readonly eagerBytes: number;
  /** The packages that are imported; sorted. */
  readonly packages: readonly string[];
  readonly files: readonly string[];
  /** Those of the files that an import of the module loads, and the packages that they import; sorted. */
  readonly eagerFiles: readonly string[];
  readonly eagerPackages: readonly string[];
};

export function reachOf(root: string, entry: string): Reach {
  const all = walk(resolve(root, entry), true);
  const eager = walk(resolve(root, entry), false);
  return {
    bytes: bytesOf(all.files),
    eagerBytes: bytesOf(eager.files),
    packages: [...all.packages].toSorted(),
    files: [...all.files].map((file) => relative(root, file)).toSorted(),
    eagerFiles: [...eager.files].map((file) => relative(root, file)).toSorted(),
    eagerPackages: [...eager.packages].toSorted(),
  };
}

function bytesOf(files: ReadonlySet<string>): number {
  return [...files].reduce((sum, file) => sum + statSync(file).size, 0);
}

function walk(
  entry: string,
  later: boolean,
): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    for (const { specifier, typeOnly } of importsOf(text)) {
      if (typeOnly || specifier.startsWith("node:")) continue;
      if (!later && text.includes(`import("${specifier}")`)) continue;
      if (specifier.startsWith(".")) files.add(resolve(dirname(file), specifier));
      else packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
    }
  }
  return { files, packages };
}
