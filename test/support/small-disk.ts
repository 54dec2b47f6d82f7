/** A small file system in memory for a data folder, which can be filled to its last byte and emptied again. Mounting needs root. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Room for some log segments. */
const BYTES = 96 * 2 ** 20;
const PIECE_BYTES = 2 ** 20;

export class SmallDisk {
  /** For the node's data. */
  readonly folder: string;
  readonly #mountPoint: string;
  readonly #ballast: string;

  constructor(mountPoint: string) {
    mkdirSync(mountPoint, { recursive: true });
    try {
      run("mount", "-t", "tmpfs", "-o", `size=${BYTES},mode=0700`, "zooid-test", mountPoint);
    } catch (error) {
      throw new Error("this test mounts a small tmpfs, which needs root and CAP_SYS_ADMIN", {
        cause: error,
      });
    }
    this.#mountPoint = mountPoint;
    this.#ballast = join(mountPoint, "ballast");
    this.folder = join(mountPoint, "data");
  }

  /** Until nothing more fits. */
  fill(): void {
    const piece = new Uint8Array(PIECE_BYTES);
    const file = openSync(this.#ballast, "a");
    try {
      for (let length = PIECE_BYTES; length >= 512; ) {
        try {
          // A write that meets the end writes what fits, and the next one fails.
          writeSync(file, piece, 0, length);
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
          length /= 2;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    run("umount", "--lazy", this.#mountPoint);
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, [...args], { stdio: ["ignore", "ignore", "pipe"] });
}
