/** What of the past a data folder still holds. It is a procedure like those of the log actor; it only reads. */
import { listFolder } from "../../actors/log/format/folder.ts";
import type { Procedure } from "../../actors/log/format/procedure.ts";
import { scanSegment } from "../../actors/log/format/scan.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { formatZxid, laterOf, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import {
  baseOf,
  logFilesOf,
  type SegmentFile,
  segmentsAfter,
  type SnapshotFile,
} from "../offline/log-files.ts";
import { HistoryError } from "./errors.ts";

/** Where the past can be begun from: a snapshot, or the empty tree before the first record. */
export type Start = { readonly zxid: Zxid; readonly snapshot: SnapshotFile | undefined };

export type Retained = {
  /** By rising zxids. The first one is where what is kept begins: the tree is known at it, and every change after it. */
  readonly starts: readonly [Start, ...Start[]];
  readonly segments: readonly SegmentFile[];
  /** The last zxid that is known to be committed, or, where nobody knows, that is in the log. */
  readonly to: Zxid;
};

export type RetainedOptions = {
  /** What is committed, as the folder's node says. Undefined: nobody uses the folder, and all that it holds counts. */
  readonly upTo: Zxid | undefined;
  /** Snapshots that were found damaged. */
  readonly damaged: ReadonlySet<string>;
};

/** Throws a `HistoryError` if the folder holds no beginning, or nobody uses it and its log is damaged. */
export function* findRetained(
  { upTo, damaged }: RetainedOptions,
  crc32: Crc32,
): Procedure<Retained> {
  const { folder } = yield* listFolder();
  const files = logFilesOf(folder);
  const base = yield* baseOf(files, crc32);
  const snapshots = files.snapshots.filter(({ file, zxid }) => zxid >= base && !damaged.has(file));
  const starts: Start[] = snapshots.map((snapshot) => ({ zxid: snapshot.zxid, snapshot }));
  if (base === ZXID_NONE) starts.unshift({ zxid: ZXID_NONE, snapshot: undefined });
  const [first, ...others] = starts;
  if (first === undefined) {
    throw new HistoryError(
      "ZOOID_HISTORY_UNREADABLE",
      `the log begins after zxid ${formatZxid(base)}, and no intact snapshot is there from which it goes on: zooid inspect says what is wrong with the folder`,
    );
  }
  const { segments } = files;
  const newest = others.at(-1)?.zxid ?? first.zxid;
  // A snapshot is cut of what is committed, and may be of after the question.
  const to = upTo === undefined ? yield* endOf(segments, newest, crc32) : laterOf(upTo, newest);
  return { starts: [first, ...others], segments, to };
}

function* endOf(segments: readonly SegmentFile[], from: Zxid, crc32: Crc32): Procedure<Zxid> {
  const { files, prevZxid } = yield* segmentsAfter(segments, from, crc32);
  let last = prevZxid ?? from;
  for (const [index, { file, size }] of files.entries()) {
    const end = yield* scanSegment({ file, size, lastZxid: last }, crc32, ({ lastZxid }) => {
      last = lastZxid;
    });
    const isLast = index === files.length - 1;
    if (end.wasDurable || (end.dirtyBytes > 0 && !isLast)) throw damagedAfter(file, last);
  }
  return last > from ? last : from;
}

function damagedAfter(file: string, zxid: Zxid): HistoryError {
  return new HistoryError(
    "ZOOID_HISTORY_UNREADABLE",
    `${file} is damaged behind zxid ${formatZxid(zxid)}: ask the folder of another node; zooid inspect says what is wrong with this one`,
  );
}
