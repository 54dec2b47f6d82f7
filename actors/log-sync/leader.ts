/**
 * A leader. It makes records of batches, sends each once to all followers, commits a record of its epoch when a quorum has it durably,
 * and sends followers what they missed.
 */
import { unreachable } from "../../protocol/assert.ts";
import { encodeBarrier } from "../../protocol/barrier.ts";
import { batchFault } from "../../protocol/batch-check.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { type Epoch, formatZxid, laterOf, zxidOf, ZXID_NONE } from "../../protocol/zxid.ts";
import { newAsking } from "./asking.ts";
import { markIsDue, noteCovered } from "./mark.ts";
import { continueCatchUp, receiveBehind, sendRead } from "./catch-up.ts";
import { activate, leaderCommit } from "./commit.ts";
import { admissionOf, reviewAdmission, writeAgain } from "./disk-space.ts";
import { contradicts, log } from "./effects.ts";
import { checkMemory, isForgetful } from "./ensemble/forgotten.ts";
import { goOn, receiveDeclined } from "./handover/give.ts";
import type { LogSyncPeerMessage, SubmitMessage } from "./messages.ts";
import { type Follower, newFollowers } from "./progress.ts";
import { appendRecord, publish, publishSoon } from "./publish.ts";
import type { Peer, RoleMessage, RolePeerMessage } from "./role-messages.ts";
import { enter, type Leading, lookAgain } from "./roles.ts";
import { askForChunk, sendChunk } from "./snapshots/send.ts";
import { emitDurable, type LogSyncTurn } from "./state.ts";
import { propose, submit } from "./submit.ts";
import { SubmitterTable } from "./submitters.ts";

/** In quiet times an announcement comes after this many intervals at most. */
const ANNOUNCE_TIMES_MAX = 5;

type Accepted = Extract<LogSyncPeerMessage, { kind: "accepted" }>;

/** Begins to lead. The caller has the promises of a quorum for this epoch, and no log of that quorum is ahead of this node's. */
export function lead(turn: LogSyncTurn, epoch: Epoch): void {
  const { state, nowMs } = turn;
  const { announceIntervalMs = 100 } = state.options;
  const role: Leading = {
    kind: "leading",
    epoch,
    barrier: zxidOf(epoch, 0),
    active: false,
    followers: newFollowers(state.options, nowMs),
    sinceMs: nowMs,
    heardMs: new Map(),
    refusedJoinMs: new Map(),
    taken: new SubmitterTable(),
    announceMs: announceIntervalMs,
    outbox: [],
    outboxAfter: state.log.index.tail,
    uncommitted: [],
    uncommittedBytes: 0,
    publishing: false,
    inFlight: undefined,
    admission: "all",
    asking: newAsking(),
  };
  role.admission = admissionOf(state, role, nowMs);
  log(turn, "establishing", { epoch, after: formatZxid(state.log.index.tail) });
  enter(turn, role);
  const payload = encodeBarrier(state.membership.settled);
  appendRecord(turn, role, { kind: "barrier", payload, count: 1, submitter: undefined, seq: 0 });
}

export function leadingReceives(turn: LogSyncTurn, role: Leading, message: RoleMessage): void {
  switch (message.kind) {
    case "leaderLost":
      lookAgain(turn, message.reason, message.silentMs);
      return;
    case "submit":
      submit(turn, role, message);
      return;
    case "propose":
      propose(turn, role, message);
      return;
    case "timer":
      if (message.timer === "announce") announce(turn, role);
      if (message.timer === "mark") markIsDue(turn, role);
      if (message.timer === "hold" && role.outbox.length > 0) publishSoon(turn, role);
      return;
    case "endOfTurn":
      publish(turn, role);
      return;
    case "moreDurable":
      leaderCommit(turn, role);
      goOn(turn, role);
      return;
    case "moreDelivered":
      activate(turn, role);
      return;
    case "recordsRead":
      sendRead(turn, role, message);
      return;
    case "snapshotChunk":
      sendChunk(turn, role, message);
      return;
    case "diskFull":
      // An active leader goes on, and keeps in memory the records that the disk could not take. It commits nothing that is not on its
      // own disk, but its clients can still read and their sessions stay alive. If others have space, `reviewAdmission` gives up leading.
      if (role.active) {
        emitDurable(turn);
        reviewAdmission(turn, role);
      } else {
        lookAgain(turn, "the disk is full");
      }
      return;
    case "diskFreed":
      emitDurable(turn);
      if (message.wasFull) writeAgain(turn, role);
      if (turn.state.role === role) reviewAdmission(turn, role);
      return;
    case "diskLow":
    case "memoryChanged":
      reviewAdmission(turn, role);
      return;
    case "elected":
    case "truncated":
    case "promiseDurable":
    case "voteRegained":
      return;
    default:
      unreachable(message);
  }
}

