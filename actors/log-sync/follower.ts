/** A follower. It takes its leader's records, acknowledges what is durable, and reports the end of its log when it has missed something. */
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { earlierOf, type Epoch, ZXID_NONE } from "../../protocol/zxid.ts";
import { followCommit, sendBehind, sendAccepted } from "./acknowledge.ts";
import { stand } from "./candidate.ts";
import { newFollowerCount, noteAccepted } from "./counting.ts";
import { cutToDurable } from "./disk-space.ts";
import { sendTo } from "./effects.ts";
import { receiveForgotten } from "./ensemble/refused.ts";
import { receiveTakeOver } from "./handover/take.ts";
import type { Peer, RoleMessage, RolePeerMessage } from "./role-messages.ts";
import { emitLeadership, enter, type Following, lookAgain, startEstablishing } from "./roles.ts";
import { isReceiving, receiveChunk, receiveOffer } from "./snapshots/receive.ts";
import { emitDurable, type LogSyncTurn } from "./state.ts";
import { passRefusal } from "./submit.ts";

/** Begins to follow a leader from which an append of this epoch has come. */
export function follow(turn: LogSyncTurn, leader: ServerId, epoch: Epoch): Following {
  const role: Following = {
    kind: "following",
    leader,
    epoch,
    matched: ZXID_NONE,
    leaderCommitted: ZXID_NONE,
    established: false,
    admission: "all",
    heardMs: Number.NEGATIVE_INFINITY,
    count: newFollowerCount(),
    behind: undefined,
  };
  enter(turn, role);
  return role;
}

export function followingReceives(turn: LogSyncTurn, role: Following, message: RoleMessage): void {
  const { options, log: view } = turn.state;
  switch (message.kind) {
    case "elected":
      if (message.leader === options.server) stand(turn);
      return;
    case "leaderLost":
      lookAgain(turn, message.reason, message.silentMs);
      return;
    case "submit":
      if (role.established) sendTo(turn, role.leader, message);
      return;
    case "timer":
      if (message.timer !== "establish" || role.established) return;
      if (isReceiving(turn, role)) startEstablishing(turn);
      else lookAgain(turn, `node ${role.leader} did not establish its epoch`);
      return;
    case "moreDurable":
      sendAccepted(turn, role);
      followCommit(turn, role);
      return;
    case "truncated":
    case "promiseDurable":
      sendBehind(turn, role, view.index.tail);
      return;
    case "diskFull":
      role.matched = earlierOf(role.matched, view.durable);
      cutToDurable(turn);
      sendAccepted(turn, role);
      return;
    case "diskFreed":
      emitDurable(turn);
      if (message.wasFull) emitLeadership(turn);
      sendAccepted(turn, role);
      return;
    case "memoryChanged":
      sendAccepted(turn, role);
      emitLeadership(turn);
      return;
    case "diskLow":
    case "voteRegained":
      sendAccepted(turn, role);
      return;
    case "propose":
    case "endOfTurn":
    case "moreDelivered":
    case "recordsRead":
    case "snapshotChunk":
      return;
    default:
      unreachable(message);
  }
}

export function followingReceivesFromPeer(
  turn: LogSyncTurn,
  role: Following,
  { id, sender }: Peer,
  message: RolePeerMessage,
): void {
  if (message.kind === "accepted") {
    noteAccepted(turn.state, role, { id, sender }, message);
    followCommit(turn, role);
    return;
  }
  if (id !== role.leader) return;
  switch (message.kind) {
    case "snapshotOffer":
      if (message.epoch === role.epoch) receiveOffer(turn, role, message);
      return;
    case "snapshotChunk":
      if (message.epoch === role.epoch) receiveChunk(turn, role, message);
      return;
    case "forgotten":
      if (sender.isVoter && message.epoch === role.epoch) receiveForgotten(turn, id, message);
      return;
    case "submitRefused":
      passRefusal(turn, message);
      return;
    case "takeOver":
      receiveTakeOver(turn, role, { id, sender }, message);
      return;
    case "behind":
    case "submit":
    case "askChunk":
    case "promiseReply":
    case "deposed":
    case "takeOverDeclined":
      return;
    default:
      unreachable(message);
  }
}
