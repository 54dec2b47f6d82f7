/** The messages of the log-sync actor, which is the consensus of the ensemble (`log-sync.ts`), and what it emits. */
import type { EndOfTurn, ReceivedMessage, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId, Submitter } from "../../protocol/ids.ts";
import type { Configuration } from "../../protocol/configuration.ts";
import type { EnsembleId, Identity } from "../../protocol/identity.ts";
import type { HandOver, Retire, TakeOver, TakeOverDeclined } from "./handover/messages.ts";
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
  | "mark"
  | "hold"
  | "ask"
  | "establish"
  | "greet"
  | "join"
  | "survey"
  | "abstain"
  | "handover";

export type LogSyncMessage =
  | LogReport
  | TreeLoaded
  /** From the tree of lane 1. */
  | TreeMemory
  /** From the election actor: who should lead. */
  | { readonly kind: "elected"; readonly leader: ServerId }
  /** From the heartbeat actor: the leader that this node follows is lost, or this node leads and no quorum pings it any more. */
  /** `silentMs`: for how long the leader was not heard, where that is the reason. */
  | { readonly kind: "leaderLost"; readonly reason: string; readonly silentMs?: number }
  /** From the gate that checks the messages of peers. */
  | RefusedByPeer
  | TwinHeard
  | HandOver
  | Retire
  /** From a submitter of this node. */
  | SubmitMessage
  /** From the sessions actor of the leader: a batch of the leader's own, with `count` operations. */
  | { readonly kind: "propose"; readonly payload: Uint8Array; readonly count: number }
  | ReceivedMessage<LogSyncPeerMessage>
  | TimerMessage<LogSyncTimer>
  | EndOfTurn;

/** One batch of a lane. A submitter numbers its batches in sequence and repeats each until its results come. */
export type SubmitMessage = {
  readonly kind: "submit";
  readonly submitter: Submitter;
  readonly seq: number;
  /** How many operations the payload has. */
  readonly count: number;
  readonly payload: Uint8Array;
};

export type LogSyncPeerMessage =
  | { readonly kind: "promiseRequest"; readonly epoch: Epoch; readonly candidate: ServerId }
  /**
   * A voter's answer to `promiseRequest`. `lastZxid` is the end of its durable log. If it does not grant the epoch, `promise` is the
   * promise that stands against it.
   */
  | {
      readonly kind: "promiseReply";
      /** The folder of the candidate that asked, since another process may have the candidate's number by now. */
      readonly folder: Identity;
      readonly epoch: Epoch;
      readonly granted: boolean;
      readonly promise: EpochPromise;
      readonly lastZxid: Zxid;
    }
  /**
   * From the leader: records that follow `prevZxid`, and the leader's commit mark. Without records it only asks the follower how far
   * its log has come. Raft's AppendEntries.
   */
  | {
      readonly kind: "append";
      readonly epoch: Epoch;
      readonly leader: ServerId;
      readonly prevZxid: Zxid;
      readonly committed: Zxid;
      readonly records: readonly Uint8Array[];
      readonly admission: WriteAdmission;
      readonly asks?: Asks | undefined;
    }
  /**
   * From a follower: everything up to `zxid` is durable at the sender and equal to the leader's log. Without `votes` this counts for no
   * quorum. It is for the leader, and for all if the leader asks for that.
   */
  | {
      readonly kind: "accepted";
      readonly epoch: Epoch;
      readonly zxid: Zxid;
      readonly votes: boolean;
      readonly diskSpace: DiskSpace;
      /** Whether the follower's memory cannot hold a larger tree. */
      readonly treeFull: boolean;
    }
  /**
   * From a follower whose log does not have the append's `prevZxid`. `holds` is the end of its last record that is not after that
   * `prevZxid`.
   */
  | {
      readonly kind: "behind";
      readonly epoch: Epoch;
      readonly holds: Zxid;
      /** The end of the follower's durable log. */
      readonly durable: Zxid;
    }
  /**
   * From the leader to a follower: an earlier incarnation of your folder has acknowledged this zxid in this epoch, and your log no longer
   * has it. The message is for `folder` in its start number `incarnation` only.
   */
  | {
      readonly kind: "forgotten";
      readonly folder: Identity;
      readonly incarnation: number;
      readonly epoch: Epoch;
      readonly zxid: Zxid;
    }
  /** From the leader to a follower whose log ends before the leader's begins: you may ask for the chunks of this snapshot. */
  | {
      readonly kind: "snapshotOffer";
      readonly epoch: Epoch;
      readonly snapshot: SnapshotIdentity;
      /** The committed configuration. The record that made it may be in the snapshot only. */
      readonly configuration: Configuration;
    }
  /** From the follower: it asks for one chunk of the snapshot, and is sent that chunk. */
  | (AskChunk & { readonly epoch: Epoch })
  | (SnapshotChunk & { readonly epoch: Epoch })
  /**
   * Says that the sender is there, with which members it was started, and which configuration it goes by. A node that belongs to no
   * ensemble sets `asks`, and is greeted in return.
   */
  | {
      readonly kind: "greeting";
      readonly members: readonly ServerId[];
      readonly configuration: Configuration | undefined;
      readonly asks: boolean;
      /** Whether the sender knows of nothing against founding an ensemble. */
      readonly mayFound: boolean;
    }
  /** From a node whose number is bound to another folder: its own folder wants to be bound in place of that one. */
  | { readonly kind: "join" }
  /** The leader's answer to `join`, for the folder of this identity: `reason` says why it is not admitted; otherwise it is, as a guest. */
  | {
      readonly kind: "joinAnswer";
      readonly identity: Identity;
      readonly reason?: string;
      readonly configuration?: Configuration;
    }
  /** From a node without a vote: it asks what the others have promised and hold. `nonce` distinguishes the answers from older ones. */
  | { readonly kind: "survey"; readonly nonce: number }
  | {
      readonly kind: "surveyed";
      readonly nonce: number;
      readonly promisedEpoch: Epoch;
      /** The end of the sender's log, durable or not. */
      readonly tail: Zxid;
      /** The epoch that the sender leads. Undefined: it does not lead. */
      readonly leads: Epoch | undefined;
    }
  /** To the sender of an append or a promise request: it is deposed, since the sender of this message has promised a higher epoch. */
  | { readonly kind: "deposed"; readonly promise: EpochPromise }
  | SubmitMessage
  | SubmitRefused
  | TakeOver
  | TakeOverDeclined;

