/**
 * Finds out what of a node's data folder is committed, and plans a backup of that. A node that serves says itself what it has applied; of
 * one that is stopped everything counts that is durable, since what it has acknowledged may be all that is left of it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { decodeOwner, OWNER_FILE, type StoredOwner } from "../../../actors/log/format/files.ts";
import { LogStop } from "../../../actors/log/format/procedure.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { readFailed } from "../../../server/skipped-operations.ts";
import { zooidVersion } from "../../../server/version.ts";
import { runningPid } from "../../inspect/data-folder.ts";
import { drive } from "../../../server/offline/drive.ts";
import { type Finding, findingText } from "../../inspect/findings.ts";
import { lookAtFolder } from "../../inspect/look.ts";
import { FolderChanged, ReadOnlyFolder } from "../../../server/offline/read-only-folder.ts";
import { type Address, askNode } from "../ask-node.ts";
import type { Manifest } from "../file/manifest.ts";
import { NotThere, type Plan, planBackup } from "./plan.ts";

export type SourceOptions = {
  readonly path: string;
  /** Whom to ask what is committed. */
  readonly server: Address;
  readonly history: boolean;
  /** Make no backup of a node that leads. */
  readonly unlessLeader: boolean;
};

export type Source = {
  readonly folder: ReadOnlyFolder;
  readonly plan: Plan;
  readonly manifest: Manifest;
  /** What the operator should know of the folder, and does not keep it from being backed up. */
  readonly notices: readonly string[];
};

/** No backup is made of this folder. The message says why, and what to do. */
export class SourceRefused extends Error {
  override readonly name = "SourceRefused";
}

/** The node leads, and only a follower was wanted. */
export class NodeLeads extends Error {
  override readonly name = "NodeLeads";
}

const ATTEMPTS_MAX = 10;
const BETWEEN_ATTEMPTS_MS = 200;

/** Throws `SourceRefused` or `NodeLeads`. What it returns is to be closed. */
export async function openSource(
  options: SourceOptions,
  onProgress: (folder: ReadOnlyFolder) => void,
): Promise<Source> {
  const folder = new ReadOnlyFolder(options.path);
  try {
    return await planSource(options, folder, onProgress);
  } catch (error) {
    folder.close();
    if (error instanceof LogStop) throw new SourceRefused(error.message, { cause: error });
    throw error;
  }
}

async function planSource(
  options: SourceOptions,
  folder: ReadOnlyFolder,
  onProgress: (folder: ReadOnlyFolder) => void,
): Promise<Source> {
  const { path, history } = options;
  const notices = runningPid(path) === undefined ? await checkStopped(folder, onProgress) : [];
  let last: unknown;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (attempt > 0) await sleep(BETWEEN_ATTEMPTS_MS);
    // The node is asked before the folder is listed: what it has applied is durable here by then.
    const upTo = await committedZxid(options);
    try {
      const plan = await drive(planBackup({ upTo, history }, crc32), folder, async () => {
        onProgress(folder);
        await setImmediate();
        return true;
      });
      if (plan === undefined) throw new Error("a plan is never ended early");
      return { folder, plan, manifest: manifestOf(path, plan), notices };
    } catch (error) {
      if (!(error instanceof FolderChanged) && !(error instanceof NotThere)) throw error;
      last = error;
      if (upTo === undefined) break;
    }
  }
  const why = last instanceof Error ? last.message : String(last);
  throw new SourceRefused(
    `${path} cannot be backed up: ${why}. zooid inspect ${path} says what is in it`,
  );
}

/** The end of the last record that a running node has applied. Undefined: the folder is not in use. */
async function committedZxid({
  path,
  server,
  unlessLeader,
}: SourceOptions): Promise<Zxid | undefined> {
  const pid = runningPid(path);
  if (pid === undefined) return undefined;
  const answer = await askNode(server);
  const at = `${server.host}:${server.port}`;
  if (answer.kind === "silent") {
    throw new SourceRefused(
      `${path} is in use by process ${pid}, and only that node knows what of it is committed: ${at} was asked (srvr), and ${answer.why}. Name the address of its client port by --server, or stop the node: then everything in the folder counts`,
    );
  }
  if (unlessLeader && answer.mode === "leader") throw new NodeLeads(`the node at ${at} leads`);
  return answer.zxid;
}

/** A stopped folder that is damaged is not backed up: a node would not begin from it as it is, either. */
async function checkStopped(
  folder: ReadOnlyFolder,
  onProgress: (folder: ReadOnlyFolder) => void,
): Promise<readonly string[]> {
  const look = await drive(lookAtFolder(crc32), folder, async () => {
    onProgress(folder);
    await setImmediate();
    return true;
  });
  if (look === undefined) throw new Error("a look is never ended early");
  if (look.problems.length > 0) {
    throw new SourceRefused(`${folder.path} is damaged:\n${problemLines(look.problems)}`);
  }
  if (look.voteLoss === undefined) return [];
  return [
    "this node has no vote, since its folder was empty or damaged once and was not repaired yet: another node may hold more",
  ];
}

const PROBLEMS_SHOWN = 10;

function problemLines(problems: readonly Finding[]): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${findingText(problem)}`);
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

function manifestOf(path: string, { snapshot, zxid }: Plan): Manifest {
  const owner = ownerOf(path);
  return {
    zooid: zooidVersion(),
    origin: "zooid",
    madeAt: new Date(),
    ensemble: owner.ensemble,
    ensembleId: owner.own?.configuration?.ensembleId,
    node: owner.server,
    snapshotZxid: snapshot?.zxid ?? (0 as Zxid),
    zxid,
    skipped: readFailed(path).skipped,
  };
}

function ownerOf(path: string): StoredOwner {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(path, OWNER_FILE));
  } catch (error) {
    throw new SourceRefused(`${OWNER_FILE} in ${path} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
  return decodeOwner(bytes, crc32);
}
