/** The state of the log-sync actor, by concern. What only one role needs is in the role (`roles.ts`). */
import type { LocalEffect, PeerEffect } from "../../runtime/effects.ts";
import type { Turn } from "../../runtime/turn.ts";
import { assert } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  CATCH_UP_BYTES_MAX,
  LEADER_UNCOMMITTED_BYTES_MAX,
  RECENT_RECORDS_BYTES_MAX,
  RECORD_BYTES_MAX,
} from "../../protocol/limits.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { type Epoch, EPOCH_NONE, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { Configuration, Voter } from "../../protocol/configuration.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { LoggedConfiguration, VoteLoss } from "../log/messages.ts";
import { type EpochAllowance, newAllowance } from "./epochs/allowance.ts";
import type { Founding } from "./ensemble/founding.ts";
import type { Handover } from "./handover/handover.ts";
import { isBound } from "./ensemble/membership.ts";
import { LogIndex } from "./log-index.ts";
import type { LogSyncPeerMessage, LogSyncTimer } from "./messages.ts";
import type {
  DiskSpace,
  WriteAdmission,
  SnapshotIdentity,
  EpochPromise,
} from "../../protocol/replication.ts";
import { type Counted, quorumOf } from "../quorum.ts";
import type { Pace } from "./snapshots/pace.ts";
import { RecentRecords } from "./recent-records.ts";
import { SubmitterTable } from "./submitters.ts";
import { emit } from "../topics.ts";
import type { Role } from "./roles.ts";

export type LogSyncOptions = {
  readonly server: ServerId;
  /** What tells this process from others with its folder: its messages to peers carry it. */
  readonly nonce: number;
  /** The numbers of all voters of the ensemble, this node's own among them. */
  readonly voters: readonly ServerId[];
  /** Milliseconds for which a folder must have been silent before another folder may be bound to its number. Default 10000. */
  readonly replaceAfterMs?: number;
  /** How many lanes this node has, numbered from 1. Each has a tree and a submitter. */
  readonly lanes: number;
  readonly crc32: Crc32;
  /** Milliseconds for which a follower waits for its leader's barrier before it looks for another leader. Default 5000. */
  readonly establishTimeoutMs?: number;
  /** Milliseconds after which a leader repeats its commit mark, so that a follower notices what it has missed. Default 100. */
  readonly announceIntervalMs?: number;
  /** Whether this node, when it leads, has writes refused that go beyond a hard limit of a quota. Default false. */
  readonly enforceQuota?: boolean;
  /** Default: the sizes of `protocol/limits.ts`. */
  readonly sizes?: LogSyncSizes;
};

/** Limits in bytes. Smaller ones cost more messages and more reads of the log. */
export type LogSyncSizes = {
  /** How many bytes of the newest records are kept in memory. */
  readonly recent: number;
  /** How many bytes of records may wait for a quorum before a leader takes no more batches. */
  readonly uncommitted: number;
  /** How many bytes of records one message has to a peer that catches up. */
  readonly catchUp: number;
};

const SIZES: LogSyncSizes = {
  recent: RECENT_RECORDS_BYTES_MAX,
  uncommitted: LEADER_UNCOMMITTED_BYTES_MAX,
  catchUp: CATCH_UP_BYTES_MAX,
};

// A leader sends a record that is not durable yet out of memory only, and writes it again out of memory when a full disk has space
// again. It stops taking batches when `uncommitted` is exceeded, which one more record may do.
assert(
  SIZES.recent >= SIZES.uncommitted + 2 * RECORD_BYTES_MAX,
  "all records that a leader lets wait for a quorum are in memory",
);

export type Surveyed = Extract<LogSyncPeerMessage, { kind: "surveyed" }>;

