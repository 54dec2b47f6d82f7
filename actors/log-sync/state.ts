/** What log-sync knows, and the small steps that every role shares. */
import { logEvent } from "../log-event.ts";
import type { EventDetail, LocalEffect, PeerEffect } from "../../runtime/effects.ts";
import type { Turn } from "../../runtime/turn.ts";
import { assert } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  CATCH_UP_BYTES_MAX,
  LEADER_UNCOMMITTED_BYTES_MAX,
  RECENT_RECORDS_BYTES_MAX,
  SNAPSHOT_PART_BYTES_MAX,
} from "../../protocol/limits.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { type Epoch, EPOCH_NONE, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { Configuration, Voter } from "../../protocol/configuration.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { LoggedConfiguration, VoteLoss } from "../log/messages.ts";
import { type EpochAllowance, newAllowance } from "./epochs/allowance.ts";
import type { Founding } from "./ensemble/founding.ts";
import { cutAfter, isBound } from "./ensemble/membership.ts";
import { LogIndex } from "./log-index.ts";
import type { LogSyncPeerMessage, LogSyncTimer } from "./messages.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { DiskSpace } from "../../protocol/replication.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";
import type { SnapshotIdentity } from "../../protocol/replication.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import { type Counted, quorumOf } from "../quorum.ts";
import { RecentRecords } from "./recent-records.ts";
import { SubmitterTable } from "./submitters.ts";
import { emit } from "../topics.ts";
import type { EventName } from "../../protocol/events.ts";

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
  /** Of a snapshot in one message to a peer. */
  readonly snapshotPart: number;
};

