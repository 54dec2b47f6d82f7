/** The log-sync actor: what is in the log and what is committed. All of the safety lives here. */
import type { EndOfTurn, ReceivedMessage, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId, Submitter } from "../../protocol/ids.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { EnsembleId, Identity } from "../../protocol/identity.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import type { AskChunk, LogReport, SnapshotChunk } from "../log/messages.ts";
import type { TreeLoaded, TreeMemory } from "../tree/messages.ts";
import type {
  DiskSpace,
  EpochPromise,
  SnapshotIdentity,
  WriteAdmission,
} from "../../protocol/replication.ts";

export type LogSyncTimer =
  | "announce"
  | "ask"
  | "establish"
  | "greet"
  | "join"
  | "survey"
  | "abstain";

export type LogSyncMessage =
  | LogReport
  | TreeLoaded
  /** From the tree of lane 1. */
  | TreeMemory
  /** From the election actor: who should lead. */
  | { readonly kind: "elected"; readonly leader: ServerId }
  /** From the heartbeat actor, or from election: the leader (or, of a leader, its quorum) is lost. */
  | { readonly kind: "leaderLost"; readonly reason: string }
  /** From the gate between this node and the others. */
  | RefusedByPeer
  | TwinHeard
  /** From a submitter of this node. */
  | SubmitMessage
  /** From the sessions actor of the leader: a batch that is the leader's own. */
  | { readonly kind: "propose"; readonly payload: Uint8Array; readonly count: number }
  | ReceivedMessage<LogSyncPeerMessage>
  | TimerMessage<LogSyncTimer>
  | EndOfTurn;

/** One batch of a lane. Repeated until its result comes; in sequence per submitter. */
export type SubmitMessage = {
  readonly kind: "submit";
  readonly submitter: Submitter;
  readonly seq: number;
  /** Operations in the payload. */
  readonly count: number;
  readonly payload: Uint8Array;
};

export type LogSyncPeerMessage =
  | { readonly kind: "promiseRequest"; readonly epoch: Epoch; readonly candidate: ServerId }
  /** `lastZxid` is that of the voter's durable log. When refused, `promise` says by which promise. */
  | {
      readonly kind: "promiseReply";
      /** Of the candidate that it is for: another process may have its number. */
      readonly folder: Identity;
      readonly epoch: Epoch;
      readonly granted: boolean;
      readonly promise: EpochPromise;
      readonly lastZxid: Zxid;
    }
  /** Records that follow `prevZxid` (none: a question where the follower stands), and the commit mark. */
  | {
      readonly kind: "append";
      readonly epoch: Epoch;
      readonly leader: ServerId;
      readonly prevZxid: Zxid;
      readonly committed: Zxid;
      readonly records: readonly Uint8Array[];
      readonly admission: WriteAdmission;
    }
  /** Everything up to `zxid` of the leader's log is durable here. Without `votes` it counts for no quorum. */
  | {
      readonly kind: "accepted";
      readonly epoch: Epoch;
      readonly zxid: Zxid;
      readonly votes: boolean;
      readonly diskSpace: DiskSpace;
      /** The follower's memory has no room for a larger tree. */
      readonly treeFull: boolean;
    }
  /** The append did not follow this log. `holds`: the last record here that is not after the append's prevZxid. */
  | {
      readonly kind: "behind";
      readonly epoch: Epoch;
      readonly holds: Zxid;
      /** Where its durable log ends. */
      readonly durable: Zxid;
    }
  /** To a life of a folder: an earlier one has acknowledged this zxid in this epoch, and this one does not hold it. */
  | {
      readonly kind: "forgotten";
      readonly folder: Identity;
      readonly incarnation: number;
      readonly epoch: Epoch;
      readonly zxid: Zxid;
    }
  /** To a follower whose log ends before the leader's begins: it may ask for the leader's newest snapshot. */
  | {
      readonly kind: "snapshotOffer";
      readonly epoch: Epoch;
      readonly snapshot: SnapshotIdentity;
      /** That the leader goes by: the records that made it may be in the snapshot only. */
      readonly configuration: Configuration;
    }
  /** The follower wants this chunk of it. */
  | (AskChunk & { readonly epoch: Epoch })
  | (SnapshotChunk & { readonly epoch: Epoch })
  /** Who is there, with whom it was started, and what it goes by. Who belongs to no ensemble asks. */
  | {
      readonly kind: "greeting";
      readonly members: readonly ServerId[];
      readonly configuration: Configuration | undefined;
      readonly asks: boolean;
      /** It has heard of nothing that is against founding an ensemble with it. */
      readonly mayFound: boolean;
    }
  /** Of a folder whose number another one has: it wants to take its place. */
  | { readonly kind: "join" }
  /** To the folder of this identity: why it is not taken in, or that it is, as a guest. */
  | {
      readonly kind: "joinAnswer";
      readonly identity: Identity;
      readonly reason?: string;
      readonly configuration?: Configuration;
    }
  /** Of a node without a vote: what the others have promised and hold. `nonce` tells the answers from older ones. */
  | { readonly kind: "survey"; readonly nonce: number }
  | {
      readonly kind: "surveyed";
      readonly nonce: number;
      readonly promisedEpoch: Epoch;
      /** The end of its log, durable or not. */
      readonly tail: Zxid;
      /** The epoch that it leads, if it leads. */
      readonly leads: Epoch | undefined;
    }
  /** The sender of an append or promise request is deposed: a higher epoch is promised here. */
  | { readonly kind: "deposed"; readonly promise: EpochPromise }
  | SubmitMessage
  /** A batch was not taken: the submitter goes on from `expected`, or, if its incarnation is too old, starts a newer one. */
  | SubmitRefused;

