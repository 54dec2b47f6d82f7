/**
 * A follower's log: appends only where it continues the leader's, truncates what conflicts, says where it stands when it
 * missed something. Raft's AppendEntries (Ongaro, section 5.3), with prevZxid as prevLogTerm and prevLogIndex in one.
 */
import { assert } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  recordFault,
  type RecordFault,
  recordHeader,
  verifyRecord,
} from "../../protocol/record.ts";
import { type Epoch, formatZxid, type Zxid, zxidOf, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { commitThrough } from "./delivery.ts";
import { dropPassedTransfer } from "./snapshots/drop.ts";
import { cutAfter, foreignFault, isBound, noteRecord } from "./ensemble/membership.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import {
  contradicts,
  emitLeadership,
  log,
  type LogSyncTurn,
  lookAgain,
  persistPromise,
  promisedEpoch,
  retire,
  type Role,
  sendTo,
} from "./state.ts";
import { regainIfRepaired, voteIfBound } from "./repair.ts";

type Append = Extract<LogSyncPeerMessage, { kind: "append" }>;
type Following = Extract<Role, { kind: "following" }>;

/** A follower says at most this often that it still stands at the same record. */
const BEHIND_INTERVAL_MS = 20;

export function follow(turn: LogSyncTurn, leader: ServerId, epoch: Epoch | undefined): Following {
  const { state } = turn;
  const role: Following = {
    kind: "following",
    leader,
    epoch,
    matched: ZXID_NONE,
    leaderCommitted: ZXID_NONE,
    established: false,
    admission: "all",
    behind: undefined,
  };
  retire(turn);
  state.role = role;
  turn.effects.push(
    { kind: "stopTimer", timer: "announce" },
    { kind: "stopTimer", timer: "ask" },
    { kind: "startTimer", timer: "establish", afterMs: state.options.establishTimeoutMs ?? 5000 },
  );
  emitLeadership(turn);
  return role;
}

export function receiveAppend(turn: LogSyncTurn, from: ServerId, message: Append): void {
  const { state } = turn;
  if (message.epoch < promisedEpoch(state)) {
    sendTo(turn, from, {
      kind: "deposed",
      promise: state.promises.underWay ?? state.promises.durable,
    });
    return;
  }
  if (message.epoch > state.promises.durable.epoch) {
    acceptHigherEpoch(turn, message);
    return;
  }
  const role = followingOf(turn, message);
  if (role === undefined) return;
  role.leaderCommitted = max(role.leaderCommitted, message.committed);
  if (message.admission !== role.admission) {
    role.admission = message.admission;
    emitLeadership(turn);
  }
  // Dropped appends are noticed by the leader's next announcement.
  if (state.log.truncating) return;
  if (state.space.disk === "full") {
    sendAccepted(turn, role);
    return;
  }
  if (!state.log.index.holds(message.prevZxid)) {
    sayBehind(turn, role, state.log.index.floor(message.prevZxid));
    return;
  }
  const fresh = takeRecords(turn, role, message);
  if (fresh === undefined) return;
  if (fresh.length > 0) turn.effects.push(tell("log", { kind: "append", records: fresh }));
  else if (!state.log.truncating) sendAccepted(turn, role);
  followCommit(turn, role);
}

/** A leader of a higher epoch has a quorum's promises; this node's own must be durable before it takes anything. */
function acceptHigherEpoch(turn: LogSyncTurn, message: Append): void {
  const { state } = turn;
  if (promisedEpoch(state) === message.epoch) return;
  follow(turn, message.leader, message.epoch);
  persistPromise(turn, { epoch: message.epoch, candidate: message.leader }, undefined);
}

/** Undefined: this node leads that epoch itself. I1: at most one leader in an epoch. */
function followingOf(turn: LogSyncTurn, message: Append): Following | undefined {
  const { state } = turn;
  const { role } = state;
  if (role.kind === "following" && role.leader === message.leader) {
    if (role.epoch === message.epoch) return role;
    if (role.epoch === undefined) {
      role.epoch = message.epoch;
      return role;
    }
  }
  if (role.kind === "leading" && role.epoch === message.epoch) {
    contradicts(turn, message.leader, `it says that it leads epoch ${message.epoch}, too`);
    return undefined;
  }
  return follow(turn, message.leader, message.epoch);
}

const REFUSALS: Readonly<Record<RecordFault, string>> = {
  incomplete: "it is cut short",
  empty: "it is empty",
  badLength: "no record has its length",
  badChecksum: "its checksum is wrong",
  badVersion:
    "a later version of zooid leads, and this node would apply it otherwise: update this node",
};

