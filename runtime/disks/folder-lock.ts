/**
 * One process at a time may use a data folder. The file `lock` names its holder: a process id and when that process started,
 * so that a new process with an old number is not taken for it. The lock of a process that is gone is taken over.
 */
import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "lock";
/** Each attempt removes one lock of a process that is gone; more than this many in a row never are. */
const ATTEMPTS_MAX = 10;
const UNKNOWN_START = "";

export class FolderLockedError extends Error {
  override readonly name = "FolderLockedError";
  readonly code = "ZOOID_FOLDER_LOCKED";
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(
      `the data folder ${folder} is in use by process ${pid}: stop that process, or give this node another folder`,
    );
    this.pid = pid;
  }
}

export function isLockFile(name: string): boolean {
  return name === LOCK_FILE || name.startsWith(`${LOCK_FILE}.`);
}

type Holder = { readonly pid: number; readonly started: string };

/** Who has the folder open, or left its lock behind. Only looks. */
export function lockHolder(
  folder: string,
): { readonly pid: number; readonly isAlive: boolean } | undefined {
  const content = readIfThere(join(folder, LOCK_FILE));
  const holder = content === undefined ? undefined : parseHolder(content);
  return holder === undefined ? undefined : { pid: holder.pid, isAlive: isAlive(holder) };
}

export class FolderLock {
  readonly #path: string;
  readonly #content: string;

  constructor(folder: string) {
    this.#path = join(folder, LOCK_FILE);
    const token = randomUUID();
    const holder = { pid: process.pid, started: startOf(process.pid), token };
    this.#content = `${JSON.stringify(holder)}\n`;
    const own = `${this.#path}.${token}`;
    // Linked into place with its content: nobody ever reads half a lock.
    try {
      writeFileSync(own, this.#content, { mode: 0o600, flag: "wx" });
      this.#acquire(folder, own);
    } catch (error) {
      if (codeOf(error) !== "ENOSPC") throw error;
      throw new Error(
        `the disk of the data folder ${folder} is full: make room, then start the node again`,
        { cause: error },
      );
    } finally {
      rmSync(own, { force: true });
    }
  }

  release(): void {
    if (readIfThere(this.#path) === this.#content) unlinkSync(this.#path);
  }

  #acquire(folder: string, own: string): void {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (linkIfFree(own, this.#path)) return;
      const content = readIfThere(this.#path);
      if (content === undefined) continue;
      const holder = parseHolder(content);
      if (holder !== undefined && isAlive(holder)) throw new FolderLockedError(folder, holder.pid);
      this.#removeStale(content);
    }
    throw new Error(`the lock of the data folder ${folder} changes hands too often`);
  }

  /** Another process may be taking over the same lock: what is moved away must be what was judged. */
  #removeStale(content: string): void {
    const aside = `${this.#path}.${randomUUID()}`;
    try {
      renameSync(this.#path, aside);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      throw error;
    }
    if (readIfThere(aside) !== content) linkIfFree(aside, this.#path);
    unlinkSync(aside);
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined for a lock that names nobody. */
function parseHolder(content: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value) || !("started" in value)) return undefined;
    const { pid, started } = value;
    if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1) return undefined;
    return typeof started === "string" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (codeOf(error) === "ESRCH") return false;
  }
  const started = startOf(holder.pid);
  // Where the system does not say when it started, a process with this number counts as the holder.
  return started === UNKNOWN_START || started === holder.started;
}

/** Clock ticks from boot to the start of the process, field 22 of Linux' /proc/PID/stat. */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return UNKNOWN_START;
  // The second field, the program's name in parentheses, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A process that was killed and not yet collected by its parent holds nothing any more.
  if (fields[0] === "Z" || fields[0] === "X") return "ended";
  return fields[19] ?? UNKNOWN_START;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
