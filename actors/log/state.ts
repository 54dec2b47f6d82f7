/** The state of the log actor. */
import { logEvent } from "../log-event.ts";
import type { DiskEffect, EventDetail, LocalEffect } from "../../runtime/effects.ts";
import type { Turn } from "../../runtime/turn.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { EPOCH_NONE, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { SnapshotIdentity, EpochPromise } from "../../protocol/replication.ts";
import type { FolderIdentity } from "./format/files.ts";
import type {
  LoggedConfiguration,
  LogMessage,
  LogReport,
  LogTimer,
  SnapshotMessage,
  VoteLoss,
} from "./messages.ts";
import type { Procedure } from "./format/procedure.ts";
import { WorkQueue } from "./queue.ts";
import { RecordIndex } from "./segments/record-index.ts";
import type { EventName } from "../../protocol/events.ts";

export type LogSettings = {
  readonly server: ServerId;
  readonly ensemble: string;
  /** The ensemble's voters, ascending, this node among them. */
  readonly members: readonly ServerId[];
  readonly segmentBytes: number;
  /** Bytes of records after which a snapshot is cut; up to half as many are added at random. */
  readonly snapshotEveryBytes: number;
  /** How many snapshots are kept, SNAPSHOTS_KEPT_MIN at least. */
  readonly snapshotsKept: number;
  /** Whether other nodes have the log too, so that damage can be repaired from theirs. */
  readonly repairable: boolean;
  readonly crc32: Crc32;
};

/** One file of records. Records are appended to the last segment of the list. */
export type Segment = {
  readonly name: string;
  /** The number of its first record in the index. */
  readonly firstRecord: number;
  /** The end of its last durable record. After it come a seal, zeros, or what the file held before it was used again. */
  end: number;
  /** The size of the file in bytes. */
  size: number;
  /** Whether there is a seal at `end`. */
  sealed: boolean;
};

/** A record that is not yet durable. */
export type PendingRecord = {
  readonly bytes: Uint8Array;
  readonly firstZxid: Zxid;
  readonly prevZxid: Zxid;
  readonly lastZxid: Zxid;
};

/** What changes the log, the promise or the vote. Changes are done strictly in the order of their messages. */
export type Change =
  | { readonly kind: "append"; readonly records: readonly PendingRecord[] }
  | Extract<
      LogMessage,
      {
        kind:
          | "truncate"
          | "promise"
          | "installSnapshot"
          | "storeConfiguration"
          | "loseVote"
          | "regainVote";
      }
    >;

export type ReadRequest = Extract<LogMessage, { kind: "read" }>;

/** A complete snapshot in the folder. */
export type StoredSnapshot = {
  readonly zxid: Zxid;
  /** Undefined: the snapshot was not read since the start, so it is not offered to peers. */
  readonly identity: SnapshotIdentity | undefined;
  /** A peer is reading the snapshot, so no purge removes it before this time. */
  pinnedUntilMs: number | undefined;
};

/** A snapshot whose chunks are being stored. `bytes` and `checksum` are those of the chunks stored so far. */
export type PartialSnapshot = {
  readonly zxid: Zxid;
  nextIndex: number;
  bytes: number;
  checksum: number;
};

/** When the tree is next asked for a snapshot. */
export type Cutting = {
  /** The tree is asked when this many bytes are logged. Undefined: the number is still to be drawn. */
  atBytes: number | undefined;
  /** The tree was asked, and is asked again when this many bytes are logged, whatever came of it. Undefined: it was not asked yet. */
  againAtBytes: number | undefined;
  /** Milliseconds after the next refusal when the tree is asked again. */
  againMs: number;
};

const AGAIN_MS = 500;

export function notCutting(): Cutting {
  return { atBytes: undefined, againAtBytes: undefined, againMs: AGAIN_MS };
}

/** Work on snapshots, each at most one chunk of reading or writing, so that appends never wait for long. */
export type SnapshotWork =
  | Extract<SnapshotMessage, { kind: "storeChunk" | "askChunk" | "dropTransfer" }>
  /** Removes one file that is no longer needed. */
  | { readonly kind: "purge" };

/** The log is the only actor that may touch the disk. */
export type LogActorEffect = LocalEffect<LogTimer> | DiskEffect;
export type LogTurn = Turn<LogState, LogActorEffect>;

