/**
 * The roles of a node, and `enter`, the one place where a role changes. A role has its own data, its own timers and a file of its own
 * that says what it takes: `looking.ts`, `candidate.ts`, `awaiting.ts`, `follower.ts`, `leader.ts`.
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
import type { LogSyncTimer } from "./messages.ts";
import type { Follower } from "./progress.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import type { SubmitterTable } from "./submitters.ts";

/** It knows of no leader; the election actor looks for one. */
export type Looking = { readonly kind: "looking" };

/** It asks the voters for their promises of an epoch. Raft's candidate; the discovery phase of Zab. */
export type Candidate = {
  readonly kind: "candidate";
  readonly epoch: Epoch;
  /** Voters that promised, this node included once its own promise is durable. */
  readonly promises: Map<ServerId, Identity>;
  /** How often it has asked. */
  asked: number;
};

/** It was told who should lead, or has promised a candidate its epoch, and has not heard that node lead yet. */
export type Awaiting = { readonly kind: "awaiting"; readonly leader: ServerId };

export type Following = {
  readonly kind: "following";
  readonly leader: ServerId;
  readonly epoch: Epoch;
  /** This log equals the leader's up to here. */
  matched: Zxid;
  /** What the leader has said to be committed. */
  leaderCommitted: Zxid;
  /** The epoch's barrier is known to be committed here. */
  established: boolean;
  /** What the leader said last. */
  admission: WriteAdmission;
  /** When this node last said that it is behind, and where it stood. */
  behind: { readonly atMs: number; readonly holds: Zxid } | undefined;
};

export type Leading = {
  readonly kind: "leading";
  readonly epoch: Epoch;
  /** The first record of its epoch. What was before it is committed with it. */
  readonly barrier: Zxid;
  /** The barrier is committed and delivered: batches are taken from then on. */
  active: boolean;
  readonly followers: Map<ServerId, Follower>;
  readonly sinceMs: number;
  /** When the process was last heard whose folder counts under a number. */
  readonly heardMs: Map<ServerId, number>;
  /** When it was last said that another folder is not taken in under a number. */
  readonly refusedJoinMs: Map<ServerId, number>;
  /** The last batch taken of each submitter, committed or not. Meaningful once active. */
  taken: SubmitterTable;
  /** Records of this turn, not yet published. */
  outbox: Uint8Array[];
  /** The zxid before the first record of the outbox. */
  outboxAfter: Zxid;
  /** Records of this epoch that are not committed, in order. */
  readonly uncommitted: { readonly lastZxid: Zxid; readonly bytes: number }[];
  uncommittedBytes: number;
  /** The end of this turn publishes. */
  publishing: boolean;
  /** Which writes the disks of a quorum, and the memory of all, have space for. */
  admission: WriteAdmission;
};

export type Role = Looking | Candidate | Awaiting | Following | Leading;

type RoleTimer = Extract<LogSyncTimer, "announce" | "ask" | "establish">;

/** The timers that run in a role, and no other. */
const TIMERS: Readonly<Record<Role["kind"], readonly RoleTimer[]>> = {
  looking: [],
  candidate: ["ask"],
  awaiting: ["establish"],
  following: ["establish"],
  leading: ["announce"],
};

const ROLE_TIMERS: readonly RoleTimer[] = ["announce", "ask", "establish"];

/** The only place where a role changes. What the role before had begun and nobody has seen is taken back. */
export function enter(turn: LogSyncTurn, role: Role): void {
  const { state, effects } = turn;
  const before = state.role;
  takeBackUnseen(turn);
  state.role = role;
  for (const timer of ROLE_TIMERS) {
    if (!TIMERS[role.kind].includes(timer)) effects.push({ kind: "stopTimer", timer });
  }
  if (role.kind === "leading") {
    const { announceIntervalMs = 100 } = state.options;
    effects.push({ kind: "startTimer", timer: "announce", afterMs: announceIntervalMs });
  }
  // Who awaited this leader has waited for its barrier since.
  const waits =
    before.kind === "awaiting" && role.kind === "following" && before.leader === role.leader;
  if ((role.kind === "awaiting" || role.kind === "following") && !waits) startEstablishing(turn);
  emitLeadership(turn);
}

/** From now on the leader has so long to have its barrier committed here. */
export function startEstablishing({ state, effects }: LogSyncTurn): void {
  const { establishTimeoutMs = 5000 } = state.options;
  effects.push({ kind: "startTimer", timer: "establish", afterMs: establishTimeoutMs });
}

/**
 * A leader's records of this turn that neither its disk nor a peer has seen are taken back, and those for which its disk had no
 * space, so that the index ends where the log does.
 */
function takeBackUnseen(turn: LogSyncTurn): void {
  const { role, space, log: view } = turn.state;
  if (role.kind !== "leading" || (role.outbox.length === 0 && space.disk !== "full")) return;
  cutAfter(turn, space.disk === "full" ? view.durable : role.outboxAfter);
  role.outbox = [];
}

/**
 * Gives up what this node leads or follows, and has the election actor look for a leader. The end of the durable log is emitted before:
 * election builds its vote from it.
 */
export function lookAgain(turn: LogSyncTurn, reason: string): void {
  const was = turn.state.role.kind;
  if (was !== "looking") log(turn, "looking", { was, reason });
  enter(turn, { kind: "looking" });
  emitDurable(turn);
  turn.effects.push(tell("election", { kind: "look", reason }));
}

export function emitLeadership(turn: LogSyncTurn): void {
  const { space, role } = turn.state;
  const value = leadershipOf(turn.state);
  turn.effects.push(emit("leadership", value));
  const { admission, leader } = value;
  if (admission === space.admissionLogged) return;
  space.admissionLogged = admission;
  if (admission === "all") log(turn, "writesAdmitted", {});
  else if (admission === "noGrowth") log(turn, "growthRefused", { leader });
  else log(turn, "writesRefused", { admission, leader, role: role.kind });
}

function leadershipOf(state: LogSyncState): Leadership {
  const { role, options, promises, space } = state;
  // A follower whose disk is full could not tell its clients what became of their writes.
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

/** A node whose disk or memory is full need not wait for its leader to say so. */
function lessOf({ space }: LogSyncState, admission: WriteAdmission): WriteAdmission {
  if (space.disk === "full") return "none";
  return space.treeFull && admission === "all" ? "noGrowth" : admission;
}
