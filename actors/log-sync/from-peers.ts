/** What other nodes say to log-sync, and from whom each kind of it is heard. */
import type { ReceivedMessage } from "../../runtime/effects.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { unreachable } from "../../protocol/assert.ts";
import { batchFault } from "../../protocol/batch-check.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { receivePromiseReply, receivePromiseRequest } from "./candidate.ts";
import { believes } from "./epochs/believed.ts";
import { receiveAppend } from "./follower.ts";
import { checkMemory, noteIncarnation } from "./ensemble/forgotten.ts";
import { receiveGreeting } from "./ensemble/founding.ts";
import { deposed, receiveAccepted, receiveBehind, refuse, submit } from "./leader.ts";
import type { LogSyncPeerMessage, SubmitMessage, SubmitRefused } from "./messages.ts";
import { givePart } from "./snapshots/send.ts";
import { toldForgotten } from "./ensemble/refused.ts";
import { receiveJoin, receiveJoinAnswer } from "./ensemble/replacement.ts";
import { contradicts, type LogSyncTurn, type Role } from "./state.ts";
import { receiveOffer, receivePart } from "./snapshots/receive.ts";
import { answerSurvey, receiveSurvey } from "./repair.ts";

export function receiveFromPeer(
  turn: LogSyncTurn,
  { from, sender, message }: ReceivedMessage<LogSyncPeerMessage>,
): void {
  const { state } = turn;
  const peer = from as ServerId;
  // Before its log is read a node can answer nothing; whoever asks repeats.
  if (!state.recovered || !state.options.voters.includes(peer)) return;
  // Whatever it says: what was counted of the process before it is not counted of this one.
  if (state.role.kind === "leading" && sender.isVoter) noteIncarnation(state.role, peer, sender);
  switch (message.kind) {
    case "greeting":
      receiveGreeting(turn, peer, { sender, greeting: message });
      return;
    case "join":
      receiveJoin(turn, peer, sender);
      return;
    case "joinAnswer":
      receiveJoinAnswer(turn, peer, message);
      return;
    default:
      // What is about the log of an ensemble is for those who belong to it, from those who do.
      if (state.founding !== undefined || sender.ensembleId === undefined) return;
      if (!believes(turn, peer, message)) return;
      receiveFromMember(turn, peer, { sender, message });
  }
}

type OfMembers = Exclude<LogSyncPeerMessage, { kind: "greeting" | "join" | "joinAnswer" }>;

function receiveFromMember(
  turn: LogSyncTurn,
  peer: ServerId,
  { sender, message }: { readonly sender: PeerSender; readonly message: OfMembers },
): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind === "leading" && sender.isVoter) role.heardMs.set(peer, turn.nowMs);
  switch (message.kind) {
    case "append":
      receiveAppend(turn, peer, message);
      return;
    case "accepted":
      if (role.kind === "leading" && message.epoch === role.epoch) {
        const { identity } = sender;
        receiveAccepted(turn, role, { from: peer, identity }, message);
      }
      return;
    case "submit":
      // One process at a time submits under a number, so that no two use the same numbers of batches.
      if (role.kind === "leading" && sender.isVoter) {
        submitOfPeer(turn, role, peer, message);
      }
      return;
    case "behind":
      if (role.kind === "leading" && message.epoch === role.epoch) {
        if (sender.isVoter) checkMemory(turn, role, peer, message.durable);
        receiveBehind(turn, role, peer, message.holds);
      }
      return;
    case "promiseRequest":
      receivePromiseRequest(turn, { id: peer, identity: sender.identity }, message);
      return;
    case "promiseReply":
      receivePromiseReply(turn, peer, { sender, message });
      return;
    case "snapshotOffer":
      receiveOffer(turn, peer, message);
      return;
    case "snapshotAsk":
      if (role.kind === "leading" && message.epoch === role.epoch) givePart(turn, peer, message);
      return;
    case "snapshotPart":
      receivePart(turn, peer, message);
      return;
    case "survey":
      answerSurvey(turn, peer, message.nonce, sender.isVoter);
      return;
    case "surveyed":
      if (sender.isVoter) receiveSurvey(turn, peer, message);
      return;
    case "forgotten":
      if (sender.isVoter) toldForgotten(turn, peer, message);
      return;
    case "deposed":
      deposed(turn, message.promise.epoch);
      return;
    case "submitRefused":
      refusedByLeader(turn, peer, message);
      return;
    default:
      unreachable(message);
  }
}

/** What is no batch must not enter the log: whoever applied it would stop. */
function submitOfPeer(
  turn: LogSyncTurn,
  role: Extract<Role, { readonly kind: "leading" }>,
  from: ServerId,
  message: SubmitMessage,
): void {
  const fault = batchFault(message.payload, message.count);
  if (fault === undefined) submit(turn, role, message);
  else contradicts(turn, from, `a batch: ${fault}`);
}

/** Only the leader that this node follows refuses its batches. */
function refusedByLeader(turn: LogSyncTurn, from: ServerId, message: SubmitRefused): void {
  const { state } = turn;
  const { role, options } = state;
  if (role.kind !== "following" || role.leader !== from) return;
  const { server, lane } = message.submitter;
  if (server === options.server && lane <= options.lanes) refuse(turn, message);
}