/**
 * The records that are new here, now in the index. A conflict starts a truncation instead; undefined: it would reach what is
 * committed here (I7).
 */
function takeRecords(
  turn: LogSyncTurn,
  role: Following,
  message: Append,
): Uint8Array[] | undefined {
  const { state } = turn;
  const fresh: Uint8Array[] = [];
  let after = message.prevZxid;
  for (const received of message.records) {
    const verdict = verifyRecord(received, 0, state.options.crc32);
    if (!("length" in verdict) || verdict.length !== received.length) {
      const reason = "fault" in verdict ? REFUSALS[verdict.fault] : "its length is wrong";
      const detail = { from: role.leader, after: formatZxid(after), reason };
      log(turn, "recordRefused", detail);
      break;
    }
    const fault = recordFault(received, message.epoch) ?? foreignFault(state, received);
    if (fault !== undefined) {
      contradicts(turn, message.leader, `a record after ${formatZxid(after)}: ${fault}`);
      break;
    }
    const { prevZxid, lastZxid, timeMs } = recordHeader(received);
    if (prevZxid !== after) {
      log(turn, "recordsNotContiguous", { after: formatZxid(after) });
      break;
    }
    if (!state.log.index.holds(lastZxid)) {
      if (state.log.index.tail > after && after < state.delivery.committed) {
        contradicts(
          turn,
          message.leader,
          `its log parts at ${formatZxid(after)}, before what is committed`,
        );
        lookAgain(turn, "its leader contradicts what is committed");
        return undefined;
      }
      if (state.log.index.tail > after) {
        assert(fresh.length === 0, "a conflict comes before what is new");
        truncate(turn, after);
        break;
      }
      // A copy: the record stays in memory, and a view would keep the whole message there.
      const record = new Uint8Array(received);
      state.log.index.push(lastZxid);
      state.log.recent.add(lastZxid, record);
      noteRecord(turn, record);
      state.log.lastTimeMs = Math.max(state.log.lastTimeMs, timeMs);
      fresh.push(record);
    }
    after = lastZxid;
  }
  if (!state.log.truncating) role.matched = max(role.matched, after);
  return fresh;
}

function truncate(turn: LogSyncTurn, after: Zxid): void {
  const { state } = turn;
  assert(after >= state.delivery.committed, "I7: nothing that is committed is truncated");
  log(turn, "truncating", {
    after: formatZxid(after),
    from: formatZxid(state.log.index.tail),
  });
  state.log.truncating = true;
  cutAfter(turn, after);
  turn.effects.push(tell("log", { kind: "truncate", after }));
}

/** What this node holds durably and equal to the leader's log, and whether it has room. Sent after the fsync, never before. */
export function sendAccepted(turn: LogSyncTurn, role: Following): void {
  const { state } = turn;
  const {
    space: { treeFull },
  } = state;
  const diskSpace = state.space.disk;
  const isNews = treeFull || diskSpace !== "free";
  if (role.epoch === undefined || (role.matched === ZXID_NONE && !isNews)) return;
  const zxid = min(state.log.durable, role.matched);
  const votes = state.repair === undefined && isBound(state);
  sendTo(turn, role.leader, {
    kind: "accepted",
    epoch: role.epoch,
    zxid,
    votes,
    diskSpace,
    treeFull,
  });
  regainIfRepaired(turn);
}

export function sayBehind(turn: LogSyncTurn, role: Following, holds: Zxid): void {
  const { state } = turn;
  if (role.epoch === undefined) return;
  const { behind } = role;
  const atMs = turn.nowMs;
  if (behind?.holds === holds && atMs - behind.atMs < BEHIND_INTERVAL_MS) return;
  role.behind = { atMs, holds };
  sendTo(turn, role.leader, {
    kind: "behind",
    epoch: role.epoch,
    holds,
    durable: state.log.durable,
  });
}

export function followCommit(turn: LogSyncTurn, role: Following): void {
  const { state } = turn;
  if (state.log.truncating) return;
  const known = min(min(role.leaderCommitted, role.matched), state.log.durable);
  commitThrough(turn, state.log.index.floor(known));
  voteIfBound(turn);
  dropPassedTransfer(turn);
  if (role.established || role.epoch === undefined) return;
  if (state.delivery.committed < zxidOf(role.epoch, 0)) return;
  role.established = true;
  turn.effects.push({ kind: "stopTimer", timer: "establish" });
  log(turn, "following", { leader: role.leader, epoch: role.epoch });
  emitLeadership(turn);
}

function min(a: Zxid, b: Zxid): Zxid {
  return a < b ? a : b;
}

function max(a: Zxid, b: Zxid): Zxid {
  return a > b ? a : b;
}
