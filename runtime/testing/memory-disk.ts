/**
 * A disk in memory that forgets at a crash what was not made durable. A file's content and the folder's entries are made
 * durable apart: by `sync` and by `syncFolder`.
 */
import type { Disk, DiskOperation, DiskResult } from "../disk.ts";
import { DiskError } from "../disks/error.ts";

const SECTOR_BYTES = 512;
const TORN_TAIL_BYTES = 8;

/** What an operation did to a file's content, enough to take it back and to do it again in part. */
type Undo =
  | {
      readonly kind: "write";
      readonly position: number;
      readonly bytes: Uint8Array;
      readonly overwritten: Uint8Array;
      readonly lengthBefore: number;
    }
  | {
      readonly kind: "truncate";
      readonly length: number;
      /** The bytes that lay after `length`. */
      readonly cut: Uint8Array;
      readonly lengthBefore: number;
    };

type Inode = { bytes: Uint8Array; length: number; unsynced: Undo[] };

/** A change of the folder since its last sync. */
type FolderChange = readonly { readonly name: string; readonly inode: Inode | undefined }[];

export type Unsynced = {
  /** The folder has an entry for it. */
  readonly isNamed: boolean;
  readonly isCut: boolean;
  /** The lowest position; infinite: none. */
  readonly writtenFrom: number;
};

