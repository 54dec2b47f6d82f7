/**
 * A data folder that can only be read. It takes no lock, and throws on an operation that would change something, which is a bug.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  installZxid,
  isOfLogFolder,
  isSegmentName,
  snapshotZxid,
} from "../../actors/log/format/files.ts";
import { assert } from "../../protocol/assert.ts";
import type { DiskOperation, DiskResult } from "../../runtime/disk.ts";
import { noFiles } from "../../runtime/disks/file.ts";
import { isLockFile } from "../../runtime/disks/folder-lock.ts";
import { logFolderOf } from "../log-folder.ts";

/** How many files are kept open. Further files are opened when they are read. */
const OPEN_FILES_MAX = 512;

/** A file has disappeared or shrunk since the folder was listed, because its node runs. The look must be repeated. */
export class FolderChanged extends Error {
  override readonly name = "FolderChanged";
}

export class ReadOnlyFolder {
  readonly path: string;
  /** Where the segments of the log lie, if they have a folder of their own. */
  readonly #logPath: string;
  /** The bytes that were read since the last listing. */
  bytesRead = 0;
  /** The bytes of all segments and snapshots in the last listing. */
  bytesToRead = 0;
  /** The sizes of the files in the last listing. */
  readonly #sizes = new Map<string, number>();
  /** The open segments and snapshots. What a running node removes after the listing can still be read through them. */
  readonly #open = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
    this.#logPath = logFolderOf(path) ?? path;
  }

  perform(operation: DiskOperation): DiskResult {
    if (operation.kind === "list") return this.#list();
    assert(operation.kind === "read", "an inspection changes nothing");
    return { kind: "bytes", bytes: this.#read(operation) };
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #list(): DiskResult {
    this.close();
    this.bytesRead = 0;
    this.bytesToRead = 0;
    this.#sizes.clear();
    const folders = [...new Set([this.path, this.#logPath])];
    const entries = folders
      .flatMap((folder) => readdirSync(folder, { withFileTypes: true }))
      .filter(({ name }) => !isLockFile(name));
    for (const entry of entries) if (entry.isFile()) this.#take(entry.name);
    const files = [...this.#sizes].map(([name, size]) => ({ name, size }));
    return { kind: "files", files, others: noFiles(entries) };
  }

  #take(name: string): void {
    const stat = statSync(this.#pathOf(name), { throwIfNoEntry: false });
    if (stat === undefined) {
      if (isOfLog(name)) throw new FolderChanged(`${name} is gone`);
      return;
    }
    this.#sizes.set(name, stat.size);
    if (!isOfLog(name)) return;
    this.bytesToRead += stat.size;
    if (this.#open.size < OPEN_FILES_MAX) this.#keepOpen(name);
  }

  #read(operation: Extract<DiskOperation, { kind: "read" }>): Uint8Array {
    const { file, position, length } = operation;
    const kept = this.#open.get(file);
    const descriptor = kept ?? this.#openFile(file);
    try {
      const bytes = readAt(descriptor, position, length);
      const expected = Math.min(length, Math.max(0, (this.#sizes.get(file) ?? 0) - position));
      // Other files are replaced as a whole and read as a whole, so a shorter one is no sign of a change during a read.
      if (isOfLog(file) && bytes.length < expected) {
        throw new FolderChanged(`${file} became shorter`);
      }
      this.bytesRead += bytes.length;
      return bytes;
    } finally {
      if (kept === undefined) closeSync(descriptor);
    }
  }

  #pathOf(name: string): string {
    return join(isOfLogFolder(name) ? this.#logPath : this.path, name);
  }

  /** Opens a file to keep it readable. If that fails, the error is reported when the file is read. */
  #keepOpen(name: string): void {
    try {
      this.#open.set(name, this.#openFile(name));
    } catch (error) {
      if (error instanceof FolderChanged) throw error;
    }
  }

  #openFile(name: string): number {
    try {
      return openSync(this.#pathOf(name), "r");
    } catch (error) {
      const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (isGone) throw new FolderChanged(`${name} is gone`, { cause: error });
      throw error;
    }
  }
}

function isOfLog(name: string): boolean {
  return isSegmentName(name) || snapshotZxid(name) !== undefined || installZxid(name) !== undefined;
}

function readAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
