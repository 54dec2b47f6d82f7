/** Which files of a data folder are its log and its snapshots, for whoever reads the folder from outside of its node. */
import {
  installZxid,
  isSegmentName,
  segmentZxid,
  snapshotZxid,
} from "../../actors/log/format/files.ts";
import type { Folder } from "../../actors/log/format/folder.ts";
import { LogStop, type Procedure } from "../../actors/log/format/procedure.ts";
import { firstPrevZxid } from "../../actors/log/format/scan.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export type SegmentFile = { readonly file: string; readonly size: number };
export type SnapshotFile = { readonly file: string; readonly size: number; readonly zxid: Zxid };

/** The segments and snapshots that the next start would read. */
export type LogFiles = {
  readonly segments: readonly SegmentFile[];
  readonly snapshots: readonly SnapshotFile[];
  /** The segments and snapshots that the next start would remove, because a peer's snapshot is about to be installed. */
  readonly replaced: readonly string[];
};

export function logFilesOf(folder: Folder): LogFiles {
  const names = [...folder.keys()].sort();
  const sizeOf = (file: string): number => folder.get(file) ?? 0;
  const segments = names.filter(isSegmentName).map((file) => ({ file, size: sizeOf(file) }));
  const snapshots = names.flatMap((file) => {
    const zxid = snapshotZxid(file);
    return zxid === undefined ? [] : [{ file, zxid, size: sizeOf(file) }];
  });
  const installs = names.flatMap((file) => {
    const zxid = installZxid(file);
    return zxid === undefined ? [] : [{ file, zxid, size: sizeOf(file) }];
  });
  if (installs.length === 0) return { segments, snapshots, replaced: [] };
  const replaced = [...segments, ...snapshots].map(({ file }) => file);
  return { segments: [], snapshots: installs, replaced };
}

/**
 * The zxid after which the log begins. If the first write header cannot be read, the newest snapshot before the first segment
 * decides.
 */
export function* baseOf({ segments, snapshots }: LogFiles, crc32: Crc32): Procedure<Zxid> {
  const [first] = segments;
  if (first === undefined) return snapshots.at(-1)?.zxid ?? ZXID_NONE;
  const firstZxid = segmentZxid(first.file);
  const before = snapshots.findLast(({ zxid }) => zxid < firstZxid)?.zxid ?? ZXID_NONE;
  return (yield* unlessUnreadable(firstPrevZxid(first.file, crc32))) ?? before;
}

/**
 * The segments from the one on that holds the record after `zxid`, and what the first of them follows. Undefined: there is none, or its first
 * write header cannot be read.
 */
export function* segmentsAfter(
  segments: readonly SegmentFile[],
  zxid: Zxid,
  crc32: Crc32,
): Procedure<{ readonly files: readonly SegmentFile[]; readonly prevZxid: Zxid | undefined }> {
  const index = segments.findLastIndex(({ file }) => segmentZxid(file) <= zxid);
  const files = segments.slice(Math.max(0, index));
  const [first] = files;
  if (first === undefined) return { files, prevZxid: undefined };
  return { files, prevZxid: yield* unlessUnreadable(firstPrevZxid(first.file, crc32)) };
}

/** Returns the procedure's result; undefined if the disk fails, which the walk through that file reports. */
export function* unlessUnreadable<Result>(
  procedure: Procedure<Result>,
): Procedure<Result | undefined> {
  try {
    return yield* procedure;
  } catch (error) {
    whyNot(error);
    return undefined;
  }
}

/** Returns the part of the log actor's message about a failed read that also applies to an inspection. */
export function whyNot(error: unknown): string {
  if (!(error instanceof LogStop)) throw error;
  return error.message.split(":")[0] ?? error.message;
}
