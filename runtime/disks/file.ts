/**
 * A folder of the real file system. Operations are performed at once and block the calling thread, so it belongs into a
 * thread of its own. One process at a time may have a folder open (`folder-lock.ts`).
 */
import {
  closeSync,
  type Dirent,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Disk, DiskOperation, DiskResult, NoFile } from "../disk.ts";
import { syncPath } from "./durable-file.ts";
import { FolderLock, isLockFile } from "./folder-lock.ts";

/** How many files are open at once. Beyond it the one used longest ago is closed, unless it has unsynced writes. */
const OPEN_FILES_MAX = 32;

type OpenFile = {
  readonly descriptor: number;
  unsynced: boolean;
  /** The next sync must cover the file's size too: fdatasync may leave out a size that shrank. */
  fullSync: boolean;
};

export class FileDisk implements Disk {
  readonly folder: string;
  readonly #lock: FolderLock;
  /** In order of use, the latest last. */
  readonly #open = new Map<string, OpenFile>();
  #folderDescriptor: number;

  /** Creates the folder, for its owner only, if it is missing. Throws a `FolderLockedError` if it is in use. */
  constructor(folder: string) {
    this.folder = resolve(folder);
    createDurably(this.folder);
    this.#lock = new FolderLock(this.folder);
    this.#folderDescriptor = openSync(this.folder, "r");
  }

  perform(operation: DiskOperation): DiskResult {
    switch (operation.kind) {
      case "list":
        return this.#list();
      case "read":
        return { kind: "bytes", bytes: this.#read(operation) };
      case "write":
        this.#write(operation);
        return { kind: "ok" };
      case "sync":
        this.#sync(operation.file);
        return { kind: "ok" };
      case "syncFolder":
        fsyncSync(this.#folderDescriptor);
        return { kind: "ok" };
      case "rename":
        this.#rename(operation.file, operation.to);
        return { kind: "ok" };
      case "remove":
        unlinkSync(join(this.folder, operation.file));
        this.#forget(operation.file);
        return { kind: "ok" };
      case "truncate": {
        const file = this.#file(operation.file, false);
        file.unsynced = true;
        file.fullSync = true;
        ftruncateSync(file.descriptor, operation.length);
        return { kind: "ok" };
      }
      default:
        throw new Error(`unknown operation: ${JSON.stringify(operation satisfies never)}`);
    }
  }

  /** Releases the folder. What was not synced may still be written by the system. */
  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
    if (this.#folderDescriptor === -1) return;
    closeSync(this.#folderDescriptor);
    this.#folderDescriptor = -1;
    this.#lock.release();
  }

  #list(): DiskResult {
    const entries = readdirSync(this.folder, { withFileTypes: true }).filter(
      ({ name }) => !isLockFile(name),
    );
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ name, size: statSync(join(this.folder, name)).size }));
    return { kind: "files", files, others: noFiles(entries) };
  }

  #read(operation: Extract<DiskOperation, { kind: "read" }>): Uint8Array {
    const { descriptor } = this.#file(operation.file, false);
    const bytes = new Uint8Array(operation.length);
    let filled = 0;
    while (filled < bytes.length) {
      const position = operation.position + filled;
      const count = readSync(descriptor, bytes, filled, bytes.length - filled, position);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  #write(operation: Extract<DiskOperation, { kind: "write" }>): void {
    const file = this.#file(operation.file, true);
    file.unsynced = true;
    let buffers = operation.buffers.filter((chunk) => chunk.length > 0);
    let position = operation.position;
    while (buffers.length > 0) {
      const written = writevSync(file.descriptor, buffers, position);
      position += written;
      buffers = buffersAfter(buffers, written);
    }
  }

  #sync(name: string): void {
    const file = this.#file(name, false);
    if (file.fullSync) fsyncSync(file.descriptor);
    else fdatasyncSync(file.descriptor);
    file.fullSync = false;
    file.unsynced = false;
  }

  #rename(name: string, to: string): void {
    renameSync(join(this.folder, name), join(this.folder, to));
    this.#forget(to);
    const file = this.#open.get(name);
    if (file === undefined) return;
    this.#open.delete(name);
    this.#open.set(to, file);
  }

  #forget(name: string): void {
    const file = this.#open.get(name);
    if (file === undefined) return;
    this.#open.delete(name);
    closeSync(file.descriptor);
  }

  #file(name: string, create: boolean): OpenFile {
    const known = this.#open.get(name);
    if (known !== undefined) {
      this.#open.delete(name);
      this.#open.set(name, known);
      return known;
    }
    this.#closeOldest();
    const path = join(this.folder, name);
    const file = { descriptor: open(path, create), unsynced: false, fullSync: true };
    this.#open.set(name, file);
    return file;
  }

  #closeOldest(): void {
    if (this.#open.size < OPEN_FILES_MAX) return;
    for (const [name, file] of this.#open) {
      if (file.unsynced) continue;
      this.#forget(name);
      return;
    }
  }
}

function open(path: string, create: boolean): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!create || !isMissing) throw error;
    return openSync(path, "wx+", 0o600);
  }
}

/** A new folder is durable only when the one above it is synced. */
function createDurably(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  let created = folder;
  while (created.length >= first.length) {
    syncPath(dirname(created));
    created = dirname(created);
  }
}

/** The entries of a folder that are not regular files. */
export function noFiles(entries: readonly Dirent[]): NoFile[] {
  return entries
    .filter((entry) => !entry.isFile())
    .map((entry) => {
      if (entry.isDirectory()) return { name: entry.name, is: "folder" };
      return { name: entry.name, is: entry.isSymbolicLink() ? "link" : "special" };
    });
}

function buffersAfter(buffers: readonly Uint8Array[], written: number): Uint8Array[] {
  let left = written;
  const rest: Uint8Array[] = [];
  for (const chunk of buffers) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      rest.push(chunk.subarray(left));
      left = 0;
    }
  }
  return rest;
}