const SIZES: LogSyncSizes = {
  recent: RECENT_RECORDS_BYTES_MAX,
  uncommitted: LEADER_UNCOMMITTED_BYTES_MAX,
  catchUp: CATCH_UP_BYTES_MAX,
  snapshotPart: SNAPSHOT_PART_BYTES_MAX,
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

/** A leader's snapshot on its way here, in parts. */
export type Transfer = {
  readonly snapshot: SnapshotIdentity;
  /** Stored here up to this position. */
  position: number;
  /** When a part was last asked for, or came. */
  movedAtMs: number;
  step: "asking" | "storing" | "installing";
};

export type FollowerIncarnation = {
  /** Of the process that was heard last. Undefined: none yet. */
  nonce: number | undefined;
  number: number;
  /** Counted of earlier processes on the same folder: a later one must hold it, too. */
  owed: Zxid;
  /** It does not. Nothing of it counts until it says that it has no vote. */
  hasForgotten: boolean;
};

/** A follower as its leader sees it. */
export type Follower = {
  /** The folder that `accepted` is of: it counts while that folder does. */
  identity: Identity | undefined;
  /** Another folder under its number, and what is durable there and equal to the leader's log. */
  guest: { readonly identity: Identity; readonly accepted: Zxid } | undefined;
  /** Durable there and equal to the leader's log up to here, and counted. */
  accepted: Zxid;
  /** What its folder has acknowledged in earlier lives, and whether it still holds that (`forgotten.ts`). */
  incarnation: FollowerIncarnation;
  /** What it said last of its disk, and when. Undefined: nothing yet. */
  diskSpace: DiskSpace | undefined;
  diskSpaceAtMs: number;
  /** What it said last of its memory, and when. */
  treeFull: boolean;
  treeFullAtMs: number;
  /** While it catches up: what has been sent to it directly, and when. */
  catchUp:
    | { readonly from: Zxid; sentThrough: Zxid; readonly atMs: number; reading: boolean }
    | undefined;
};

export type Role =
  | { readonly kind: "looking" }
  | {
      readonly kind: "candidate";
      readonly epoch: Epoch;
      /** Voters that promised, this node included once its own promise is durable. */
      readonly promises: Map<ServerId, Identity>;
      asked: number;
    }
  | {
      readonly kind: "leading";
      readonly epoch: Epoch;
      readonly barrier: Zxid;
      /** The barrier is committed and delivered: batches are taken from then on. */
      active: boolean;
      readonly followers: Map<ServerId, Follower>;
      readonly sinceMs: number;
      /** When the process was last heard whose folder counts under a number. */
      readonly heardMs: Map<ServerId, number>;
      /** When it was last said that another folder is not taken in under a number. */
      readonly refusedJoinMs: Map<ServerId, number>;
      /** What lanes have been taken at, committed or not. Meaningful once active. */
      taken: SubmitterTable;
      /** Records of this turn, not yet published. */
      outbox: Uint8Array[];
      /** The zxid before the first record of the outbox. */
      outboxAfter: Zxid;
      /** Records of this epoch that are not committed, in order. */
      readonly uncommitted: { readonly lastZxid: Zxid; readonly bytes: number }[];
      uncommittedBytes: number;
      publishing: boolean;
      /** Which writes the disks of a quorum, and the memory of all, have space for. */
      admission: WriteAdmission;
    }
  | {
      readonly kind: "following";
      readonly leader: ServerId;
      /** Unknown until the leader is heard. */
      epoch: Epoch | undefined;
      /** This log equals the leader's up to here. */
      matched: Zxid;
      /** The leader's commit mark. */
      leaderCommitted: Zxid;
      /** The epoch's barrier is known to be committed here. */
      established: boolean;
      /** What the leader said last. */
      admission: WriteAdmission;
      /** When it last said that it is behind, and where it stood. */
      behind: { readonly atMs: number; readonly holds: Zxid } | undefined;
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

/** The epoch below which nothing is accepted: also of a promise that is not durable yet. */
export function promisedEpoch(state: LogSyncState): Epoch {
  return state.promises.underWay?.epoch ?? state.promises.durable.epoch;
}

export function sendTo(turn: LogSyncTurn, to: ServerId, message: LogSyncPeerMessage): void {
  turn.effects.push({ kind: "send", to, actor: "log-sync", message });
}

export function broadcast(turn: LogSyncTurn, message: LogSyncPeerMessage): void {
  turn.effects.push({ kind: "broadcast", actor: "log-sync", message });
}

export function log(turn: LogSyncTurn, event: EventName, detail: EventDetail): void {
  turn.effects.push(logEvent(event, detail));
}

/**
 * A peer's message that no honest node sends to this one, or that proves that an invariant broke elsewhere. It is not acted
 * on: what is here stays as it is, and a stranger stops nobody.
 */
export function contradicts(turn: LogSyncTurn, from: ServerId, what: string): void {
  const { state } = turn;
  state.contradictions += 1;
  const times = state.contradictions;
  // The 1st, 2nd, 4th, 8th, …: a flood of them does not fill the log.
  if ((times & (times - 1)) !== 0) return;
  log(turn, "peerContradiction", { from, what, times });
}

/** Starts making a promise durable; nothing is answered before it is. */
export function persistPromise(
  turn: LogSyncTurn,
  promise: EpochPromise,
  asker: Voter | undefined,
): void {
  const { state } = turn;
  assert(promise.epoch > promisedEpoch(state), "a promise never goes back");
  state.promises.underWay = promise;
  state.promises.asker = asker;
  turn.effects.push(tell("log", { kind: "promise", promise }));
}

/**
 * To be called before a leader's role is replaced: records of this turn that neither the disk nor a peer has seen yet are
 * taken back, and those for which the disk had no room, so that the index ends where the log does.
 */
export function retire(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind !== "leading" || (role.outbox.length === 0 && state.space.disk !== "full")) return;
  const end = state.space.disk === "full" ? state.log.durable : role.outboxAfter;
  cutAfter(turn, end);
  role.outbox = [];
}

/** Gives up what this node leads or follows, and has the election actor look for a leader. */
export function lookAgain(turn: LogSyncTurn, reason: string): void {
  const { state } = turn;
  const was = state.role.kind;
  if (was !== "looking") log(turn, "looking", { was, reason });
  retire(turn);
  state.role = { kind: "looking" };
  turn.effects.push(
    { kind: "stopTimer", timer: "announce" },
    { kind: "stopTimer", timer: "ask" },
    { kind: "stopTimer", timer: "establish" },
  );
  emitDurable(turn);
  emitLeadership(turn);
  turn.effects.push(tell("election", { kind: "look", reason }));
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

export function emitLeadership(turn: LogSyncTurn): void {
  const { state } = turn;
  const value = leadershipOf(state);
  turn.effects.push(emit("leadership", value));
  const { admission } = value;
  if (admission === state.space.admissionLogged) return;
  state.space.admissionLogged = admission;
  const { leader } = value;
  if (admission === "all") log(turn, "writesAdmitted", {});
  else if (admission === "noGrowth") log(turn, "growthRefused", { leader });
  else log(turn, "writesRefused", { admission, leader });
}

/** A node whose memory is full need not wait for its leader's word. */
function withoutGrowth(admission: WriteAdmission, treeFull: boolean): WriteAdmission {
  return treeFull && admission === "all" ? "noGrowth" : admission;
}

function leadershipOf(state: LogSyncState): Leadership {
  const { role, options } = state;
  // A follower whose disk is full could not tell its clients what became of their writes.
  const ownLeast: WriteAdmission = state.space.disk === "full" ? "none" : "all";
  switch (role.kind) {
    case "leading":
      return {
        kind: "leadership",
        role: role.active ? "leading" : "establishing",
        epoch: role.epoch,
        leader: options.server,
        admission: role.admission,
      };
    case "following":
      return {
        kind: "leadership",
        role: role.established ? "following" : "establishing",
        epoch: role.epoch ?? state.promises.durable.epoch,
        leader: role.leader,
        admission:
          state.space.disk === "full"
            ? ownLeast
            : withoutGrowth(role.admission, state.space.treeFull),
      };
    case "candidate":
      return {
        kind: "leadership",
        role: "establishing",
        epoch: role.epoch,
        leader: options.server,
        admission: ownLeast,
      };
    default:
      return {
        kind: "leadership",
        role: "looking",
        epoch: state.promises.durable.epoch,
        leader: undefined,
        admission: ownLeast,
      };
  }
}

/** Log-sync speaks to its peers, and has others of its node do what touches a disk. */
export type LogSyncEffect = LocalEffect<LogSyncTimer> | PeerEffect;
export type LogSyncTurn = Turn<LogSyncState, LogSyncEffect>;