/** What a node without a vote knows of the way back to one (`repair.ts`). */
export type VoteRepair = {
  loss: VoteLoss;
  /** The nonce of this repair's surveys: an answer to an older survey says nothing about what was lost since. */
  readonly nonce: number;
  /** The last answer of each other voter. */
  readonly answers: Map<ServerId, Surveyed>;
  /** The end of a leader's log when the leader was asked. This node has acknowledged nothing of that epoch beyond it. */
  target: { readonly leader: ServerId; readonly epoch: Epoch; readonly tail: Zxid } | undefined;
  /** Whether the log is removing the marker on disk that takes the vote away. */
  regaining: boolean;
  /** How many surveys were sent. */
  surveys: number;
};

/** A leader's snapshot that this follower fetches chunk by chunk. */
export type Transfer = {
  readonly snapshot: SnapshotIdentity;
  /** The leader that offered the snapshot last. It has this very file. */
  source: ServerId;
  /** The number of the next chunk, and where it begins in the snapshot. */
  index: number;
  position: number;
  /** How many bytes the chunk has that is being stored. */
  storing: number;
  readonly pace: Pace;
  /** When the transfer began, or the last chunk came. */
  movedAtMs: number;
  step: "asking" | "storing" | "installing";
};

/** Who this node is, and which configuration it goes by (`ensemble/membership.ts`). */
export type Membership = {
  identity: Identity;
  incarnation: number;
  /** The last configuration that is known to be committed. Undefined: this folder belongs to no ensemble. */
  settled: Configuration | undefined;
  /** The configurations in records of this log that are not known to be committed, in zxid order. */
  logged: readonly LoggedConfiguration[];
  counted: Counted;
  /** When the log of the node last said that the ensemble does not admit this folder. */
  refusedMs: number;
  /**
   * Defined while the loss of the vote is made durable, because more was acknowledged under this folder's identity than it holds. After
   * that the node stops, or goes on without a vote.
   */
  losingVote: "stops" | "goesOn" | undefined;
};

/** What this node has promised as a voter. */
export type Promises = {
  durable: EpochPromise;
  /** The promise that the log is making durable. */
  underWay: EpochPromise | undefined;
  /** The candidate that is answered when the promise under way is durable. Undefined: this node promised to itself, or to a leader. */
  asker: Voter | undefined;
};

/** How far this node believes what peers say of epochs (`epochs/believed.ts`). */
export type Epochs = {
  /** The highest epoch that a peer has named and this node has believed. A candidate chooses a higher one. */
  seen: Epoch;
  readonly allowance: EpochAllowance;
};

/** The log as log-sync knows it, with what is not durable yet. The log actor knows what is on the disk. */
export type LogView = {
  /** The end of each record, whether or not the record is durable yet. */
  index: LogIndex;
  /** The newest records. */
  readonly recent: RecentRecords;
  /** Everything up to this zxid is on this node's disk. */
  durable: Zxid;
  /** A truncation or an installation is under way. Until it is done, the log's reports of appends are about the log before it. */
  truncating: boolean;
  /** How many truncations the log has done. The log counts them in its reports, so that an older report is recognised. */
  truncations: number;
  /** The time of the last record in milliseconds, whether or not the record is delivered. Times of records never go back. */
  lastTimeMs: number;
};

/** What is committed, and how much of it the trees have been given. */
export type Delivery = {
  /** The commit mark, which is Raft's commit index. It never goes back. */
  committed: Zxid;
  /** The trees have been sent everything up to this zxid, or a snapshot that ends there. */
  delivered: Zxid;
  /** The last batch of each submitter in the delivered records. */
  submitters: SubmitterTable;
  /** Whether the log is reading records that are to be delivered. */
  reading: boolean;
  /** The lanes that have not yet loaded the snapshot at `delivered`. Nothing is delivered before all have. */
  readonly lanesLoading: Set<number>;
};

export type Snapshots = {
  /** The newest snapshot of this node, for followers that need records from before its log. */
  newest: SnapshotIdentity | undefined;
  /** The snapshot that this node fetches from its leader. */
  transfer: Transfer | undefined;
  /** No transfer begins before this time. */
  transferAfterMs: number;
};

