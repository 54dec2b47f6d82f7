/**
 * Where a backup goes: a file, which is there under its name only when it is whole and durable, or standard output. A file that is there
 * is never overwritten.
 */
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { codeOf } from "./error-codes.ts";
import { writePaced } from "./paced-write.ts";

export type Output = {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it durable, and gives it its name. */
  finish(): Promise<void>;
  /** Removes what was written so far. It never rejects for what has failed before. */
  abandon(): Promise<void>;
};

/** The output cannot be written to. The message says why, and what to do. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/** How many bytes are put together for one write. */
const BUFFER_BYTES: number = 1024 * 1024;

/** A file for its owner only: it holds the passwords of sessions, and whatever clients write. */
export class FileOutput implements Output {
  readonly #path: string;
  readonly #temporary: string;
  #file: FileHandle | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** Throws an `OutputError` if there is such a file already, or none can be made there. */
  static async create(path: string): Promise<FileOutput> {
    const whole = resolve(path);
    refuseExisting(path);
    removeLeftovers(whole);
    const token = randomBytes(4).toString("hex");
    const temporary = `${whole}.partial.${process.pid}.${token}`;
    try {
      return new FileOutput(whole, temporary, await open(temporary, "wx", 0o600));
    } catch (error) {
      throw problemOf(path, error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= BUFFER_BYTES) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#flush();
    try {
      await this.#file?.sync();
      await this.#close();
      giveName(this.#temporary, this.#path);
      await syncFolder(dirname(this.#path));
    } catch (error) {
      throw problemOf(this.#path, error);
    }
  }

  async abandon(): Promise<void> {
    this.#waiting = [];
    // A disk that has failed may say so again, and the first failure is the one to report.
    await this.#close().catch(() => undefined);
    try {
      rmSync(this.#temporary, { force: true });
    } catch {
      // What could not be removed is removed by the next backup of this name.
    }
  }

  async #flush(): Promise<void> {
    const buffers = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    try {
      if (this.#file !== undefined) await writePaced(this.#file, Buffer.concat(buffers));
    } catch (error) {
      throw problemOf(this.#path, error);
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** Whoever made a file of this name meanwhile keeps it: a link is never made over one. */
function giveName(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw existing(path);
    // The file system knows no links.
    renameSync(temporary, path);
    return;
  }
  unlinkSync(temporary);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what earlier processes that were killed have left of a file of this name. */
function removeLeftovers(path: string): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.partial.`;
  for (const name of namesIn(folder)) {
    const pid = Number(/^(\d+)\.[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1]);
    if (name.startsWith(prefix) && Number.isInteger(pid) && !isAlive(pid)) {
      rmSync(join(folder, name), { force: true });
    }
  }
}

/** None, if the folder cannot be read: what is made there says why. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

/** Throws an `OutputError` if there is such a file already. */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw existing(path);
}

function existing(path: string): OutputError {
  return new OutputError(`${path} is there already, and is not overwritten`);
}

function problemOf(path: string, error: unknown): Error {
  if (error instanceof OutputError) return error;
  const why = WHYS[codeOf(error) ?? ""];
  const full = FULL[codeOf(error) ?? ""];
  const said = full === undefined ? (why ?? String(error)) : `${full}. ${NOTHING_LEFT}`;
  return new OutputError(`${path} cannot be written: ${said}`, { cause: error });
}

const NOTHING_LEFT = "Nothing is left of it; make room, then try again";

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of the disk is used up",
};

const WHYS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "there is no such folder",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system cannot be written to",
};

/** Standard output, or a pipe. What was written cannot be taken back: a reader finds that the end is missing. */
export class StreamOutput implements Output {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Each write reports its own failure.
    stream.on("error", () => undefined);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve_, reject) => {
      this.#stream.write(bytes, (error) => {
        if (error === null || error === undefined) resolve_();
        else reject(streamProblem(error));
      });
    });
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }
}

function streamProblem(error: Error): OutputError {
  const full = FULL[codeOf(error) ?? ""];
  if (codeOf(error) === "EPIPE") {
    return new OutputError("the output is not read any more", { cause: error });
  }
  const why = full === undefined ? error.message : `${full}. What is there is no backup`;
  return new OutputError(`standard output cannot be written: ${why}`, { cause: error });
}
