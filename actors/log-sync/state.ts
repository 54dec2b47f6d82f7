/** What log-sync knows, and the small steps that every role shares. */
import type { LocalEffect, PeerEffect } from "../../runtime/effects.ts";
import type { Turn } from "../../runtime/turn.ts";
import { assert } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  CATCH_UP_BYTES_MAX,
  LEADER_UNCOMMITTED_BYTES_MAX,
  RECENT_RECORDS_BYTES_MAX,
} from "../../protocol/limits.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { type Epoch, EPOCH_NONE, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { Configuration, Voter } from "../../protocol/configuration.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { LoggedConfiguration, VoteLoss } from "../log/messages.ts";
import { type EpochAllowance, newAllowance } from "./epochs/allowance.ts";
import type { Founding } from "./ensemble/founding.ts";
import { isBound } from "./ensemble/membership.ts";
import { LogIndex } from "./log-index.ts";
import type { LogSyncPeerMessage, LogSyncTimer } from "./messages.ts";
import type { DiskSpace } from "../../protocol/replication.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import type { SnapshotIdentity } from "../../protocol/replication.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import { type Counted, quorumOf } from "../quorum.ts";
import type { Pace } from "./snapshots/pace.ts";
import { RecentRecords } from "./recent-records.ts";
import { SubmitterTable } from "./submitters.ts";
import { emit } from "../topics.ts";
import type { Role } from "./roles.ts";

export type LogSyncOptions = {
  readonly server: ServerId;
  /** All that count for a quorum, this node among them. */
  readonly voters: readonly ServerId[];
  /** A folder may take another one's place that was not heard for so long. Default 10000. */
  readonly replaceAfterMs?: number;
  /** Lanes of this node, numbered from 1: who is told of commits and incarnations. */
  readonly lanes: number;
  readonly crc32: Crc32;
  /** How long a follower waits for its leader's barrier before it looks again. Default 5000. */
  readonly establishTimeoutMs?: number;
  /** How often a leader repeats where it stands, so that what was lost is noticed. Default 100. */
  readonly announceIntervalMs?: number;
  /** Default: those of `protocol/limits.ts`. */
  readonly sizes?: LogSyncSizes;
};

/** Bytes, by what they bound. Smaller ones take more messages and more reads of the log. */
export type LogSyncSizes = {
  /** Of the newest records, kept in memory. */
  readonly recent: number;
  /** Of records that a leader lets wait for a quorum. */
  readonly uncommitted: number;
  /** Of records in one message to a peer that catches up. */
  readonly catchUp: number;
};

const SIZES: LogSyncSizes = {
  recent: RECENT_RECORDS_BYTES_MAX,
  uncommitted: LEADER_UNCOMMITTED_BYTES_MAX,
  catchUp: CATCH_UP_BYTES_MAX,
};

export type Surveyed = Extract<LogSyncPeerMessage, { kind: "surveyed" }>;

/** What a node without a vote knows of the way back to one (`vote.ts`). */
export type VoteRepair = {
  loss: VoteLoss;
  /** Of this life's questions: an answer to an older one says nothing about what was lost since. */
  readonly nonce: number;
  /** The last answer of each other voter. */
  readonly heard: Map<ServerId, Surveyed>;
  /** Where a leader's log ended when it was asked. This node has acknowledged nothing of that epoch beyond it. */
  target: { readonly leader: ServerId; readonly epoch: Epoch; readonly tail: Zxid } | undefined;
  /** The marker is being removed. */
  regaining: boolean;
  surveys: number;
};

/** A leader's snapshot on its way here, chunk by chunk. */
export type Transfer = {
  readonly snapshot: SnapshotIdentity;
  /** The leader that offered it last: it has this very file. */
  source: ServerId;
  /** The next chunk, and where it begins. */
  index: number;
  position: number;
  /** Bytes of the chunk that is being stored. */
  storing: number;
  readonly pace: Pace;
  step: "asking" | "storing" | "installing";
};

