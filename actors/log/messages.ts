/** The messages of the log actor, the only actor that touches the disk (`log.ts`). It lives on a thread of its own, the log lane. */
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { DiskOutcome } from "../../runtime/disk.ts";
import type { SnapshotIdentity, EpochPromise } from "../../protocol/replication.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";

export type LogTimer = "askAgain" | "idle" | "probe";

export type LogMessage =
  /**
   * Verified records that follow the log's end. Answered with `appended` when they are durable; one `appended` may answer several
   * appends (group commit).
   */
  | { readonly kind: "append"; readonly records: readonly Uint8Array[] }
  /** Removes every record after `after`, which is the end of a record or the base. Answered with `truncated` when that is durable. */
  | { readonly kind: "truncate"; readonly after: Zxid }
  /** Answered with `promised` when the promise is durable: written, fsynced, renamed, and the folder fsynced. */
  | { readonly kind: "promise"; readonly promise: EpochPromise }
  /**
   * Answered with `records`: the durable records that follow `after`, up to `bytesMax` bytes but at least one. They are none if there
   * is none, or if a purge has removed what follows `after`.
   */
  | {
      readonly kind: "read";
      readonly purpose: ReadPurpose;
      readonly after: Zxid;
      readonly bytesMax: number;
    }
  | SnapshotMessage
  /**
   * The configuration that this node goes by, which is committed. A `guest` takes part although its number is bound to another folder.
   * Answered with `configurationStored` when it is durable.
   */
  | {
      readonly kind: "storeConfiguration";
      readonly configuration: Configuration;
      readonly guest: boolean;
    }
  /**
   * More was acknowledged under this folder's identity than it holds, so it may not vote until it is repaired. Its next start counts on
   * from `incarnation`. Answered with `voteLost` when that is durable.
   */
  | { readonly kind: "loseVote"; readonly incarnation: number }
  /** This node may vote again, so the marker that takes its vote away is removed. Answered with `voteRegained` when that is durable. */
  | { readonly kind: "regainVote" }
  | TimerMessage<LogTimer>
  | EndOfTurn
  | DiskOutcome;

/** What records are read for: to be delivered to the trees of this node, or to bring a follower up. */
export type ReadPurpose =
  | { readonly kind: "delivery" }
  | { readonly kind: "catchUp"; readonly to: ServerId };

/** The place of a chunk in its snapshot. */
export type ChunkPlace = {
  readonly zxid: Zxid;
  readonly index: number;
  /** Where the chunk begins, in bytes from the start of the snapshot. */
  readonly position: number;
};

/**
 * A whole chunk of a snapshot. The tree that cuts a snapshot and the leader that sends one give chunks to the log, which stores them;
 * the log gives chunks to a tree, which loads them, and to log-sync, which sends them to a follower. Without bytes it says that the
 * snapshot is no longer there, or has no such chunk.
 */
export type SnapshotChunk = ChunkPlace & {
  readonly kind: "snapshotChunk";
  readonly bytes: Uint8Array;
};

/** Asks for one chunk. The answer is that `snapshotChunk`. */
export type AskChunk = ChunkPlace & { readonly kind: "askChunk" };

/** To the actor that gave the chunk, when it is durable. */
export type ChunkStored = {
  readonly kind: "chunkStored";
  readonly zxid: Zxid;
  readonly index: number;
};

/** To the actor that gave the chunk: it was not stored, and no later chunk of this snapshot will be. */
export type SnapshotRefused = {
  readonly kind: "snapshotRefused";
  readonly zxid: Zxid;
  readonly reason: string;
};

export type SnapshotMessage =
  /**
   * A chunk to be stored, of the snapshot that this node's tree cuts or of the leader's. Chunk 0 begins a new file. The answer is
   * `chunkStored` or `snapshotRefused`, to `tree/1` or to log-sync.
   */
  | (Omit<SnapshotChunk, "kind"> & {
      readonly kind: "storeChunk";
      readonly source: "tree" | "leader";
    })
  /** The answer goes to the tree `to`, or to log-sync for the peer `to`. */
  | (AskChunk & { readonly to: `tree/${number}` | ServerId })
  /**
   * All chunks of the leader's snapshot are stored. The snapshot is verified as a whole and replaces the log. Answered with `installed`
   * when that is durable, or with `installRefused`, and then nothing has changed.
   */
  | { readonly kind: "installSnapshot"; readonly snapshot: SnapshotIdentity }
  /** The stored chunks of the leader's snapshot are no longer needed. */
  | { readonly kind: "dropTransfer" };

