/**
 * Finds the nats-server program on this machine, or downloads Debian's package and unpacks it into a cache folder, which needs no root.
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
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../cache-folder.ts";
import { ZooidError } from "../../protocol/errors.ts";

const NAME = "nats-server";
const VARIABLE = "ZOOID_NATS_SERVER";
/** A command that takes longer is given up. The package lists and the package together are about 13 MB. */
const COMMAND_TIMEOUT_MS = 120_000;

const ADVICE = `install it (Debian: apt-get install nats-server), or name it in ${VARIABLE}, or give the URL of a server that runs`;

/** There is no nats-server and none could be fetched. The message says what to do. */
export class NatsServerMissingError extends ZooidError {
  override readonly name = "NatsServerMissingError";
  readonly code = "ZOOID_NATS_SERVER_MISSING";
  readonly retryable = false;
}

export type NatsServerPlaces = {
  /** The program to use, if it is given. Default: the environment variable ZOOID_NATS_SERVER. */
  readonly program?: string | undefined;
  /** The folders to search, in order. Default: those of the PATH, then /usr/sbin. */
  readonly folders?: readonly string[];
  /** The folder for a downloaded program. Default: `node_modules/.cache/zooid` in a checkout, else `~/.cache/zooid`. */
  readonly cacheFolder?: string;
  /** Called once before anything is downloaded. */
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

type Command = { readonly folder: string; readonly options: readonly string[] };

async function apt(command: Command, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)("apt-get", [...command.options, ...args], {
    cwd: command.folder,
    timeout: COMMAND_TIMEOUT_MS,
  });
}

/**
 * Uses the machine's package lists, or, where it has none (as in most container images), lists that are downloaded for this
 * purpose.
 */
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

/**
 * Downloads the program and returns its path. Several processes may do so at once: the last rename wins, and all files are equal.
 */
async function fetchInto(cache: string): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "zooid-nats-"));
  const unpacked = mkdtempSync(join(cache, "unpack-"));
  try {
    await downloadPackage(folder);
    const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded nothing");
    await promisify(execFile)("dpkg", ["-x", join(folder, file), unpacked], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    const program = join(cache, NAME);
    renameSync(join(unpacked, "usr", "sbin", NAME), program);
    return program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** Returns the path of a nats-server that can be started. Rejects with a `NatsServerMissingError`. */
export async function natsServerProgram(places: NatsServerPlaces = {}): Promise<string> {
  const named = places.program ?? process.env[VARIABLE];
  if (named !== undefined && named !== "") {
    if (isProgram(named)) return named;
    throw new NatsServerMissingError(`${named}, named as the nats-server, is no program`);
  }
  const fetched = places.cacheFolder ?? cacheFolder();
  const folders = [...(places.folders ?? defaultFolders()), fetched];
  const found = folders.map((folder) => join(folder, NAME)).find(isProgram);
  if (found !== undefined) return found;
  places.onFetch?.(fetched);
  try {
    return await fetchInto(fetched);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new NatsServerMissingError(
      `no nats-server on this machine, and none could be fetched (${why}): ${ADVICE}`,
      { cause: error },
    );
  }
}
