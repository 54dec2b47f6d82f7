/** Builds the tree that a backup holds, as it was at one zxid, and checks the whole file on the way. */
import { ApplyFailure } from "../../actors/tree/apply/apply-failure.ts";
import { ChunkError } from "../../protocol/snapshot-entries.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { messageOf } from "../command.ts";
import type { BackupEnd, Manifest } from "./file/manifest.ts";
import { BackupDamaged, type BackupPart, readBackup } from "./file/reader.ts";
import { OfflineTree, recordUpTo } from "../../server/offline/offline-tree.ts";

export type Rebuilt = {
  readonly tree: OfflineTree;
  readonly manifest: Manifest;
  readonly end: BackupEnd;
};

/** The backup does not hold this zxid. */
export class OutsideOfBackup extends Error {
  override readonly name = "OutsideOfBackup";
}

/**
 * Reads a whole backup. `toZxid`: the state after the last operation up to this one; default: all that the backup holds. Throws
 * `BackupDamaged`, or `OutsideOfBackup`.
 */
export async function rebuild(
  path: string,
  { toZxid, onBytes }: { readonly toZxid?: Zxid | undefined; readonly onBytes: BytesRead },
): Promise<Rebuilt> {
  let manifest: Manifest | undefined;
  let tree: OfflineTree | undefined;
  let bytes = 0;
  for await (const part of readBackup(path)) {
    if (part.kind === "manifest") {
      manifest = part.manifest;
      checkWithin(manifest, toZxid);
      tree = new OfflineTree(manifest.skipped);
    } else if (part.kind === "end") {
      if (tree === undefined || manifest === undefined) break;
      return { tree, manifest, end: part.end };
    } else {
      bytes += part.bytes.length;
      onBytes(bytes);
      take(path, tree, part, toZxid);
    }
  }
  throw new BackupDamaged(`${path} is no backup`);
}

/** Called with how many bytes of chunks and records were read so far. */
type BytesRead = (bytes: number) => void;

function checkWithin({ snapshotZxid, zxid }: Manifest, toZxid: Zxid | undefined): void {
  if (toZxid === undefined || (toZxid >= snapshotZxid && toZxid <= zxid)) return;
  const [from, to] = [formatZxid(snapshotZxid), formatZxid(zxid)];
  throw new OutsideOfBackup(
    `the backup can be restored to any zxid from ${from} to ${to}, and not to ${formatZxid(toZxid)}`,
  );
}

function take(
  path: string,
  tree: OfflineTree | undefined,
  part: Extract<BackupPart, { kind: "chunk" | "record" }>,
  toZxid: Zxid | undefined,
): void {
  try {
    if (part.kind === "chunk") {
      tree?.load(part.bytes);
      return;
    }
    const record = recordUpTo(part, toZxid);
    if (record !== undefined) tree?.apply(record);
  } catch (error) {
    throw new BackupDamaged(
      `${path}: its checksums are right, and no tree can be built of it: ${whatOf(error)}`,
      { cause: error },
    );
  }
}

function whatOf(error: unknown): string {
  if (error instanceof ApplyFailure) {
    return `the operation with zxid ${formatZxid(error.zxid)} cannot be applied (${error.message})`;
  }
  return error instanceof ChunkError ? `its snapshot has ${error.message}` : messageOf(error);
}