/** Why a node may not vote. */
export type VoteLoss = {
  /**
   * `new`: its folder was empty. `guest`: its folder was empty, and was admitted to an ensemble in which another folder had its number.
   * `log`: records are missing or damaged. `promise`: it is unknown what the node has promised.
   */
  readonly reason: "new" | "guest" | "log" | "promise";
  /**
   * With the reason `log`, the node has promised no later epoch than this, and so acknowledged nothing of one. With another reason this is
   * only a lower bound of what it has promised.
   */
  readonly epoch: Epoch;
};

/** A configuration in a record of the log. It is in force when the record is committed. */
export type LoggedConfiguration = {
  readonly zxid: Zxid;
  readonly configuration: Configuration;
};

/** What the log reports to log-sync. */
export type LogReport =
  /** The first report, once. `lastZxids` has the last zxid of every record of the log, ascending. */
  | {
      readonly kind: "recovered";
      /** The identity of the folder. */
      readonly identity: Identity;
      /** The last configuration that the folder knows to be committed. Undefined: it belongs to no ensemble yet. */
      readonly configuration: Configuration | undefined;
      /** The configurations in the records of the log, ascending. */
      readonly logged: readonly LoggedConfiguration[];
      readonly promise: EpochPromise;
      /** The log begins after this zxid: a snapshot holds everything up to it, or it is 0. */
      readonly baseZxid: Zxid;
      readonly lastZxids: readonly Zxid[];
      /** The newest valid snapshot, which the log continues. Undefined: there is none. */
      readonly snapshot: SnapshotIdentity | undefined;
      /** The time of the last record of the log or the snapshot, in milliseconds. No later record has an earlier time. */
      readonly timeMs: number;
      /** Why this node has no vote. Undefined: it has one. */
      readonly voteLoss: VoteLoss | undefined;
      /** Counts the starts of the folder. It is increased, and durable, before this report. */
      readonly incarnation: number;
      /** How many bytes of a last write that a crash cut short were removed. */
      readonly tornBytes: number;
    }
  /** Everything up to `lastZxid` is durable. `truncations` counts the truncations since the start that were done before. */
  | { readonly kind: "appended"; readonly lastZxid: Zxid; readonly truncations: number }
  | { readonly kind: "truncated"; readonly lastZxid: Zxid; readonly truncations: number }
  | { readonly kind: "promised"; readonly promise: EpochPromise }
  /** The answer to `read`, with the `purpose` and the `after` of the question. */
  | {
      readonly kind: "records";
      readonly purpose: ReadPurpose;
      readonly after: Zxid;
      readonly records: readonly Uint8Array[];
    }
  /** A snapshot that this node has cut is durable. It can be sent to followers from now on. */
  | { readonly kind: "snapshotStored"; readonly snapshot: SnapshotIdentity }
  /** The records up to `baseZxid` were removed, since a snapshot contains their effects. */
  | { readonly kind: "purged"; readonly baseZxid: Zxid }
  /** A chunk for the peer `to`. */
  | (SnapshotChunk & { readonly to: ServerId })
  /** About a chunk of the leader's snapshot. */
  | ChunkStored
  | SnapshotRefused
  /** The leader's snapshot has replaced the log, which is empty and begins after the snapshot's zxid. This counts as a truncation. */
  | {
      readonly kind: "installed";
      readonly snapshot: SnapshotIdentity;
      /** The time of the last record whose effects the snapshot contains, in milliseconds. */
      readonly timeMs: number;
      readonly truncations: number;
    }
  | { readonly kind: "installRefused"; readonly zxid: Zxid; readonly reason: string }
  | { readonly kind: "configurationStored"; readonly configuration: Configuration }
  | { readonly kind: "voteLost" }
  | { readonly kind: "voteRegained" }
  /** No more disk space could be prepared. Appends are taken as long as the space that was prepared before lasts. */
  | { readonly kind: "diskLow" }
  /** The disk is full: all records after `durable` were dropped, and appends are dropped until `writable`. */
  | { readonly kind: "diskFull"; readonly durable: Zxid }
  /** After `diskLow` or `diskFull`: there is space for a whole segment again. */
  | { readonly kind: "writable" };
