/** A data folder that can only be looked at: no lock is taken, and an operation that would change something is a bug. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../protocol/assert.ts";
import type { DiskOperation, DiskResult } from "../../runtime/disk.ts";
import { isLockFile } from "../../runtime/disks/folder-lock.ts";

/** A file went or shrank since the folder was listed: its node runs. Look again. */
export class FolderChanged extends Error {
  override readonly name = "FolderChanged";
}

type OpenFile = { readonly name: string; readonly descriptor: number };

export class ReadOnlyFolder {
  readonly path: string;
  /** Since it was listed last. */
  bytesRead = 0;
  /** In all segments and snapshots, as they were listed last. */
  bytesToRead = 0;
  /** Of the files as they were listed last. */
  readonly #sizes = new Map<string, number>();
  #open: OpenFile | undefined;

  constructor(path: string) {
    this.path = path;
  }

  perform(operation: DiskOperation): DiskResult {
    if (operation.kind === "list") return { kind: "files", files: this.#list() };
    assert(operation.kind === "read", "an inspection changes nothing");
    return { kind: "bytes", bytes: this.#read(operation) };
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }

  #list(): { name: string; size: number }[] {
    this.close();
    this.bytesRead = 0;
    this.bytesToRead = 0;
    this.#sizes.clear();
    for (const entry of readdirSync(this.path, { withFileTypes: true })) {
      if (!entry.isFile() || isLockFile(entry.name)) continue;
      const stat = statSync(join(this.path, entry.name), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      this.#sizes.set(entry.name, stat.size);
      if (/^(log|snapshot|install)\./.test(entry.name)) this.bytesToRead += stat.size;
    }
    return [...this.#sizes].map(([name, size]) => ({ name, size }));
  }

  #read(operation: Extract<DiskOperation, { kind: "read" }>): Uint8Array {
    const { file, position, length } = operation;
    const descriptor = this.#descriptor(file);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(descriptor, bytes, filled, length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    const expected = Math.min(length, Math.max(0, (this.#sizes.get(file) ?? 0) - position));
    if (filled < expected) throw new FolderChanged(`${file} became shorter`);
    this.bytesRead += filled;
    return bytes.subarray(0, filled);
  }

  /** One file is read at a time. */
  #descriptor(name: string): number {
    if (this.#open?.name === name) return this.#open.descriptor;
    this.close();
    try {
      this.#open = { name, descriptor: openSync(join(this.path, name), "r") };
    } catch (error) {
      const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (isGone) throw new FolderChanged(`${name} is gone`, { cause: error });
      throw error;
    }
    return this.#open.descriptor;
  }
}
