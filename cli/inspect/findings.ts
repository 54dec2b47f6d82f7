/** What an inspection finds, as plain data: facts about each file, and findings that say where something is not as it should be. */
import type { StoredOwner } from "../../actors/log/format/files.ts";
import type { VoteLoss } from "../../actors/log/messages.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type FindingKind =
  /** Kinds of files that are replaced as a whole: the file is missing, damaged, or cannot be read. */
  | "fileMissing"
  | "fileDamaged"
  | "fileUnreadable"
  | "promiseTooLow"
  /** The name belongs to a link or a folder, and must be that of a regular file. Its content is not read. */
  | "noFile"
  /** Kinds of the log: a record is damaged, or records are missing. */
  | "recordDamaged"
  | "recordsMissing"
  /** The log ends before a record that was durable. */
  | "endMissing"
  | "recordOutOfPlace"
  | "segmentEmpty"
  | "segmentMisnamed"
  | "batchUnreadable"
  | "faultsOmitted"
  /** Kinds of snapshots, and of how they and the log join. */
  | "snapshotDamaged"
  | "snapshotAhead"
  | "snapshotUnjoined"
  | "logWithoutBeginning"
  /** Kinds that are no problems but are reported. */
  | "tornWrite"
  | "snapshotOld"
  | "withoutVote"
  | "setAside"
  | "installPending"
  | "unknownFile";

export type Finding = {
  readonly kind: FindingKind;
  readonly file: string;
  readonly offset?: number;
  /** In a snapshot, the number of the chunk that begins at `offset`. */
  readonly chunk?: number;
  /** In the log, the zxid of the last intact record before the place. For a snapshot, its zxid. */
  readonly zxid?: Zxid;
  readonly what: string;
};

export type SegmentFacts = {
  readonly file: string;
  readonly size: number;
  /** Where the last intact record ends. */
  readonly end: number;
  /**
   * The bytes behind the last intact record, or behind a torn write there: zeros, or what a file that is used again held before.
   */
  readonly freeBytes: number;
  /** The number of intact records. `batches` are those that are no barriers. */
  readonly records: number;
  readonly batches: number;
  /** The number of operations in all batches. */
  readonly operations: number;
  readonly firstZxid: Zxid | undefined;
  readonly lastZxid: Zxid | undefined;
  /** Unix milliseconds of the leader's clock. */
  readonly firstTimeMs: number | undefined;
  readonly lastTimeMs: number | undefined;
};

export type SnapshotFacts = {
  readonly file: string;
  readonly zxid: Zxid;
  readonly size: number;
  /** What was counted in the chunks that verify. */
  readonly chunks: number;
  readonly znodes: number;
  readonly sessions: number;
  readonly submitters: number;
  /** The configuration of the ensemble at the snapshot's zxid; undefined if the snapshot names none. */
  readonly configuration: Configuration | undefined;
  /** The time of the last record that the snapshot holds. */
  readonly timeMs: number | undefined;
  readonly valid: boolean;
};

export type OtherFile = { readonly file: string; readonly size: number; readonly what: string };

/** Everything that one look at a data folder found. */
export type Look = {
  readonly identity: StoredOwner | undefined;
  readonly incarnation: number | undefined;
  readonly promise: EpochPromise | undefined;
  readonly voteLoss: VoteLoss | undefined;
  /** The zxid after which the log begins. */
  readonly baseZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly segments: readonly SegmentFacts[];
  readonly snapshots: readonly SnapshotFacts[];
  readonly others: readonly OtherFile[];
  /** Findings that say that something is wrong. */
  readonly problems: readonly Finding[];
  /** Findings that are no problems. */
  readonly notices: readonly Finding[];
};

/** `log.0000000100000000 offset 4096 zxid 0x100000004: what`. */
export function findingText({ file, offset, chunk, zxid, what }: Finding): string {
  const place = [file];
  if (chunk !== undefined) place.push(`chunk ${chunk}`);
  if (offset !== undefined) place.push(`offset ${offset}`);
  if (zxid !== undefined) place.push(`zxid 0x${zxid.toString(16)}`);
  return `${place.join(" ")}: ${what}`;
}