export type LogState = {
  readonly settings: LogSettings;
  /** The identity that the folder has stored. It is right when the log is recovered. */
  own: FolderIdentity;
  /** The zeros that one step of preparation writes. */
  readonly zeros: Uint8Array;
  recovered: boolean;
  stopped: boolean;
  /** The procedure under way, and the tag of its last operations. */
  running: Procedure | undefined;
  tag: number;
  /** The effects that are handed to the runtime at the end of the turn. */
  readonly outbox: LogActorEffect[];

  readonly index: RecordIndex;
  readonly segments: Segment[];
  /** In the order of their zxids, the newest last. */
  readonly snapshots: StoredSnapshot[];
  /** The stored chunks of the snapshot that this node's tree cuts. */
  cut: PartialSnapshot | undefined;
  /** The stored chunks of the leader's snapshot. */
  transfer: PartialSnapshot | undefined;
  /** Maps a tree to the snapshot that it loads. */
  readonly loads: Map<string, Zxid>;

  /** How many bytes of records were logged since the newest snapshot. */
  loggedBytes: number;
  cutting: Cutting;
  voteLoss: VoteLoss | undefined;
  /** The highest zxid that may be in the file `log-end`. */
  logEnd: Zxid;
  /** The configurations in the records that were found at the start, some perhaps in a part that was cut off then. */
  readonly logged: LoggedConfiguration[];
  /** Files that were set aside because they were damaged. */
  readonly damagedFiles: string[];
  /** The size of the spare file of zeros. 0: there is none. */
  spareBytes: number;
  /** The names of purged segments that will be written to again. Each has the full size of a segment. */
  readonly spares: string[];
  promise: EpochPromise;
  truncations: number;

  readonly changes: Change[];
  readonly queue: WorkQueue;
  /** Where the log will end when all changes are done that were taken so far. */
  plannedEnd: Zxid;
  /** Appends are written at the end of the turn. `due`: it has come. */

  flush: "none" | "scheduled" | "due";
  /** The log's end is protected when the log has been idle for a while. `due`: it has. */
  idle: "none" | "scheduled" | "due";
  /** How many bytes were appended since zeros were last prepared. */
  unpreparedBytes: number;

  space: LogSpace;
  /** The disk was full once since the start. So an append that log-sync sent before it knew may still come, and not follow the log. */
  wasFull: boolean;
};

/** The disk space that is left, and what waits for the next probe of it. */
export type LogSpace =
  | { readonly kind: "free" }
  /** There was no space for more zeros. Those that are prepared are a reserve until there is space for a whole segment again. */
  | { readonly kind: "low"; readonly waits: "nothing" | "growth" }
  /** Appends are dropped until there is space for a whole segment again. */
  | { readonly kind: "full"; readonly waits: "nothing" | "growth" | "change" };

/** Whether anything may be tried that makes a file longer. After a failure that waits for the next probe. */
export function mayGrow({ space }: LogState): boolean {
  return space.kind === "free" || space.waits === "nothing";
}

/** Whether the change at the head, which is not an append, has found no space and waits for the next probe. */
export function isChangeStalled({ space }: LogState): boolean {
  return space.kind === "full" && space.waits === "change";
}

const PREPARE_BYTES_MAX = 1024 * 1024;

export function initialState(settings: LogSettings): LogState {
  return {
    settings,
    own: { identity: "", members: settings.members, configuration: undefined },
    zeros: new Uint8Array(Math.min(PREPARE_BYTES_MAX, settings.segmentBytes)),
    recovered: false,
    stopped: false,
    running: undefined,
    tag: 0,
    outbox: [],
    index: new RecordIndex(),
    segments: [],
    snapshots: [],
    cut: undefined,
    transfer: undefined,
    loads: new Map(),

    loggedBytes: 0,
    cutting: notCutting(),
    voteLoss: undefined,
    logEnd: ZXID_NONE,
    logged: [],
    damagedFiles: [],
    spareBytes: 0,
    spares: [],
    promise: { epoch: EPOCH_NONE, candidate: settings.server },
    truncations: 0,
    changes: [],
    queue: new WorkQueue(),
    plannedEnd: ZXID_NONE,

    flush: "none",
    idle: "none",
    unpreparedBytes: 0,
    space: { kind: "free" },
    wasFull: false,
  };
}

export function report(state: LogState, message: LogReport): void {
  state.outbox.push(tell("log-sync", message));
}

export function log(state: LogState, event: EventName, detail: EventDetail): void {
  state.outbox.push(logEvent(event, detail));
}
