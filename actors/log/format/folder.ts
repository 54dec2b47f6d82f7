/** What is in the data folder at a start, and its small files read as a whole. */
import type { NoFile } from "../../../runtime/disk.ts";
import { FileDamaged } from "./files.ts";
import { LogStop, perform, type Procedure, readBytes } from "./procedure.ts";

/** Name and size of every file. */
export type Folder = ReadonlyMap<string, number>;

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

export function decodeOr<Value, Other>(decode: () => Value, other: Other): Value | Other {
  try {
    return decode();
  } catch (error) {
    if (error instanceof FileDamaged) return other;
    throw error;
  }
}
