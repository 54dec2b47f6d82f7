/**
 * What of a data folder goes into a backup: a snapshot, and the records after it up to one zxid. It is a procedure like those of the log
 * actor; it only reads.
 */
import { listFolder } from "../../../actors/log/format/folder.ts";
import { LogStop, type Procedure } from "../../../actors/log/format/procedure.ts";
import { type ScannedRecord, scanSegment } from "../../../actors/log/format/scan.ts";
import { verifySnapshot } from "../../../actors/log/format/snapshot-file.ts";
import type { Crc32 } from "../../../protocol/record.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import {
  baseOf,
  type LogFiles,
  logFilesOf,
  type SegmentFile,
  segmentsAfter,
  type SnapshotFile,
} from "../../../server/offline/log-files.ts";

export type Wanted = {
  /** The last zxid of a record that is known to be committed. Undefined: everything that the folder holds. */
  readonly upTo: Zxid | undefined;
  /** Begin with the oldest snapshot, not the newest, so that more points in time can be restored. */
  readonly history: boolean;
};

export type Plan = {
  /** Undefined: there is none, and the log begins with its first record. */
  readonly snapshot: SnapshotFile | undefined;
  /** The segments that hold the records after the snapshot, and what the first of them follows. */
  readonly segments: readonly SegmentFile[];
  readonly base: Zxid;
  /** The last zxid of the backup. */
  readonly zxid: Zxid;
};

/** The folder does not hold what is wanted. A running node may be about to write it. */
export class NotThere extends Error {
  override readonly name = "NotThere";
}

export function* planBackup({ upTo, history }: Wanted, crc32: Crc32): Procedure<Plan> {
  const { folder } = yield* listFolder();
  const files = logFilesOf(folder);
  const base = yield* baseOf(files, crc32);
  const snapshot = yield* chooseSnapshot({ files, base, upTo, history }, crc32);
  const from = snapshot?.zxid ?? ZXID_NONE;
  if (upTo === from) return { snapshot, segments: [], base: from, zxid: from };
  const { files: segments, prevZxid } = yield* segmentsAfter(files.segments, from, crc32);
  const prev = prevZxid ?? base;
  const zxid = yield* findEnd({ segments, prev, from, upTo }, crc32);
  return { snapshot, segments, base: prev, zxid };
}

function* chooseSnapshot(
  of: {
    readonly files: LogFiles;
    readonly base: Zxid;
    readonly upTo: Zxid | undefined;
    readonly history: boolean;
  },
  crc32: Crc32,
): Procedure<SnapshotFile | undefined> {
  const { files, base, upTo, history } = of;
  if (history && base === ZXID_NONE) return undefined;
  const usable = files.snapshots.filter(
    ({ zxid }) => zxid >= base && (upTo === undefined || zxid <= upTo),
  );
  for (const snapshot of history ? usable : usable.toReversed()) {
    const { file: name, size, zxid } = snapshot;
    const verdict = yield* verifySnapshot({ name, size, zxid }, crc32);
    if (verdict.kind === "valid") return snapshot;
    if (verdict.fault === "badVersion") {
      throw new LogStop(
        `${name} is of a version that this zooid does not know: use the version that wrote it, or a later one`,
      );
    }
  }
  if (base === ZXID_NONE) return undefined;
  throw new NotThere(
    `the log begins after zxid ${formatZxid(base)}, and there is no intact snapshot from which it goes on`,
  );
}

/** The end of the records that are wanted. Throws if the log does not go on from the snapshot, or has no record that ends there. */
function* findEnd(
  of: {
    readonly segments: readonly SegmentFile[];
    readonly prev: Zxid;
    readonly from: Zxid;
    readonly upTo: Zxid | undefined;
  },
  crc32: Crc32,
): Procedure<Zxid> {
  const { segments, prev, from, upTo } = of;
  let last = prev;
  let isJoined = prev === from;
  let isFound = false;
  const take = ({ lastZxid }: ScannedRecord): void => {
    last = lastZxid;
    isJoined ||= lastZxid === from;
    isFound ||= lastZxid === upTo;
  };
  for (const { file, size } of segments) {
    yield* scanSegment({ file, size, lastZxid: last }, crc32, take);
    if (isFound) break;
  }
  if (segments.length === 0) isJoined = true;
  if (!isJoined) {
    throw new NotThere(`the log does not go on from the snapshot with zxid ${formatZxid(from)}`);
  }
  if (upTo === undefined) return last > from ? last : from;
  if (isFound) return upTo;
  throw new NotThere(
    `no record of the log ends at zxid ${formatZxid(upTo)}, and the last one ends at ${formatZxid(last)}`,
  );
}