/** Who this node is, and which configuration it goes by (`membership.ts`). */
export type Membership = {
  identity: Identity;
  incarnation: number;
  /** Known to be committed. */
  settled: Configuration | undefined;
  /** Of records of this log that are not known to be committed, ascending. */
  logged: readonly LoggedConfiguration[];
  counted: Counted;
  /** When it was last said that the ensemble does not take this folder in. */
  refusedMs: number;
  /** This folder's memory is not all there is of it. That is being made durable; then the node stops, or goes on without a vote. */
  losingVote: "stops" | "goesOn" | undefined;
};

/** What this node has promised as a voter. */
export type Promises = {
  durable: EpochPromise;
  /** On its way to the disk. */
  underWay: EpochPromise | undefined;
  /** Who is answered once the promise under way is durable. */
  asker: Voter | undefined;
};

/** Which epochs this node has heard of. */
export type Epochs = {
  /** The highest: the next candidate chooses a higher one. */
  seen: Epoch;
  readonly allowance: EpochAllowance;
};

/** The log as log-sync knows it. What is on disk, the log actor knows. */
export type LogView = {
  /** Where each record ends, also of those that are not durable yet. */
  index: LogIndex;
  /** The newest records. */
  readonly recent: RecentRecords;
  /** Everything up to here is on this node's disk. */
  durable: Zxid;
  /** A truncation, or an installation, is under way: what the log reports of appends is of before. */
  truncating: boolean;
  /** As the log counts them, so that a report of before one is told from one of after. */
  truncations: number;
  /** The time of the last record, delivered or not. */
  lastTimeMs: number;
};

/** What is committed, and how much of it the trees have been given. */
export type Delivery = {
  /** The commit index of Raft. Never goes back. */
  committed: Zxid;
  /** Emitted under `committed`. */
  delivered: Zxid;
  /** The last batch of each submitter, of the records delivered. */
  submitters: SubmitterTable;
  /** Records are being read from the log for it. */
  reading: boolean;
  /** Lanes that do not yet have the snapshot at `delivered`. Nothing is delivered meanwhile. */
  readonly lanesLoading: Set<number>;
};

export type Snapshots = {
  /** The newest here, for peers that are too far behind for the log. */
  newest: SnapshotIdentity | undefined;
  /** The leader's, on its way here. */
  transfer: Transfer | undefined;
  /** None is transferred before. */
  transferAfterMs: number;
};

/** What this node's disk and memory have left, and what follows from it. */
export type Space = {
  disk: DiskSpace;
  /** The tree is at its limit of memory. */
  treeFull: boolean;
  /** It has given up leading for others whose disks have space, and keeps out of their election. */
  abstaining: boolean;
  yieldedAtMs: number;
  /** The admission that was logged last. */
  admissionLogged: WriteAdmission;
};

export type LogSyncState = {
  readonly options: LogSyncOptions;
  readonly sizes: LogSyncSizes;
  readonly quorum: number;
  /** The log has been read. */
  recovered: boolean;
  readonly membership: Membership;
  /** Defined while this node's folder belongs to no ensemble: then it takes part in nothing. */
  founding: Founding | undefined;
  /** Undefined: this node votes. Else it grants no promise, leads nothing, and counts for no quorum. */
  repair: VoteRepair | undefined;
  role: Role;
  readonly promises: Promises;
  readonly epochs: Epochs;
  readonly log: LogView;
  readonly delivery: Delivery;
  readonly snapshots: Snapshots;
  readonly space: Space;
  /** How many messages of peers contradicted what is here. */
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
    contradictions: 0,
  };
}

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

/** Log-sync speaks to its peers, and has others of its node do what touches a disk. */
export type LogSyncEffect = LocalEffect<LogSyncTimer> | PeerEffect;
export type LogSyncTurn = Turn<LogSyncState, LogSyncEffect>;
