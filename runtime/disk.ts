/**
 * A disk as actors see it: operations are data, one folder, flat file names. `runtime/disks/` has a real one and one in
 * memory that loses at a crash what was not fsynced.
 */
export type DiskOperation =
  /** Names and sizes in bytes of all files of the folder, and what else is in it. Result: `files`. */
  | { readonly kind: "list" }
  /** Reads `length` bytes (fewer at the end of the file). A missing file fails with code `ENOENT`. Result: `bytes`. */
  | {
      readonly kind: "read";
      readonly file: string;
      readonly position: number;
      readonly length: number;
    }
  /** Creates the file if it is missing, then writes the chunks one after the other from `position`. Not durable before `sync`. */
  | {
      readonly kind: "write";
      readonly file: string;
      readonly position: number;
      readonly buffers: readonly Uint8Array[];
    }
  /** Makes the file's content durable (fdatasync). */
  | { readonly kind: "sync"; readonly file: string }
  /** Makes creations, renames and removals of the folder durable (fsync of the folder). */
  | { readonly kind: "syncFolder" }
  | { readonly kind: "rename"; readonly file: string; readonly to: string }
  | { readonly kind: "remove"; readonly file: string }
  /** Cuts or extends (with zeros) the file to `length` bytes. */
  | { readonly kind: "truncate"; readonly file: string; readonly length: number };

/** An entry of the folder that is not a regular file. Links are not followed. */
export type NoFile = { readonly name: string; readonly is: "folder" | "link" | "special" };

export type DiskResult =
  | {
      readonly kind: "files";
      readonly files: readonly { name: string; size: number }[];
      readonly others: readonly NoFile[];
    }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "ok" };

/** The outcome of a `disk` effect. On failure the operations after `failedAt` were not performed. */
export type DiskOutcome =
  | { readonly kind: "diskDone"; readonly tag: number; readonly results: readonly DiskResult[] }
  | {
      readonly kind: "diskFailed";
      readonly tag: number;
      readonly failedAt: number;
      readonly operation: DiskOperation["kind"];
      readonly file: string | undefined;
      /** The system's error name, such as `ENOSPC` or `EIO`. */
      readonly code: string;
    };

/** Performs operations at once, in the calling thread. Throws an Error with a `code` such as `ENOSPC`. */
export interface Disk {
  perform(operation: DiskOperation): DiskResult;
  close(): void;
}

/** Performs disk effects, at once or later, in order. */
export interface DiskPort {
  perform(
    tag: number,
    operations: readonly DiskOperation[],
    /** `heldUpMs`: for how long the thread has waited for the disk outside of the actor's step. */
    done: (outcome: DiskOutcome, heldUpMs?: number) => void,
  ): void;
}
