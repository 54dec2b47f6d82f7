/** Reads the newest state of an Apache ZooKeeper from its files: a snapshot, and the transactions after it. */
import {
  ACL_ENTRIES_MAX,
  IDENTITY_LENGTH_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_SOFT_MAX,
} from "../../protocol/limits.ts";
import { pathProblem, pathSizeProblem } from "../../protocol/paths.ts";
import { epochOf, EPOCH_MAX, type Zxid } from "../../protocol/zxid.ts";
import type { OfflineTree } from "../../server/offline/offline-tree.ts";
import { ZookeeperFileCutShort } from "./entry-source.ts";
import { NoZookeeperFiles, type ZookeeperFile, type ZookeeperFiles } from "./folder.ts";
import { readLog } from "./read-log.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { ZookeeperTree } from "./tree.ts";

export type Imported = {
  readonly tree: OfflineTree;
  /** The snapshot with which it began; undefined if there is none, and the logs begin with the first transaction. */
  readonly snapshot: ZookeeperFile | undefined;
  readonly logs: readonly ZookeeperFile[];
  /** What was left out, and why. */
  readonly notices: readonly string[];
};

/** The state has what zooid does not take. The message lists it. */
export class NotImportable extends Error {
  override readonly name = "NotImportable";
}

/** Called with how many bytes were read. */
type OnBytes = (bytes: number) => void;

/** Throws `ZookeeperFileDamaged`, `NoZookeeperFiles` or `NotImportable`. */
export async function importFiles(files: ZookeeperFiles, onBytes: OnBytes): Promise<Imported> {
  const notices: string[] = [];
  const { tree, snapshot } = await readNewest(files, notices, onBytes);
  tree.addSpecial();
  const from = files.logs.findLastIndex(({ zxid }) => zxid <= tree.zxid);
  const logs = files.logs.slice(Math.max(0, from));
  let before = snapshot?.bytes ?? 0;
  for (const log of logs) {
    const notice = await readLog(log, tree, (offset) => onBytes(before + offset));
    if (notice !== undefined) notices.push(notice);
    before += log.bytes;
  }
  const finished = tree.finish((what) => new NotImportable(`it cannot be imported: ${what}`));
  checkLimits(finished);
  return { tree: finished, snapshot, logs, notices };
}

/** A snapshot that was being written when the server stopped is passed over, as ZooKeeper does. */
async function readNewest(
  { snapshots }: ZookeeperFiles,
  notices: string[],
  onBytes: OnBytes,
): Promise<{ readonly tree: ZookeeperTree; readonly snapshot: ZookeeperFile | undefined }> {
  for (const snapshot of snapshots) {
    if (epochOf(snapshot.zxid as Zxid) >= EPOCH_MAX) {
      throw new NoZookeeperFiles(`${snapshot.path} is of an epoch that zooid does not reach`);
    }
    const tree = new ZookeeperTree();
    try {
      await readSnapshot(snapshot, tree, onBytes);
      tree.zxid = snapshot.zxid as Zxid;
      return { tree, snapshot };
    } catch (error) {
      if (!(error instanceof ZookeeperFileCutShort)) throw error;
      notices.push(`${error.message}. The snapshot before it is used`);
    }
  }
  return { tree: new ZookeeperTree(), snapshot: undefined };
}

const PROBLEMS_SHOWN = 20;

/** What no client of zooid could reach, or no snapshot of it could hold, is not imported. */
function checkLimits({ state: { znodes } }: OfflineTree): void {
  const problems: string[] = [];
  let count = 0;
  for (let id = 1; id < znodes.end; id += 1) {
    if (!znodes.isPresent(id)) continue;
    const path = znodes.path(id);
    const acl = znodes.acl(id);
    const bytes = znodes.dataLength(id) + 3 * path.length;
    const problem =
      pathProblem(path) ??
      pathSizeProblem(path) ??
      (bytes > ZNODE_BYTES_MAX ? `a znode has at most ${ZNODE_BYTES_MAX} bytes` : undefined) ??
      (acl.length > ACL_ENTRIES_MAX
        ? `a list has at most ${ACL_ENTRIES_MAX} entries`
        : undefined) ??
      (acl.some(({ id: who }) => who.length > IDENTITY_LENGTH_MAX)
        ? `an id in a list has at most ${IDENTITY_LENGTH_MAX} characters`
        : undefined);
    if (problem === undefined) continue;
    count += 1;
    if (problems.length < PROBLEMS_SHOWN) {
      problems.push(`  ${JSON.stringify(path.slice(0, PATH_SHOWN))}: ${problem}`);
    }
  }
  if (count === 0) return;
  const more = count > problems.length ? `\n  and ${count - problems.length} more` : "";
  throw new NotImportable(
    `${count} znodes are beyond zooid's limits; change or delete them in ZooKeeper first:\n${problems.join("\n")}${more}`,
  );
}

const PATH_SHOWN = 200;
/** A chunk takes an entry of any size as its last one, as long as the chunk stays below its limit. */
const ZNODE_BYTES_MAX: number = SNAPSHOT_CHUNK_BYTES_MAX - 2 * SNAPSHOT_CHUNK_BYTES_SOFT_MAX;