/**
 * In the append of new records: the followers are to say to all that they have accepted these records, so that each can count by
 * itself who has them (docs/decisions/0023-counting.md). An append of records without it ends that.
 */
export type Asks = {
  /** The end of the leader's own durable log, if the leader's own disk counts; otherwise 0. */
  readonly durable: Zxid;
  /** The nonces of the other processes of which the leader counts what they have accepted. */
  readonly counted: readonly number[];
};

/**
 * To a submitter, from the leader: a batch was not taken. The submitter sends its batches again from `expected` on. If its incarnation is
 * too old, it continues under a newer one.
 */
export type SubmitRefused = {
  readonly kind: "submitRefused";
  readonly submitter: Submitter;
  readonly reason: "outOfSequence" | "staleIncarnation" | "notLeader" | "diskFull";
  /** The number of the batch that would be taken next; with `staleIncarnation`, the incarnation that the log knows. */
  readonly expected: number;
};

/** Why a node refuses the frames of a sender. */
export type RefusalReason =
  /** Another process has the sender's number. */
  | "twin"
  /** The sender belongs to another ensemble. */
  | "otherEnsemble"
  /**
   * Another process has been started with the sender's folder at a later start, or at the same: the folder is a copy, or an old copy
   * that was put back.
   */
  | "olderIncarnation"
  /** The sender takes itself for a voter, by a configuration that is no longer in force. */
  | "outdated";

/** From the gate: another node refuses what this process sends. */
export type RefusedByPeer = {
  readonly kind: "refusedByPeer";
  readonly from: ServerId;
  readonly reason: RefusalReason;
  /** The incarnation of this folder that the other node remembers. */
  readonly incarnation: number;
};

/** Emitted under `standing`, for the gate: who this node is, and which configuration it goes by. */
export type Standing = {
  readonly kind: "standing";
  readonly identity: Identity;
  readonly incarnation: number;
  /** Undefined: this node belongs to no ensemble yet. */
  readonly ensembleId: EnsembleId | undefined;
  /** The version of the configuration. 0: there is none. */
  readonly version: number;
  /** Maps a number to the folder that counts under it. */
  readonly voters: ReadonlyMap<ServerId, Identity>;
  /** The folders that have a number in the configuration in force, or in one that may be in force. */
  readonly named: ReadonlySet<Identity>;
};

/** From the gate: another process has this node's number. */
export type TwinHeard = { readonly kind: "twinHeard" };

/** Emitted under `committed`: verified records in zxid order without a gap, each exactly once since the start of the node. */
export type Committed = { readonly kind: "committed"; readonly records: readonly Uint8Array[] };

/** Emitted under `durable`, for the votes of the election actor: where the durable log ends, and the epoch that is promised. */
export type Durable = {
  readonly kind: "durable";
  /**
   * False: this node takes no part in elections, because it may have forgotten what it acknowledged, or its disk is full, or it has just
   * given up leading in favour of nodes whose disks have space.
   */
  readonly votes: boolean;
  readonly lastZxid: Zxid;
  readonly promisedEpoch: Epoch;
};
