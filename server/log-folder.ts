/**
 * The data folder of a node, or two: with `dataLogDir` the segments of the log lie in a folder of their own, on a disk of their own. Each of the two holds a
 * file that names the other by a number drawn when they were first used together, so that a folder of another node, an old one, or one
 * whose disk is not mounted is refused. docs/internals/disk-format.md describes it.
 */
import { randomBytes } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { crc32 } from "node:zlib";
import {
  checkOwner,
  decodeOwner,
  type FolderOwner,
  isOfLogFolder,
  isReused,
  OTHER_DATA_FILE,
  OTHER_LOG_FILE,
  OWNER_FILE,
  SPARE_FILE,
} from "../actors/log/format/files.ts";
import type { Disk } from "../runtime/disk.ts";
import { replaceDurably, syncPath } from "../runtime/disks/durable-file.ts";
import { FileDisk } from "../runtime/disks/file.ts";
import { SplitDisk } from "../runtime/disks/split.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { makeDataFolder } from "./data-folder.ts";

type Folders = { readonly dataDir: string; readonly dataLogDir: string };

type Other = { readonly version: 1; readonly pair: string; readonly folder: string };

const MOVED_FILE = "moved.new";
const PAIR_BYTES = 16;

/**
 * Opens the folder or the folders. Throws if they do not belong together, or are in use, or if a log would be moved that is not the owner's;
 * nothing is changed then.
 */
export function openDataFolders(
  { dataDir, dataLogDir }: Pick<NodeConfig, "dataDir" | "dataLogDir">,
  owner?: FolderOwner,
): Disk {
  if (dataLogDir === undefined) {
    const disk = new FileDisk(dataDir);
    return ifFit(disk, () => checkAlone(dataDir)) ?? disk;
  }
  makeDataFolder(dataLogDir);
  const first = new FileDisk(dataDir);
  const second = ifFit(first, () => new FileDisk(dataLogDir));
  const hidden = insides({ dataDir, dataLogDir });
  const disk = new SplitDisk({ first, second, isOfSecond: isOfLogFolder, hidden });
  ifFit(disk, () => {
    const folders = { dataDir, dataLogDir };
    putTogether(folders, owner);
    moveLog(folders);
  });
  return disk;
}

/** As whose the folders of a node with these settings are opened. */
export function ownerOf({
  id,
  ensemble,
  members,
}: Pick<NodeConfig, "id" | "ensemble" | "members">): FolderOwner {
  return { server: id, ensemble, members };
}

/** The name by which the one folder is seen in the other. */
function insides({ dataDir, dataLogDir }: Folders): readonly string[] {
  const [data, log] = [resolve(dataDir), resolve(dataLogDir)];
  const first = (path: string): string => path.split(sep)[0] ?? "";
  return [relative(data, log), relative(log, data)].map(first).filter((name) => name !== "..");
}

function ifFit<Value>(disk: Disk, step: () => Value): Value {
  try {
    return step();
  } catch (error) {
    disk.close();
    throw error;
  }
}

/** Where the log of the data folder lies; undefined: in it. */
export function logFolderOf(dataDir: string): string | undefined {
  return readOther(join(dataDir, OTHER_LOG_FILE))?.folder;
}

function checkAlone(dataDir: string): undefined {
  if (hasFile(dataDir, OTHER_DATA_FILE)) throw isNoDataFolder(dataDir);
  if (!hasFile(dataDir, OTHER_LOG_FILE)) return undefined;
  const folder = logFolderOf(dataDir) ?? "another folder";
  throw new Error(
    `the log of the data folder ${dataDir} lies in ${folder}: give dataLogDir=${folder} (--data-log-dir) again. Nothing was changed.`,
  );
}

function isNoDataFolder(dataDir: string): Error {
  return new Error(
    `${dataDir} holds the log of another folder, and is no data folder (${OTHER_DATA_FILE}): give it as dataLogDir, and its data folder as dataDir. Nothing was changed.`,
  );
}

/** The node that starts is the one that the folder is of, as far as that is known. */
function checkBelongs(dataDir: string, owner: FolderOwner): void {
  if (!hasFile(dataDir, OWNER_FILE)) return;
  checkOwner(decodeOwner(readFileSync(join(dataDir, OWNER_FILE)), crc32), owner);
}

function putTogether(folders: Folders, owner: FolderOwner | undefined): void {
  const { dataDir, dataLogDir } = folders;
  if (hasFile(dataDir, OTHER_DATA_FILE)) throw isNoDataFolder(dataDir);
  const ofLog = readOther(join(dataDir, OTHER_LOG_FILE));
  const ofData = readOther(join(dataLogDir, OTHER_DATA_FILE));
  if (hasFile(dataDir, OTHER_LOG_FILE)) {
    if (ofLog === undefined || ofLog.pair !== ofData?.pair) throw notTogether(folders, ofLog);
    if (ofLog.folder !== dataLogDir) writeOther(dataDir, OTHER_LOG_FILE, ofLog.pair, dataLogDir);
    return;
  }
  if (owner !== undefined) checkBelongs(dataDir, owner);
  // A crash before the second of the two files leaves a folder without a log in it.
  const strange = readdirSync(dataLogDir).find(
    (name) => isOfLogFolder(name) || name === OWNER_FILE,
  );
  if (strange !== undefined) {
    throw new Error(
      `${dataLogDir} holds ${strange} of another node: give this node a dataLogDir of its own, an empty folder. Nothing was changed.`,
    );
  }
  const pair = randomBytes(PAIR_BYTES).toString("hex");
  writeOther(dataLogDir, OTHER_DATA_FILE, pair, dataDir);
  writeOther(dataDir, OTHER_LOG_FILE, pair, dataLogDir);
}

function notTogether({ dataDir, dataLogDir }: Folders, ofLog: Other | undefined): Error {
  const last = ofLog === undefined ? "" : `, which was last in ${ofLog.folder}`;
  return new Error(
    `${dataLogDir} does not hold the log of the data folder ${dataDir}${last}: mount the disk of the log, or give its folder. Nothing was changed. If the log is lost, a member of an ensemble may be started with both folders empty, which the others then fill.`,
  );
}

/** A log that lies in the data folder from before is moved. What a crash leaves is moved by the next start. */
function moveLog({ dataDir, dataLogDir }: Folders): void {
  rmSync(join(dataLogDir, MOVED_FILE), { force: true });
  const names = readdirSync(dataDir).filter(isOfLogFolder);
  for (const name of names) {
    const from = join(dataDir, name);
    if (name !== SPARE_FILE && !isReused(name)) {
      moveDurably(from, join(dataLogDir, MOVED_FILE), join(dataLogDir, name));
      syncPath(dataLogDir);
    }
    rmSync(from, { force: true });
  }
  if (names.length > 0) syncPath(dataDir);
}

/** The two may be of different file systems. */
function moveDurably(from: string, over: string, to: string): void {
  copyFileSync(from, over);
  syncPath(over);
  renameSync(over, to);
}

function writeOther(within: string, file: string, pair: string, folder: string): void {
  const other: Other = { version: 1, pair, folder: resolve(folder) };
  replaceDurably(join(within, file), `${JSON.stringify(other)}\n`);
}

/** Undefined if there is none, or it cannot be read. */
function readOther(path: string): Other | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Partial<Other> | null;
    const { version, pair, folder } = value ?? {};
    if (version !== 1 || typeof pair !== "string" || typeof folder !== "string") return undefined;
    return { version, pair, folder };
  } catch {
    return undefined;
  }
}

function hasFile(folder: string, name: string): boolean {
  return readdirSync(folder).includes(name);
}
