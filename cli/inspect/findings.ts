/** What an inspection finds, as plain data: facts about each file, and findings that say where something is not as it should be. */
import type { StoredOwner } from "../../actors/log/format/files.ts";
import type { VoteLoss } from "../../actors/log/messages.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type FindingKind =
  /** A file that is replaced as a whole is missing, damaged or cannot be read. */
  | "fileMissing"
  | "fileDamaged"
  | "fileUnreadable"
  | "promiseTooLow"
  /** It must be a regular file: what a link or a folder of that name holds is not read. */
  | "noFile"
  /** Of the log. */
  | "recordDamaged"
  | "recordsMissing"
  /** The log ends before what was durable. */
  | "endMissing"
  | "recordOutOfPlace"
  | "segmentEmpty"
  | "segmentMisnamed"
  | "batchUnreadable"
  | "faultsOmitted"
  /** Of snapshots, and of how they and the log join. */
  | "snapshotDamaged"
  | "snapshotAhead"
  | "snapshotUnjoined"
  | "logWithoutBeginning"
  /** Nothing wrong, but good to know. */
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
  /** Of a snapshot: the number of the chunk that begins at `offset`. */
  readonly chunk?: number;
  /** Of the log: the last intact record before the place. Of a snapshot: its own. */
  readonly zxid?: Zxid;
  readonly what: string;
};

export type SegmentFacts = {
  readonly file: string;
  readonly size: number;
  /** End of the last intact record. */
  readonly end: number;
  /** From there, or from the end of what stands there, to the end of the file: zeros, or what the file held before. */
  readonly freeBytes: number;
  /** Intact ones; batches are those that are no barriers of an epoch. */
  readonly records: number;
  readonly batches: number;
  /** Of all batches. */
  readonly operations: number;
  readonly firstZxid: Zxid | undefined;
  readonly lastZxid: Zxid | undefined;
  /** Unix milliseconds of the leader. */
  readonly firstTimeMs: number | undefined;
  readonly lastTimeMs: number | undefined;
};

export type SnapshotFacts = {
  readonly file: string;
  readonly zxid: Zxid;
  readonly size: number;
  /** Counted in the chunks that verify. */
  readonly chunks: number;
  readonly znodes: number;
  readonly sessions: number;
  readonly submitters: number;
  /** That the ensemble went by then. Undefined: it names none. */
  readonly configuration: Configuration | undefined;
  /** Of the last record that it holds. */
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
  /** The log begins after it. */
  readonly baseZxid: Zxid;
  readonly lastZxid: Zxid;
  readonly segments: readonly SegmentFacts[];
  readonly snapshots: readonly SnapshotFacts[];
  readonly others: readonly OtherFile[];
  /** What is wrong. */
  readonly problems: readonly Finding[];
  /** What is not, and is worth a word. */
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
