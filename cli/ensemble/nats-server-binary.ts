/**
 * Where the nats-server program comes from: this machine, or Debian's package unpacked into a cache folder, which needs
 * no root.
 */
import { execFile } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ZooidError } from "../../protocol/errors.ts";

const NAME = "nats-server";
const VARIABLE = "ZOOID_NATS_SERVER";
/** Package lists and package together are about 13 MB; a command that takes longer is given up. */
const COMMAND_TIMEOUT_MS = 120_000;

const ADVICE = `install it (Debian: apt-get install nats-server), or name it in ${VARIABLE}, or give the URL of a server that runs`;

/** There is no nats-server and none could be fetched. The message says what to do. */
export class NatsServerMissingError extends ZooidError {
  override readonly name = "NatsServerMissingError";
  readonly code = "ZOOID_NATS_SERVER_MISSING";
  readonly retryable = false;
}

export type NatsServerPlaces = {
  /** A program to use whatever else there is. Default: the environment's ZOOID_NATS_SERVER. */
  readonly program?: string | undefined;
  /** Looked through in order. Default: the PATH, then /usr/sbin. */
  readonly folders?: readonly string[];
  /** Where a fetched one is kept. Default: `node_modules/.cache/zooid` in a checkout, else `~/.cache/zooid`. */
  readonly cacheFolder?: string;
  /** Told once, before something is downloaded. */
  readonly onFetch?: (cacheFolder: string) => void;
};

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function defaultFolders(): readonly string[] {
  const path = process.env["PATH"] ?? "";
  return [...path.split(delimiter).filter((folder) => folder !== ""), "/usr/sbin"];
}

function defaultCacheFolder(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const modules = join(root, "node_modules");
  if (isProgram(modules)) return join(modules, ".cache", "zooid");
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "zooid");
}

type Command = { readonly folder: string; readonly options: readonly string[] };

async function apt(command: Command, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)("apt-get", [...command.options, ...args], {
    cwd: command.folder,
    timeout: COMMAND_TIMEOUT_MS,
  });
}

/** With the machine's package lists; where it has none (as in most container images), with lists of our own. */
async function downloadPackage(folder: string): Promise<void> {
  const plain = { folder, options: ["-o", "APT::Sandbox::User=root"] };
  try {
    await apt(plain, "download", NAME);
  } catch {
    const lists = join(folder, "lists");
    const cache = join(folder, "cache");
    mkdirSync(join(lists, "partial"), { recursive: true });
    mkdirSync(join(cache, "archives", "partial"), { recursive: true });
    const own = ["-o", `Dir::State::lists=${lists}`, "-o", `Dir::Cache=${cache}`];
    const options = [...plain.options, ...own];
    await apt({ folder, options }, "update");
    await apt({ folder, options }, "download", NAME);
  }
}

/** Returns the fetched program. Safe when several processes do it at once: the last rename wins, all are the same. */
async function fetchInto(cacheFolder: string): Promise<string> {
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "zooid-nats-"));
  const unpacked = mkdtempSync(join(cacheFolder, "unpack-"));
  try {
    await downloadPackage(folder);
    const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded nothing");
    await promisify(execFile)("dpkg", ["-x", join(folder, file), unpacked], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    const program = join(cacheFolder, NAME);
    renameSync(join(unpacked, "usr", "sbin", NAME), program);
    return program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** The path of a nats-server that can be started. */
export async function natsServerProgram(places: NatsServerPlaces = {}): Promise<string> {
  const named = places.program ?? process.env[VARIABLE];
  if (named !== undefined && named !== "") {
    if (isProgram(named)) return named;
    throw new NatsServerMissingError(`${named}, named as the nats-server, is no program`);
  }
  const cacheFolder = places.cacheFolder ?? defaultCacheFolder();
  const folders = [...(places.folders ?? defaultFolders()), cacheFolder];
  const found = folders.map((folder) => join(folder, NAME)).find(isProgram);
  if (found !== undefined) return found;
  places.onFetch?.(cacheFolder);
  try {
    return await fetchInto(cacheFolder);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new NatsServerMissingError(
      `no nats-server on this machine, and none could be fetched (${why}): ${ADVICE}`,
      { cause: error },
    );
  }
}
