/** A file that holds the last good value. It is whole at every moment: the next one is written beside it, and takes its name. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Undefined: there is no such file. */
export async function readFallback(file: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export class FallbackFile {
  readonly #file: string;
  readonly #beside: string;
  #next: Uint8Array | undefined;
  #writing: Promise<void> | undefined;

  /** `suffix` is that of no other writer of the file. */
  constructor(file: string, suffix: string) {
    this.#file = file;
    this.#beside = `${file}.${suffix}.tmp`;
  }

  /** Resolves when these bytes, or later ones, are on disk. */
  async write(data: Uint8Array): Promise<void> {
    this.#next = data;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const data = this.#next;
      this.#next = undefined;
      try {
        await written(this.#beside, data);
        await rename(this.#beside, this.#file);
        await synced(dirname(this.#file));
      } catch (error) {
        await rm(this.#beside, { force: true });
        throw error;
      }
    }
  }
}

async function written(file: string, data: Uint8Array): Promise<void> {
  await using handle = await open(file, "w");
  await handle.writeFile(data);
  await handle.sync();
}

/** The name is on disk only when its folder is. */
async function synced(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}
