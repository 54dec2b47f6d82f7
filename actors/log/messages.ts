/** The log actor: durable appends, truncation, segments, snapshots, the promise. It lives in the log lane. */
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { DiskOutcome } from "../../runtime/disk.ts";
import type { SnapshotIdentity } from "../../protocol/replication.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import type { Configuration } from "../../protocol/configuration.ts";
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
  /** Answered with `records`: the ones that follow `after`, at least one if there is one, else up to `bytesMax`. */
  | {
      readonly kind: "read";
      readonly tag: number;
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

export type SnapshotMessage =
  /**
   * From tree 1: a piece of the snapshot it was asked for with `cutSnapshot`, from index 0. Answered with `chunkStored`
   * once durable, or with `snapshotRefused`.
   */
  | {
      readonly kind: "snapshotChunk";
      readonly zxid: Zxid;
      readonly index: number;
      readonly bytes: Uint8Array;
      readonly last: boolean;
    }
  /** From log-sync: the tree `to` gets the snapshot's chunks, each after the one before is `chunkLoaded`. */
  | { readonly kind: "loadSnapshot"; readonly zxid: Zxid; readonly to: `tree/${number}` }
  /** From a tree. */
  | {
      readonly kind: "chunkLoaded";
      readonly lane: number;
      readonly zxid: Zxid;
      readonly index: number;
    }
  /** Bytes of a stored snapshot for a peer. Answered with `snapshotBytes`. */
  | {
      readonly kind: "readSnapshot";
      readonly tag: number;
      readonly zxid: Zxid;
      readonly position: number;
      readonly bytesMax: number;
    }
  /** Bytes of a peer's snapshot; position 0 begins anew. Answered with `partStored`, or `partRefused`. */
  | {
      readonly kind: "storePart";
      readonly zxid: Zxid;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  /**
   * All parts are stored: they are verified and take the place of the whole log. Answered with `installed` once that is
   * durable, or with `installRefused`, and then nothing has changed.
   */
  | { readonly kind: "installSnapshot"; readonly snapshot: SnapshotIdentity }
  /** The parts stored so far are not wanted any more. */
  | { readonly kind: "dropParts" };

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
  | {
      readonly kind: "records";
      readonly tag: number;
      readonly after: Zxid;
      readonly records: readonly Uint8Array[];
    }
  /** A snapshot cut here is durable: from now on it is what peers that are far behind get. */
  | { readonly kind: "snapshotStored"; readonly snapshot: SnapshotIdentity }
  /** Records up to `baseZxid` are gone: snapshots hold them. */
  | { readonly kind: "purged"; readonly baseZxid: Zxid }
  /** No bytes: there is no such snapshot, or it ends there. */
  | {
      readonly kind: "snapshotBytes";
      readonly tag: number;
      readonly zxid: Zxid;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  /** `position` of the next. */
  | { readonly kind: "partStored"; readonly zxid: Zxid; readonly position: number }
  | { readonly kind: "partRefused"; readonly zxid: Zxid; readonly reason: string }
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
