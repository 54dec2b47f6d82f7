/** A data folder on a small file system in memory, which can be filled to its last byte and emptied again. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

/** At least this much is kept free while the disk is not meant to be full: enough for two log segments and a snapshot. */
const FREE_BYTES = 96 * 2 ** 20;
const PIECE_BYTES = 2 ** 20;
const BALLAST = "ballast";

export class SmallDisk {
  /** The folder for the node's data. */
  readonly folder: string;
  readonly #mountPoint: string;
  #bytes = FREE_BYTES;
  #full = false;

  /** Throws where mounting is not permitted: it needs root and CAP_SYS_ADMIN. */
  constructor(mountPoint: string) {
    mkdirSync(mountPoint, { recursive: true });
    const options = `size=${FREE_BYTES},mode=0700`;
    try {
      run("mount", "-t", "tmpfs", "-o", options, "zooid-test", mountPoint);
    } catch (error) {
      const said = (error instanceof Error ? error.message : String(error)).trim();
      const why = said.split("\n").at(-1) ?? "";
      throw new Error(
        `a small tmpfs cannot be mounted, which needs root and CAP_SYS_ADMIN: ${why}`,
        {
          cause: error,
        },
      );
    }
    this.#mountPoint = mountPoint;
    this.folder = join(mountPoint, "data");
  }

  /** Writes until nothing more fits. */
  fill(): void {
    this.#full = true;
    const piece = new Uint8Array(PIECE_BYTES);
    const file = openSync(join(this.#mountPoint, BALLAST), "a");
    try {
      for (let length = PIECE_BYTES; length >= 512; ) {
        try {
          // The write that reaches the end of the disk is partial, and the next one fails.
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
    rmSync(join(this.#mountPoint, BALLAST), { force: true });
    this.#full = false;
    this.#grow();
  }

  /** To be called often. It keeps a full disk full when the node purges, and keeps a long run from filling any other disk. */
  tend(): void {
    if (this.#full) this.fill();
    else this.#grow();
  }

  #grow(): void {
    const { bsize, bavail } = statfsSync(this.#mountPoint);
    const missing = FREE_BYTES - bsize * bavail;
    if (missing <= 0) return;
    this.#bytes += missing;
    run("mount", "-o", `remount,size=${this.#bytes}`, this.#mountPoint);
  }

  unmount(): void {
    try {
      run("umount", this.#mountPoint);
    } catch {
      // Some process still uses the file system; it disappears when that process leaves it.
      run("umount", "--lazy", this.#mountPoint);
    }
  }
}

/** What stops this process from mounting; undefined if nothing does. */
export function mountProblem(folder: string): string | undefined {
  try {
    new SmallDisk(join(folder, "probe")).unmount();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, [...args], { stdio: ["ignore", "ignore", "pipe"] });
}