export type MemoryDiskOptions = {
  /** Bytes that all files together may take. A write beyond it fills what is left and fails with `ENOSPC`. Default: no limit. */
  readonly capacityBytes?: number;
  /** Files that are there, and durable, from the start. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
};

export class MemoryDisk implements Disk {
  /** May be changed at any time: space that comes and goes. */
  capacityBytes: number;
  /** Asked before each operation: a returned code, such as `EIO`, makes it fail without an effect. */
  failure: ((operation: DiskOperation) => string | undefined) | undefined = undefined;
  #entries = new Map<string, Inode>();
  #durableEntries = new Map<string, Inode>();
  #folderChanges: FolderChange[] = [];

  constructor(options: MemoryDiskOptions = {}) {
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    for (const [name, bytes] of Object.entries(options.files ?? {})) {
      this.#entries.set(name, { bytes: bytes.slice(), length: bytes.length, unsynced: [] });
    }
    this.#durableEntries = new Map(this.#entries);
  }

  perform(operation: DiskOperation): DiskResult {
    const code = this.failure?.(operation);
    if (code !== undefined) throw new DiskError(code, operation);
    switch (operation.kind) {
      case "list": {
        const files = [...this.#entries].map(([name, inode]) => ({ name, size: inode.length }));
        return { kind: "files", files, others: [] };
      }
      case "read": {
        const inode = this.#inode(operation);
        const end = Math.min(inode.length, operation.position + operation.length);
        return { kind: "bytes", bytes: inode.bytes.slice(operation.position, end) };
      }
      case "write":
        this.#write(operation);
        return { kind: "ok" };
      case "sync":
        this.#inode(operation).unsynced = [];
        return { kind: "ok" };
      case "syncFolder":
        this.#durableEntries = new Map(this.#entries);
        this.#folderChanges = [];
        return { kind: "ok" };
      case "rename": {
        const inode = this.#inode(operation);
        const { file, to } = operation;
        this.#change([
          { name: file, inode: undefined },
          { name: to, inode },
        ]);
        return { kind: "ok" };
      }
      case "remove":
        this.#inode(operation);
        this.#change([{ name: operation.file, inode: undefined }]);
        return { kind: "ok" };
      case "truncate":
        this.#truncate(operation);
        return { kind: "ok" };
      default:
        throw new Error(`unknown operation: ${JSON.stringify(operation satisfies never)}`);
    }
  }

  close(): void {}

  /**
   * The power fails. Each write of a file since its last sync is kept, lost, kept up to a byte, or kept in some of its
   * sectors; of the folder's changes since its last sync only the first few are kept. `random`: uniform in [0, 1).
   */
  crash(random: () => number): void {
    const inodes = new Set([...this.#entries.values(), ...this.#durableEntries.values()]);
    for (const inode of inodes) crashContent(inode, random);
    const kept = Math.floor(random() * (this.#folderChanges.length + 1));
    this.#entries = this.#durableEntries;
    for (const change of this.#folderChanges.slice(0, kept)) applyChange(this.#entries, change);
    this.#durableEntries = new Map(this.#entries);
    this.#folderChanges = [];
  }

  /** A copy of one file as a program would read it now; undefined if there is none. */
  content(file: string): Uint8Array | undefined {
    const inode = this.#entries.get(file);
    return inode === undefined ? undefined : contentOf(inode);
  }

  /** A copy of every file as a program would read it now. */
  snapshot(): Record<string, Uint8Array> {
    const files = [...this.#entries].map(([name, inode]) => [name, contentOf(inode)] as const);
    return Object.fromEntries(files);
  }

  /** What a power failure may still take back, by file. */
  unsynced(): ReadonlyMap<string, Unsynced> {
    const files = new Map<string, Unsynced>();
    for (const [name, inode] of this.#entries) {
      const isNamed = this.#durableEntries.get(name) === inode;
      const isCut = inode.unsynced.some(({ kind }) => kind === "truncate");
      const writes = inode.unsynced.map((one) => (one.kind === "write" ? one.position : Infinity));
      if (isNamed && writes.length === 0) continue;
      files.set(name, { isNamed, isCut, writtenFrom: Math.min(...writes) });
    }
    return files;
  }

  #inode(operation: Extract<DiskOperation, { file: string }>): Inode {
    const inode = this.#entries.get(operation.file);
    if (inode === undefined) throw new DiskError("ENOENT", operation);
    return inode;
  }

  #change(change: FolderChange): void {
    applyChange(this.#entries, change);
    this.#folderChanges.push(change);
  }

  #write(operation: Extract<DiskOperation, { kind: "write" }>): void {
    let inode = this.#entries.get(operation.file);
    if (inode === undefined) {
      inode = { bytes: new Uint8Array(0), length: 0, unsynced: [] };
      this.#change([{ name: operation.file, inode }]);
    }
    const bytes = concatenate(operation.buffers);
    const growth = Math.max(0, operation.position + bytes.length - inode.length);
    const missing = Math.min(growth, Math.max(0, this.#used() + growth - this.capacityBytes));
    const written = bytes.subarray(0, Math.max(0, bytes.length - missing));
    inode.unsynced.push(writeContent(inode, operation.position, written));
    if (missing > 0) throw new DiskError("ENOSPC", operation);
  }

  #truncate(operation: Extract<DiskOperation, { kind: "truncate" }>): void {
    const inode = this.#inode(operation);
    if (this.#used() + operation.length - inode.length > this.capacityBytes) {
      if (operation.length > inode.length) throw new DiskError("ENOSPC", operation);
    }
    inode.unsynced.push(truncateContent(inode, operation.length));
  }

  #used(): number {
    let used = 0;
    for (const inode of this.#entries.values()) used += inode.length;
    return used;
  }
}

function applyChange(entries: Map<string, Inode>, change: FolderChange): void {
  for (const { name, inode } of change) {
    if (inode === undefined) entries.delete(name);
    else entries.set(name, inode);
  }
}

function contentOf(inode: Inode): Uint8Array {
  return inode.bytes.slice(0, inode.length);
}

function writeContent(inode: Inode, position: number, bytes: Uint8Array): Undo {
  const lengthBefore = inode.length;
  const end = position + bytes.length;
  reserve(inode, end);
  const overwritten = inode.bytes.slice(position, Math.max(position, Math.min(end, lengthBefore)));
  inode.bytes.set(bytes, position);
  if (bytes.length > 0) inode.length = Math.max(lengthBefore, end);
  return { kind: "write", position, bytes, overwritten, lengthBefore };
}

function truncateContent(inode: Inode, length: number): Undo {
  const lengthBefore = inode.length;
  reserve(inode, length);
  const cut = inode.bytes.slice(length, Math.max(length, lengthBefore));
  inode.bytes.fill(0, Math.min(length, lengthBefore), Math.max(length, lengthBefore));
  inode.length = length;
  return { kind: "truncate", length, cut, lengthBefore };
}

/** Bytes after `length` are always zero, so a file that grows has zeros in its gaps. */
function reserve(inode: Inode, length: number): void {
  if (length <= inode.bytes.length) return;
  const larger = new Uint8Array(Math.max(length, inode.bytes.length * 2));
  larger.set(inode.bytes);
  inode.bytes = larger;
}

function undo(inode: Inode, entry: Undo): void {
  if (entry.kind === "truncate") {
    inode.bytes.fill(0, Math.min(entry.length, entry.lengthBefore), inode.length);
    inode.bytes.set(entry.cut, entry.length);
  } else {
    inode.bytes.set(entry.overwritten, entry.position);
    if (inode.length > entry.lengthBefore) inode.bytes.fill(0, entry.lengthBefore, inode.length);
  }
  inode.length = entry.lengthBefore;
}

function crashContent(inode: Inode, random: () => number): void {
  const { unsynced } = inode;
  inode.unsynced = [];
  for (const entry of unsynced.toReversed()) undo(inode, entry);
  for (const entry of unsynced) {
    if (entry.kind === "truncate") {
      if (random() < 0.5) truncateContent(inode, entry.length);
    } else keepSome(inode, entry.position, entry.bytes, random);
  }
}

function keepSome(inode: Inode, position: number, bytes: Uint8Array, random: () => number): void {
  const fate = Math.floor(random() * 4);
  if (fate === 0) writeContent(inode, position, bytes);
  if (fate === 1) {
    writeContent(inode, position, bytes.subarray(0, tornAt(bytes.length, random())));
  }
  if (fate !== 2) return;
  let offset = 0;
  while (offset < bytes.length) {
    const sectorEnd = SECTOR_BYTES - ((position + offset) % SECTOR_BYTES);
    const sector = bytes.subarray(offset, offset + sectorEnd);
    if (random() < 0.5) writeContent(inode, position + offset, sector);
    offset += sectorEnd;
  }
}

/** In half of the cases anywhere, else in the last few bytes, where a torn write is hardest to tell from a whole one. */
function tornAt(length: number, random: number): number {
  if (random < 0.5) return Math.floor(2 * random * (length + 1));
  return Math.max(0, length - Math.floor((2 * random - 1) * TORN_TAIL_BYTES));
}

function concatenate(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of buffers) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
