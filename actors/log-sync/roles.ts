/**
 * The roles of a node, and `enter`, the only place where a role changes. Each role has its own data, its own timers, and its own file
 * that says which messages it takes: `looking.ts`, `candidate.ts`, `awaiting.ts`, `follower.ts`, `leader.ts`.
 */
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Leadership, WriteAdmission } from "../../protocol/replication.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { emit } from "../topics.ts";
import { log } from "./effects.ts";
import { cutAfter } from "./ensemble/membership.ts";
import { leaveHandover, noteSuccessor } from "./handover/handover.ts";
import type { LogSyncTimer } from "./messages.ts";
import type { Asking } from "./asking.ts";
import type { FollowerCount } from "./counting.ts";
import type { InFlight } from "./in-flight.ts";
import type { Follower } from "./progress.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import type { SubmitterTable } from "./submitters.ts";

/** A node that knows of no leader. The election actor looks for one. */
export type Looking = { readonly kind: "looking" };

/** A node that asks the voters for their promises of an epoch. Raft's candidate; the discovery phase of Zab. */
export type Candidate = {
  readonly kind: "candidate";
  readonly epoch: Epoch;
  /** The voters that have promised, this node included once its own promise is durable, each with its folder. */
  readonly promises: Map<ServerId, Identity>;
  /** How often the candidate has asked. */
  asked: number;
};

/** A node that was told who should lead, or has promised an epoch to a candidate, and has not received an append of that node yet. */
export type Awaiting = { readonly kind: "awaiting"; readonly leader: ServerId };

/** A node that takes the records of a leader. */
export type Following = {
  readonly kind: "following";
  readonly leader: ServerId;
  readonly epoch: Epoch;
  /** This node's log is known to equal the leader's up to this zxid. */
  matched: Zxid;
  /** The latest commit mark of the leader. */
  leaderCommitted: Zxid;
  /** Whether the epoch's barrier is committed in this node's log. */
  established: boolean;
  /** The leader's latest admission. */
  admission: WriteAdmission;
  /** When the heartbeat actor was last told that an append has come. */
  heardMs: number;
  /** What this node knows of who has accepted what, so that it commits without waiting for the leader's commit mark. */
  readonly count: FollowerCount;
  /** When this node last said that it is behind, and the end of its log that it gave. */
  behind: { readonly atMs: number; readonly holds: Zxid } | undefined;
};

/** A node that makes records of batches and commits them with a quorum. */
export type Leading = {
  readonly kind: "leading";
  readonly epoch: Epoch;
  /** The zxid of the first record of the epoch. When it is committed, everything before it is too. */
  readonly barrier: Zxid;
  /** Whether the barrier is committed and delivered. The leader takes batches from then on. */
  active: boolean;
  readonly followers: Map<ServerId, Follower>;
  readonly sinceMs: number;
  /** Maps a number to the time of the last message from the folder that counts under it. */
  readonly heardMs: Map<ServerId, number>;
  /** Maps a number to the time when the node's log last said that another folder was not admitted under it. */
  readonly refusedJoinMs: Map<ServerId, number>;
  /** The last batch that was taken of each submitter, whether or not it is committed. It is complete once the leader is active. */
  taken: SubmitterTable;
  /** Milliseconds to the next announcement: more and more while nothing is written. */
  announceMs: number;
  /** The records that were not yet sent to the log and to the peers: those of this turn of the loop, and those that are held back. */
  outbox: Uint8Array[];
  /** The zxid before the first record of the outbox. */
  outboxAfter: Zxid;
  /** The records of this epoch that are not committed, in order. */
  readonly uncommitted: { readonly lastZxid: Zxid; readonly bytes: number }[];
  /** The sum of the bytes in `uncommitted`. */
  uncommittedBytes: number;
  /** Whether the outbox will be published at the end of this turn of the loop. */
  publishing: boolean;
  /** The records that were published last. Undefined: none were. */
  inFlight: InFlight | undefined;
  /** Which writes the disks of a quorum and the memory of all nodes have space for. */
  admission: WriteAdmission;
  readonly asking: Asking;
};

export type Role = Looking | Candidate | Awaiting | Following | Leading;

type RoleTimer = Extract<LogSyncTimer, "announce" | "mark" | "hold" | "ask" | "establish">;

/** The timers that may run in each role. `enter` stops all others. */
const TIMERS: Readonly<Record<Role["kind"], readonly RoleTimer[]>> = {
  looking: [],
  candidate: ["ask"],
  awaiting: ["establish"],
  following: ["establish"],
  leading: ["announce", "mark", "hold"],
};

