/** The log actor's state. */
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
  /** Bytes of records after which a snapshot is cut, up to half as much again by chance. */
  readonly snapshotEveryBytes: number;
  /** Other nodes hold the log too, so what is damaged here can be repaired. */
  readonly repairable: boolean;
  readonly crc32: Crc32;
};

/** One file of records. The last segment of the list is the one that is written to. */
export type Segment = {
  readonly name: string;
  /** Number, in the index, of its first record. */
  readonly firstRecord: number;
  /** End of its last durable record. From there on: a seal, zeros, or what the file held before it was used again. */
  end: number;
  /** Of the file. */
  size: number;
  /** The mark of the next write stands at its end already. */
  sealed: boolean;
};

/** A record that is not yet durable. */
export type PendingRecord = {
  readonly bytes: Uint8Array;
  readonly firstZxid: Zxid;
  readonly prevZxid: Zxid;
  readonly lastZxid: Zxid;
};

/** What changes the log or the promise: done strictly in the order of the messages. */
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

/** A whole snapshot in the folder. */
export type StoredSnapshot = {
  readonly zxid: Zxid;
  /** Undefined: not looked at in this life, so it is not offered to peers. */
  readonly identity: SnapshotIdentity | undefined;
  /** A peer reads it: until then no purge takes it. */
  pinnedUntilMs: number | undefined;
};

/** A snapshot whose chunks are being stored: that of this node's tree, or that of its leader. */
export type PartialSnapshot = {
  readonly zxid: Zxid;
  nextIndex: number;
  bytes: number;
  checksum: number;
};

/** When the next snapshot is asked for. */
export type Cutting = {
  /** When so many bytes are logged. Undefined: to be drawn. */
  atBytes: number | undefined;
  /** It was asked for; when so many are logged it is again, whatever became of it. Undefined: to be asked for once it is due. */
  againAtBytes: number | undefined;
  /** So long after the next refusal it is asked for again. */
  againMs: number;
};

const AGAIN_MS = 500;

export function notCutting(): Cutting {
  return { atBytes: undefined, againAtBytes: undefined, againMs: AGAIN_MS };
}

/** Work on snapshots, each at most one chunk of reading or writing, so that appends never wait for long. */
export type SnapshotWork =
  | Extract<SnapshotMessage, { kind: "storeChunk" | "askChunk" | "dropTransfer" }>
  /** Removes one file that is not needed any more. */
  | { readonly kind: "purge" };

/** The one actor that touches the disk. */
export type LogActorEffect = LocalEffect<LogTimer> | DiskEffect;
export type LogTurn = Turn<LogState, LogActorEffect>;

export type LogState = {
  readonly settings: LogSettings;
  /** What the folder says of itself. Meaningful once recovered. */
  own: FolderIdentity;
  /** Zeros of one piece of preparation. */
  readonly zeros: Uint8Array;
  recovered: boolean;
  stopped: boolean;
  /** The disk work under way, and the tag of its current step. */
  running: Procedure | undefined;
  tag: number;
  /** Handed to the runtime at the end of the turn. */
  readonly outbox: LogActorEffect[];

  readonly index: RecordIndex;
  readonly segments: Segment[];
  /** By zxid, the newest last. */
  readonly snapshots: StoredSnapshot[];
  /** The snapshot that this node's tree cuts, as far as it is stored. */
  cut: PartialSnapshot | undefined;
  /** The leader's snapshot, as far as it is stored. */
  transfer: PartialSnapshot | undefined;
  /** By tree, the snapshot that it loads. */
  readonly loads: Map<string, Zxid>;

  /** Bytes of records since the newest snapshot. */
  loggedBytes: number;
  cutting: Cutting;
  voteLoss: VoteLoss | undefined;
  /** The highest zxid that the file `log-end` may tell. */
  logEnd: Zxid;
  /** Found in the log at the start, some perhaps in a part that was cut off then. */
  readonly logged: LoggedConfiguration[];
  /** Files set aside because they were damaged. */
  readonly damagedFiles: string[];
  /** Size of the spare file of zeros; 0: there is none. */
  spareBytes: number;
  /** Purged segments that will be written to again, each of the full size. */
  readonly spares: string[];
  promise: EpochPromise;
  truncations: number;

  readonly changes: Change[];
  readonly queue: WorkQueue;
  /** Where the log will end when all changes at hand are done. */
  plannedEnd: Zxid;

  flush: "none" | "scheduled" | "due";
  /** When the log's end is next told and sealed. */
  idle: "none" | "scheduled" | "due";
  /** Bytes appended since zeros were last prepared. */
  unpreparedBytes: number;

  /** No room was found for zeros since there was room for a whole segment: those that are prepared are the reserve. */
  low: boolean;
  /** No append is taken until room is back. */
  full: boolean;
  /** Has been full since the start: an append sent before log-sync heard of it may still come, and does not follow. */
  wasFull: boolean;
  /** No room was found; nothing that grows a file is tried before the next probe. */
  awaitingSpace: boolean;
  /** The change at the head, which is no append, found no room and waits for the next probe. */
  changeStalled: boolean;
};

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
    low: false,
    full: false,
    wasFull: false,
    awaitingSpace: false,
    changeStalled: false,
  };
}

export function report(state: LogState, message: LogReport): void {
  state.outbox.push(tell("log-sync", message));
}

export function log(state: LogState, event: EventName, detail: EventDetail): void {
  state.outbox.push(logEvent(event, detail));
}
