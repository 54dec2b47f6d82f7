/** Makes a folder for data, with a message for people when that cannot be. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * With the folders above it. Not by `recursive: true`, which never returns where a folder can be seen but nothing be made in it
 * (such as /proc).
 */
export function makeDataFolder(folder: string): void {
  try {
    make(resolve(folder));
  } catch (error) {
    throw new Error(`the data folder ${folder} cannot be made: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function make(folder: string): void {
  if (isFolder(folder)) return;
  const above = dirname(folder);
  if (above !== folder) make(above);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else made it meanwhile.
    if (!isFolder(folder)) throw error;
  }
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
