/** Finds the snapshots and logs in a data folder of Apache ZooKeeper, as its FileTxnSnapLog does. */
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { ZOOKEEPER_FOLDER } from "../../actors/log/format/files.ts";
import { messageOf } from "../command.ts";

/** There is nothing to read, or nothing that can be. The message says why, and what to do. */
export class NoZookeeperFiles extends Error {
  override readonly name = "NoZookeeperFiles";
}

export type ZookeeperFile = {
  readonly path: string;
  /** From its name: of a snapshot the last transaction that is surely in it, of a log its first. */
  readonly zxid: number;
  readonly bytes: number;
};

export type ZookeeperFiles = {
  /** The newest first. */
  readonly snapshots: readonly ZookeeperFile[];
  /** The oldest first. */
  readonly logs: readonly ZookeeperFile[];
};

const NAME = /^(log|snapshot)\.([0-9a-f]{1,16})(\.gz|\.snappy)?$/;
const READ_BYTES: number = 1024 * 1024;

/** `folder` is a `dataDir`, or its `version-2`; `logFolder` the `dataLogDir`, if there is one. */
export function findFiles(folder: string, logFolder: string = folder): ZookeeperFiles {
  const snapshots = filesIn(folder, "snapshot").sort((a, b) => b.zxid - a.zxid);
  const logs = filesIn(logFolder, "log").sort((a, b) => a.zxid - b.zxid);
  if (snapshots.length + logs.length > 0) return { snapshots, logs };
  throw new NoZookeeperFiles(
    `there are no snapshots and no logs of Apache ZooKeeper in ${folder}: name its dataDir, or the folder ${ZOOKEEPER_FOLDER} in that`,
  );
}

function filesIn(folder: string, kind: "log" | "snapshot"): ZookeeperFile[] {
  const inner = join(folder, ZOOKEEPER_FOLDER);
  const isOuter = statSync(inner, { throwIfNoEntry: false })?.isDirectory() === true;
  const files: ZookeeperFile[] = [];
  for (const name of namesIn(isOuter ? inner : folder)) {
    const [, found, digits = "", suffix] = NAME.exec(name) ?? [];
    if (found !== kind || (kind === "log" && suffix !== undefined)) continue;
    const path = join(isOuter ? inner : folder, name);
    const zxid = Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(zxid)) {
      throw new NoZookeeperFiles(`the name of ${path} is of an epoch that zooid does not reach`);
    }
    files.push({ path, zxid, bytes: statSync(path).size });
  }
  return files;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new NoZookeeperFiles(`${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Reads the file; of one that is compressed, what it holds. */
export function readFileOf({ path }: ZookeeperFile): AsyncIterable<Uint8Array> {
  if (path.endsWith(".snappy")) {
    throw new NoZookeeperFiles(
      `${path} is compressed with Snappy, which is not read here: start ZooKeeper once with -Dzookeeper.snapshot.compression.method=CHECKED, which writes a plain snapshot, and stop it`,
    );
  }
  const bytes = createReadStream(path, { highWaterMark: READ_BYTES });
  if (!path.endsWith(".gz")) return bytes;
  const gunzip = createGunzip();
  bytes.once("error", (error) => gunzip.destroy(error));
  return bytes.pipe(gunzip);
}
