/**
 * Makes the data folder of a node of a new ensemble, which begins from a snapshot. `zooid.json` is written last: a folder that was left
 * half made is refused by a node, and by the next restore.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { crc32 } from "node:zlib";
import {
  encodeIncarnation,
  encodeOwner,
  encodePromise,
  type FolderOwner,
  INCARNATION_FILE,
  isTolerated,
  LOG_END_FILE,
  OWNER_FILE,
  PROMISE_FILE,
  snapshotName,
} from "../../../actors/log/format/files.ts";
import { replaceFile } from "../../../actors/log/format/procedure.ts";
import { encodeLogEnd } from "../../../actors/log/segments/log-end.ts";
import { foundedBy } from "../../../protocol/configuration.ts";
import { hexOfBytes, IDENTITY_BYTES } from "../../../protocol/identity.ts";
import { epochOf, type Zxid } from "../../../protocol/zxid.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { FileDisk } from "../../../runtime/disks/file.ts";
import { FolderLockedError, isLockFile } from "../../../runtime/disks/folder-lock.ts";
import { makeDataFolder } from "../../../server/data-folder.ts";
import { messageOf } from "../../command.ts";
import { codeOf } from "../file/error-codes.ts";

/** Nothing can be restored into this folder. The message says why, and what to do. */
export class RestoreRefused extends Error {
  override readonly name = "RestoreRefused";
}

/** Why nothing is restored into the folder; undefined if it is empty or not there. */
export function whyNotEmpty(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return `${folder} cannot be read: ${messageOf(error)}`;
  }
  const found = names.filter((name) => !mayStay(name)).sort();
  if (found.length === 0) return undefined;
  const shown = found.slice(0, 5).join(", ");
  const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
  const why = found.includes(OWNER_FILE)
    ? "it is the data folder of a node"
    : "if an earlier restore did not finish, remove what it left";
  return `${folder} is not empty (${shown}${more}): ${why}. Nothing is overwritten: name another folder, or empty this one`;
}

/** What may lie beside the files of a node, and says nothing of a log. */
function mayStay(name: string): boolean {
  return isLockFile(name) || (isTolerated(name) && !/^(skipped|log-|data-)/.test(name));
}

/** Writes the chunks and everything else that a data folder has. Throws `RestoreRefused`; once writing has begun, the folder is left half made. */
export function restoreFolder(
  folder: string,
  owner: FolderOwner,
  { zxid, chunks }: { readonly zxid: Zxid; readonly chunks: Iterable<Uint8Array> },
): void {
  const disk = openFolder(folder);
  try {
    const why = whyNotEmpty(folder);
    if (why !== undefined) throw new RestoreRefused(why);
    writeFolder(disk, owner, zxid, chunks);
  } catch (error) {
    throw problemOf(folder, error);
  } finally {
    disk.close();
  }
}

/** An error of the system is about the folder, and never about the backup, which has been read by then. */
function problemOf(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || !("syscall" in (error as object))) return error;
  const why =
    code === "ENOSPC" || code === "EDQUOT"
      ? `the disk of ${folder} is full: remove what is in the folder, make room, then try again`
      : `${folder} cannot be written: ${messageOf(error)}. Remove what is in the folder before the next attempt`;
  return new RestoreRefused(why, { cause: error });
}

function openFolder(folder: string): FileDisk {
  try {
    makeDataFolder(folder);
    return new FileDisk(folder);
  } catch (error) {
    const why =
      error instanceof FolderLockedError
        ? `${folder} is in use by process ${error.pid}. Nothing is overwritten: name another folder`
        : messageOf(error);
    throw new RestoreRefused(why, { cause: error });
  }
}

function writeFolder(
  disk: FileDisk,
  owner: FolderOwner,
  zxid: Zxid,
  chunks: Iterable<Uint8Array>,
): void {
  const perform = (operations: readonly DiskOperation[]): void => {
    for (const operation of operations) disk.perform(operation);
  };
  const { server, members } = owner;
  const file = snapshotName(zxid);
  let position = 0;
  for (const bytes of chunks) {
    perform([{ kind: "write", file, position, buffers: [bytes] }]);
    position += bytes.length;
  }
  perform([{ kind: "sync", file }, { kind: "syncFolder" }]);
  const promise = { epoch: epochOf(zxid), candidate: server };
  perform(replaceFile(PROMISE_FILE, encodePromise(promise, crc32)));
  perform(replaceFile(LOG_END_FILE, encodeLogEnd(zxid, crc32)));
  // Folders of members count their starts from a wall clock on, as a node makes them.
  const isAlone = members.length === 1;
  const incarnation = isAlone ? 1 : Date.now();
  perform(replaceFile(INCARNATION_FILE, encodeIncarnation(incarnation, crc32)));
  const identity = hexOfBytes(randomBytes(IDENTITY_BYTES));
  // A node alone is an ensemble at once; several found theirs when all know of each other.
  const configuration = isAlone ? foundedBy([{ id: server, identity }]) : undefined;
  const own = { identity, members, configuration };
  perform(replaceFile(OWNER_FILE, encodeOwner(owner, own, crc32)));
}
