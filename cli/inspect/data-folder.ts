/** Whether a path is the data folder of a node, for commands that read one. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  isOurs,
  OWNER_FILE,
  ZOOKEEPER_ADVICE,
  ZOOKEEPER_FOLDER,
} from "../../actors/log/format/files.ts";
import { isLockFile, lockHolder } from "../../runtime/disks/folder-lock.ts";
import { messageOf } from "../command.ts";

/** Why the path is no data folder of a node; undefined if it is one. */
function whyNoDataFolder(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return `there is no folder ${path}`;
  }
  const entries = readdirSync(path, { withFileTypes: true });
  if (entries.some((entry) => isOurs(entry.name))) return undefined;
  if (entries.some((entry) => entry.name === ZOOKEEPER_FOLDER)) {
    return `${path} is no data folder of zooid: it holds ${ZOOKEEPER_FOLDER}, the transaction logs and snapshots of Apache ZooKeeper: ${ZOOKEEPER_ADVICE}`;
  }
  const nodes = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name))
    .filter((folder) => statSync(join(folder, OWNER_FILE), { throwIfNoEntry: false })?.isFile())
    .sort();
  if (nodes.length > 0) {
    return `${path} is no data folder, but holds those of several nodes; name one of them: ${nodes.join(", ")}`;
  }
  return entries.every((entry) => isLockFile(entry.name))
    ? `${path} is empty: no node has been started with it`
    : `${path} is no data folder of zooid: it has no ${OWNER_FILE}`;
}

/** Why the folder itself cannot be read; undefined if it can. Errors of single files are findings instead. */
export function whyUnreadable(path: string): string | undefined {
  try {
    return whyNoDataFolder(path);
  } catch (error) {
    return `${path} cannot be read: ${messageOf(error)}`;
  }
}

/** The process that has the folder open; undefined if none has. */
export function runningPid(path: string): number | undefined {
  const holder = lockHolder(path);
  return holder?.isAlive === true ? holder.pid : undefined;
}