const ROLE_TIMERS: readonly RoleTimer[] = ["announce", "mark", "hold", "ask", "establish"];

/** Changes the role, stops the timers of the role before, and takes back the records that a leader has made and nobody has seen. */
export function enter(turn: LogSyncTurn, role: Role): void {
  const { state, effects } = turn;
  const before = state.role;
  takeBackUnseen(turn);
  if (before.kind === "leading") leaveHandover(turn);
  state.role = role;
  for (const timer of ROLE_TIMERS) {
    if (!TIMERS[role.kind].includes(timer)) effects.push({ kind: "stopTimer", timer });
  }
  if (role.kind === "leading") {
    effects.push({ kind: "startTimer", timer: "announce", afterMs: role.announceMs });
  }
  // The time for the barrier has been running since this node began to await this leader, so it does not begin again.
  const waits =
    before.kind === "awaiting" && role.kind === "following" && before.leader === role.leader;
  if ((role.kind === "awaiting" || role.kind === "following") && !waits) startEstablishing(turn);
  emitLeadership(turn);
}

/** From now on the leader has `establishTimeoutMs` to get its barrier committed in this node's log. */
export function startEstablishing({ state, effects }: LogSyncTurn): void {
  const { establishTimeoutMs = 5000 } = state.options;
  effects.push({ kind: "startTimer", timer: "establish", afterMs: establishTimeoutMs });
}

/**
 * Removes from a leader's index the records that neither the log nor, by an append to all, the peers have been sent. If its disk is
 * full, it also removes those that the log has dropped. So the index ends where the log ends.
 */
function takeBackUnseen(turn: LogSyncTurn): void {
  const { role, space, log: view } = turn.state;
  if (role.kind !== "leading" || (role.outbox.length === 0 && space.disk !== "full")) return;
  cutAfter(turn, space.disk === "full" ? view.durable : role.outboxAfter);
  role.outbox = [];
}

/**
 * Gives up leading or following, and has the election actor look for a leader. `durable` is emitted before `look` is sent, since the
 * election actor makes its vote of it.
 */
export function lookAgain(turn: LogSyncTurn, reason: string, silentMs?: number): void {
  const was = turn.state.role.kind;
  const silence = silentMs === undefined ? {} : { silentMs };
  if (was !== "looking") log(turn, "looking", { was, reason, ...silence });
  enter(turn, { kind: "looking" });
  emitDurable(turn);
  turn.effects.push(tell("election", { kind: "look", reason }));
}

export function emitLeadership(turn: LogSyncTurn): void {
  const { space, role } = turn.state;
  const value = leadershipOf(turn.state);
  turn.effects.push(emit("leadership", value));
  noteSuccessor(turn, value);
  const { admission, leader } = value;
  if (admission === space.admissionLogged) return;
  space.admissionLogged = admission;
  if (admission === "all") log(turn, "writesAdmitted", {});
  else if (admission === "noGrowth") log(turn, "growthRefused", { leader });
  else log(turn, "writesRefused", { admission, leader, role: role.kind });
}

function leadershipOf(state: LogSyncState): Leadership {
  const { role, options, promises, space } = state;
  // A node whose disk is full refuses writes itself: it would not learn what became of them.
  const own: WriteAdmission = space.disk === "full" ? "none" : "all";
  const kind = "leadership";
  switch (role.kind) {
    case "looking": {
      const { epoch } = promises.durable;
      return { kind, role: "looking", epoch, leader: undefined, admission: own };
    }
    case "candidate": {
      const { epoch } = role;
      return { kind, role: "establishing", epoch, leader: options.server, admission: own };
    }
    case "awaiting": {
      const { leader } = role;
      const { epoch } = promises.durable;
      const admission = lessOf(state, "all");
      return { kind, role: "establishing", epoch, leader, admission };
    }
    case "following": {
      const { leader, epoch, established } = role;
      const admission = lessOf(state, role.admission);
      return { kind, role: established ? "following" : "establishing", epoch, leader, admission };
    }
    case "leading": {
      const { epoch, active, admission } = role;
      const { server: leader } = options;
      return { kind, role: active ? "leading" : "establishing", epoch, leader, admission };
    }
    default:
      return unreachable(role);
  }
}

/** What the leader admits, or less: a node whose own disk or memory is full does not wait for its leader to say so. */
function lessOf({ space }: LogSyncState, admission: WriteAdmission): WriteAdmission {
  if (space.disk === "full") return "none";
  return space.treeFull && admission === "all" ? "noGrowth" : admission;
}