export function leadingReceivesFromPeer(
  turn: LogSyncTurn,
  role: Leading,
  { id, sender }: Peer,
  message: RolePeerMessage,
): void {
  switch (message.kind) {
    case "accepted":
      if (message.epoch === role.epoch) receiveAccepted(turn, role, { id, sender }, message);
      return;
    case "behind":
      if (message.epoch !== role.epoch) return;
      if (sender.isVoter) checkMemory(turn, role, id, message.durable);
      receiveBehind(turn, role, id, message.holds);
      return;
    case "submit":
      // Batches are taken only from the process whose folder counts under the number, so that no two processes number the same batches.
      if (sender.isVoter) submitOfPeer(turn, role, id, message);
      return;
    case "askChunk":
      if (message.epoch === role.epoch) askForChunk(turn, id, message);
      return;
    case "deposed":
      if (message.promise.epoch <= role.epoch) return;
      lookAgain(turn, `epoch ${message.promise.epoch} is promised elsewhere`);
      return;
    case "takeOverDeclined":
      receiveDeclined(turn, role, { id, sender }, message);
      return;
    case "promiseReply":
    case "snapshotOffer":
    case "snapshotChunk":
    case "forgotten":
    case "submitRefused":
    case "takeOver":
      return;
    default:
      unreachable(message);
  }
}

/**
 * Publishes again and again while this node leads, so that a follower notices an append or a commit mark that it has missed: less often
 * the longer nothing was written.
 */
function announce(turn: LogSyncTurn, role: Leading): void {
  const { announceIntervalMs = 100 } = turn.state.options;
  const isQuiet = role.active && role.uncommitted.length === 0;
  role.announceMs = isQuiet
    ? Math.min(role.announceMs * 2, ANNOUNCE_TIMES_MAX * announceIntervalMs)
    : announceIntervalMs;
  turn.effects.push({ kind: "startTimer", timer: "announce", afterMs: role.announceMs });
  reviewAdmission(turn, role);
  if (turn.state.role === role && role.followers.size > 0) publishSoon(turn, role);
}

/** Checks a batch of a peer before it enters the log: a payload that is no batch would stop every node that applies it. */
function submitOfPeer(
  turn: LogSyncTurn,
  role: Leading,
  from: ServerId,
  message: SubmitMessage,
): void {
  const fault = batchFault(message.payload, message.count);
  if (fault === undefined) submit(turn, role, message);
  else contradicts(turn, from, `a batch: ${fault}`);
}

function receiveAccepted(
  turn: LogSyncTurn,
  role: Leading,
  { id: from, sender }: Peer,
  message: Accepted,
): void {
  const { state } = turn;
  const { index } = state.log;
  const { zxid, votes } = message;
  const { identity } = sender;
  const follower = role.followers.get(from);
  if (follower === undefined || zxid > index.tail) return;
  // What a follower holds ends at the end of a record. Before the base this log no longer knows where records end.
  if (zxid > index.base && !index.holds(zxid)) {
    contradicts(turn, from, "it accepts a zxid that is not the end of a record");
    return;
  }
  const counts = state.membership.counted.get(from) === identity;
  if (counts && isForgetful(turn, role, from, votes)) return;
  if (counts) {
    // A follower without a vote may have lost what it acknowledged before, so that no longer counts either.
    const isKept = votes && follower.identity === identity;
    follower.identity = identity;
    follower.accepted = votes ? laterOf(zxid, isKept ? follower.accepted : ZXID_NONE) : ZXID_NONE;
    leaderCommit(turn, role);
    noteCovered(turn, role);
    if (noteSpace(follower, message, turn.nowMs)) reviewAdmission(turn, role);
    if (state.role !== role) return;
  } else {
    follower.guest = { identity, accepted: zxid };
  }
  continueCatchUp(turn, role, { from, follower, accepted: zxid });
  goOn(turn, role);
}

/** Notes what a follower reports of its disk and memory. Returns whether that differs from its report before. */
function noteSpace(
  follower: Follower,
  { votes, diskSpace, treeFull }: Accepted,
  nowMs: number,
): boolean {
  let isOther = follower.treeFull !== treeFull;
  follower.treeFull = treeFull;
  follower.treeFullAtMs = nowMs;
  if (!votes) return isOther;
  isOther ||= follower.diskSpace !== diskSpace;
  follower.diskSpace = diskSpace;
  follower.diskSpaceAtMs = nowMs;
  return isOther;
}