/** What this node's disk and memory have left, and what follows from it. */
export type Space = {
  disk: DiskSpace;
  /** Whether the tree has reached its limit of memory. */
  treeFull: boolean;
  /** Whether this node has given up leading in favour of nodes whose disks have space, and keeps out of their election. */
  abstaining: boolean;
  /** When this node last gave up leading for that reason. */
  yieldedAtMs: number;
  /** The admission that was logged last. */
  admissionLogged: WriteAdmission;
};

export type LogSyncState = {
  readonly options: LogSyncOptions;
  readonly sizes: LogSyncSizes;
  readonly quorum: number;
  /** Whether the log has been read. Before that this node answers nothing. */
  recovered: boolean;
  readonly membership: Membership;
  /** Defined while this node's folder belongs to no ensemble. It then takes part in nothing. */
  founding: Founding | undefined;
  /** Defined while this node has no vote: it then grants no promise, leads nothing, and counts for no quorum. */
  repair: VoteRepair | undefined;
  role: Role;
  readonly promises: Promises;
  readonly epochs: Epochs;
  readonly log: LogView;
  readonly delivery: Delivery;
  readonly snapshots: Snapshots;
  readonly space: Space;
  /** Defined while this node hands its leadership over, until it knows its successor. */
  handover: Handover | undefined;
  /** This node is about to stop, and takes over from nobody. */
  retiring: boolean;
  /** How many messages of peers contradicted what this node knows for certain. */
  contradictions: number;
};

export function initialState(options: LogSyncOptions): LogSyncState {
  assert(options.voters.includes(options.server), "this node is one of the voters");
  const { sizes = SIZES } = options;
  return {
    options,
    sizes,
    quorum: quorumOf(options.voters.length),
    recovered: false,
    membership: {
      identity: "",
      incarnation: 0,
      settled: undefined,
      logged: [],
      counted: new Map(),
      refusedMs: Number.NEGATIVE_INFINITY,
      losingVote: undefined,
    },
    founding: undefined,
    repair: undefined,
    role: { kind: "looking" },
    promises: {
      durable: { epoch: EPOCH_NONE, candidate: options.server },
      underWay: undefined,
      asker: undefined,
    },
    epochs: { seen: EPOCH_NONE, allowance: newAllowance() },
    log: {
      index: new LogIndex([]),
      recent: new RecentRecords(sizes.recent),
      durable: ZXID_NONE,
      truncating: false,
      truncations: 0,
      lastTimeMs: 0,
    },
    delivery: {
      committed: ZXID_NONE,
      delivered: ZXID_NONE,
      submitters: new SubmitterTable(),
      reading: false,
      lanesLoading: new Set(),
    },
    snapshots: { newest: undefined, transfer: undefined, transferAfterMs: 0 },
    space: {
      disk: "free",
      treeFull: false,
      abstaining: false,
      yieldedAtMs: Number.NEGATIVE_INFINITY,
      admissionLogged: "all",
    },
    handover: undefined,
    retiring: false,
    contradictions: 0,
  };
}

/** Tells the election actor where the durable log ends and whether this node may vote. */
export function emitDurable(turn: LogSyncTurn): void {
  const { state } = turn;
  const {
    log: { durable: lastZxid },
    promises: { durable: promise },
  } = state;
  const isAble =
    state.repair === undefined && state.space.disk !== "full" && !state.space.abstaining;
  const votes = isAble && isBound(state);
  turn.effects.push(
    emit("durable", { kind: "durable", votes, lastZxid, promisedEpoch: promise.epoch }),
  );
}

/** Log-sync sends messages to peers and to actors of its node. It touches no disk: that is the log actor's part. */
export type LogSyncEffect = LocalEffect<LogSyncTimer> | PeerEffect;
export type LogSyncTurn = Turn<LogSyncState, LogSyncEffect>;
