/** What is in a data folder, file by file, so that it can be told whether anything was changed. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The digest of every file by its name. */
export type FolderDigest = ReadonlyMap<string, string>;

/** Says which process has the folder, so every start writes it, also one that is refused. */
const LOCK = "lock";

export function digestFolder(folder: string): FolderDigest {
  const names = readdirSync(folder).filter((name) => name !== LOCK);
  return new Map(
    names.map((name) => {
      const bytes = readFileSync(join(folder, name));
      return [name, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

/** Names of files that were made, removed, or are not what they were. */
export function changedFiles(before: FolderDigest, after: FolderDigest): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}
