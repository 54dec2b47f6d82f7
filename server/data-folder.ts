/** Makes a folder for data, for its owner only, with a message for people when that cannot be. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { syncPath } from "../runtime/disks/durable-file.ts";

/**
 * Makes the folder and those above it that are missing, durably. It does not use `recursive: true` of Node, which never returns where
 * a folder can be seen but nothing can be made in it (such as /proc).
 */
export function makeDataFolder(folder: string): void {
  try {
    make(resolve(folder), FOLDER_MODE);
  } catch (error) {
    throw new Error(`the data folder ${folder} cannot be made: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** For its owner only: it holds the passwords of sessions, and whatever clients write. */
const FOLDER_MODE = 0o700;

function make(folder: string, mode?: number): void {
  if (isFolder(folder)) return;
  const above = dirname(folder);
  if (above !== folder) make(above);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Somebody else made it meanwhile.
    if (!isFolder(folder)) throw error;
    return;
  }
  // A new folder is durable only when the one above it is synced.
  syncPath(above);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function reasonOf(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  switch (code) {
    case "EEXIST":
    case "ENOTDIR":
      return `${path ?? "something"} is there and is no folder`;
    case "EACCES":
    case "EPERM":
      return `this user may not write in ${path === undefined ? "it" : dirname(path)}`;
    case "EROFS":
      return "its file system cannot be written to";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
