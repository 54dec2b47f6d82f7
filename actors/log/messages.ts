/** The log actor: durable appends, truncation, segments, snapshots, the promise. It lives in the log lane. */
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
   * Verified records that follow the log's end. Answered with `appended` once durable; several appends may be answered
   * by one `appended` (group commit).
   */
  | { readonly kind: "append"; readonly records: readonly Uint8Array[] }
  /** Removes every record after `after`, which is a record's lastZxid or the base. Answered with `truncated` once durable. */
  | { readonly kind: "truncate"; readonly after: Zxid }
  /** Answered with `promised` once durable: written, fsynced, renamed, the folder fsynced. */
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
   * The configuration that this node goes by, known to be committed. As a `guest` the node takes part under a number that is
   * bound to another folder, or to none yet. Answered with `configurationStored` once durable.
   */
  | {
      readonly kind: "storeConfiguration";
      readonly configuration: Configuration;
      readonly guest: boolean;
    }
  /**
   * What this folder holds is older than what was acknowledged in its name: it may not vote until it is repaired, and its next
   * start counts from `incarnation`. Answered with `voteLost` once durable.
   */
  | { readonly kind: "loseVote"; readonly incarnation: number }
  /** This node may vote again: the marker that said otherwise goes. Answered with `voteRegained` once durable. */
  | { readonly kind: "regainVote" }
  | TimerMessage<LogTimer>
  | EndOfTurn
  | DiskOutcome;

/** What records are read for: to be delivered to the trees of this node, or to bring a follower up. */
export type ReadPurpose =
  | { readonly kind: "delivery" }
  | { readonly kind: "catchUp"; readonly to: ServerId };

/** Where a chunk stands in its snapshot. */
export type ChunkPlace = {
  readonly zxid: Zxid;
  readonly index: number;
  /** Bytes of the chunks before it. */
  readonly position: number;
};

/**
 * A chunk of a snapshot, whole and verified, on its way from whoever has it: from the tree that cuts it or the leader that gives it
 * to the log that stores it, from the log to the tree that loads it or the log-sync that gives it to a follower. Without bytes: the
 * snapshot is not there any more, or has no such chunk.
 */
export type SnapshotChunk = ChunkPlace & {
  readonly kind: "snapshotChunk";
  readonly bytes: Uint8Array;
};

/** Answered with that `snapshotChunk`. */
export type AskChunk = ChunkPlace & { readonly kind: "askChunk" };

/** To whoever gave the chunk, once it is durable. */
export type ChunkStored = {
  readonly kind: "chunkStored";
  readonly zxid: Zxid;
  readonly index: number;
};

/** To whoever gave the chunk: it was not stored, and no further one of this snapshot will be. */
export type SnapshotRefused = {
  readonly kind: "snapshotRefused";
  readonly zxid: Zxid;
  readonly reason: string;
};

export type SnapshotMessage =
  /**
   * A chunk to be stored, chunk 0 beginning anew: of the snapshot that this node's tree cuts, or of the leader's. Answered with
   * `chunkStored` or `snapshotRefused` to `tree/1` or to log-sync.
   */
  | (Omit<SnapshotChunk, "kind"> & {
      readonly kind: "storeChunk";
      readonly source: "tree" | "leader";
    })
  /** Answered to a tree, or, for a peer, to log-sync. */
  | (AskChunk & { readonly to: `tree/${number}` | ServerId })
  /**
   * All chunks of the leader's snapshot are stored: they are verified as a whole and take the place of the log. Answered with
   * `installed` once that is durable, or with `installRefused`, and then nothing has changed.
   */
  | { readonly kind: "installSnapshot"; readonly snapshot: SnapshotIdentity }
  /** What is stored of a leader's snapshot is not wanted any more. */
  | { readonly kind: "dropTransfer" };

/** Why a node may not vote. */
export type VoteLoss = {
  /**
   * `new`: its folder was empty. `guest`: it was empty and was taken in by an ensemble in which another folder had its number.
   * `log`: records are missing or damaged. `promise`: what it promised is unknown.
   */
  readonly reason: "new" | "guest" | "log" | "promise";
  /** With reason `log`: it has promised nothing, and so acknowledged nothing, of a later epoch. Else only a lower bound. */
  readonly epoch: Epoch;
};

/** A configuration as a record of the log has it: in force once the record is committed. */
export type LoggedConfiguration = {
  readonly zxid: Zxid;
  readonly configuration: Configuration;
};

/** What the log tells log-sync. */
export type LogReport =
  /** Once, first of all. `lastZxids` has the lastZxid of every record of the log, ascending. */
  | {
      readonly kind: "recovered";
      /** Of the folder. */
      readonly identity: Identity;
      /** That the folder goes by. Undefined: it belongs to no ensemble yet. */
      readonly configuration: Configuration | undefined;
      /** Of the records of the log, ascending. */
      readonly logged: readonly LoggedConfiguration[];
      readonly promise: EpochPromise;
      /** The log begins after this zxid: a snapshot holds everything up to it, or it is 0. */
      readonly baseZxid: Zxid;
      readonly lastZxids: readonly Zxid[];
      /** The newest valid one; the log goes on from it. */
      readonly snapshot: SnapshotIdentity | undefined;
      /** Of the last record of the log, or of the snapshot: the next one's is not before it. */
      readonly timeMs: number;
      /** Undefined: it may vote. */
      readonly voteLoss: VoteLoss | undefined;
      /** Increased and made durable at every start: the incarnation of this node's submitters. */
      readonly incarnation: number;
      /** Bytes of a torn last write that were cut off. */
      readonly tornBytes: number;
    }
  /** Everything up to `lastZxid` is durable. `truncations` counts the truncations done before, since the start. */
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
  /** A snapshot cut here is durable: from now on it is what peers that are far behind get. */
  | { readonly kind: "snapshotStored"; readonly snapshot: SnapshotIdentity }
  /** Records up to `baseZxid` are gone: snapshots hold them. */
  | { readonly kind: "purged"; readonly baseZxid: Zxid }
  /** For the peer `to`. */
  | (SnapshotChunk & { readonly to: ServerId })
  /** Of the leader's snapshot. */
  | ChunkStored
  | SnapshotRefused
  /** The log is empty and begins at the snapshot's zxid. Counts as a truncation. */
  | {
      readonly kind: "installed";
      readonly snapshot: SnapshotIdentity;
      /** Of the last record that it holds. */
      readonly timeMs: number;
      readonly truncations: number;
    }
  | { readonly kind: "installRefused"; readonly zxid: Zxid; readonly reason: string }
  | { readonly kind: "configurationStored"; readonly configuration: Configuration }
  | { readonly kind: "voteLost" }
  | { readonly kind: "voteRegained" }
  /** No more room could be prepared. Appends are taken while what was prepared before lasts. */
  | { readonly kind: "diskLow" }
  /** The disk is full: nothing after `durable` was kept, appends are refused until `writable`. */
  | { readonly kind: "diskFull"; readonly durable: Zxid }
  /** After `diskLow` or `diskFull`: there is room for a whole segment again. */
  | { readonly kind: "writable" };
