/** How the data folder is listed at a start, and how its small files are read as a whole. */
import type { NoFile } from "../../../runtime/disk.ts";
import { FileDamaged } from "./files.ts";
import { LogStop, perform, type Procedure, readBytes } from "./procedure.ts";

/** Maps the name of every regular file to its size in bytes. */
export type Folder = ReadonlyMap<string, number>;

/** `others` is whatever in the folder is not a regular file. */
export type Listed = { readonly folder: Folder; readonly others: readonly NoFile[] };

export function* listFolder(): Procedure<Listed> {
  const [result] = yield* perform([{ kind: "list" }]);
  if (result?.kind !== "files") throw new LogStop("listing the data folder gave no files");
  const folder = new Map(result.files.map(({ name, size }) => [name, size]));
  return { folder, others: result.others };
}

export function* readWhole(folder: Folder, file: string): Procedure<Uint8Array> {
  return yield* readBytes(file, 0, folder.get(file) ?? 0);
}

/** What `decode` returns, or `other` if the file is damaged. */
export function decodeOr<Value, Other>(decode: () => Value, other: Other): Value | Other {
  try {
    return decode();
  } catch (error) {
    if (error instanceof FileDamaged) return other;
    throw error;
  }
}