export type SubmitRefused = {
  readonly kind: "submitRefused";
  readonly submitter: Submitter;
  readonly reason: "outOfSequence" | "staleIncarnation" | "notLeader" | "diskFull";
  /** The next seq that would be taken; with staleIncarnation, the incarnation that is current. */
  readonly expected: number;
};

/** Why a node's frames are refused by another one. */
export type RefusalReason =
  /** Another process has its number. */
  | "twin"
  /** It belongs to another ensemble. */
  | "otherEnsemble"
  /** Its folder has been used since by a process that started later, or as late: it is a copy, or an old one put back. */
  | "olderIncarnation"
  /** It takes itself for a voter, by a configuration that is not in force any more. */
  | "outdated";

/** Another node refuses what this process sends. */
export type RefusedByPeer = {
  readonly kind: "refusedByPeer";
  readonly from: ServerId;
  readonly reason: RefusalReason;
  /** Of the life that the other node remembers. */
  readonly incarnation: number;
};

/** Emitted under `standing`, for the gate: who this node is, and whom it goes by. */
export type Standing = {
  readonly kind: "standing";
  readonly identity: Identity;
  readonly incarnation: number;
  /** Undefined: this node belongs to no ensemble yet. */
  readonly ensembleId: EnsembleId | undefined;
  /** Of the configuration; 0: none. */
  readonly version: number;
  /** By number, the folder whose word counts under it. */
  readonly voters: ReadonlyMap<ServerId, Identity>;
  /** Folders that have a number in the configuration in force, or in one that is not yet known to be. */
  readonly named: ReadonlySet<Identity>;
};

/** From the gate: another process has this node's number. */
export type TwinHeard = { readonly kind: "twinHeard" };

/** Emitted under `committed`: verified records in zxid order, each exactly once since the start, gapless. */
export type Committed = { readonly kind: "committed"; readonly records: readonly Uint8Array[] };

/** Emitted under `durable`: the last zxid of the durable log, for election's votes; and the promise. */
export type Durable = {
  readonly kind: "durable";
  /**
   * False: it takes no part in elections. It may have forgotten what it acknowledged, its disk is full, or it has just given
   * up leading for others whose disks have room.
   */
  readonly votes: boolean;
  readonly lastZxid: Zxid;
  readonly promisedEpoch: Epoch;
};
