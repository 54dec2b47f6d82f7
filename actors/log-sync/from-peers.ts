/** What other nodes say to log-sync, and from whom each kind of it is heard. */
import type { Context } from "../../runtime/actor.ts";
import type { ReceivedMessage } from "../../runtime/effects.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { unreachable } from "../../protocol/assert.ts";
import { batchFault } from "../../protocol/batch-check.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { receivePromiseReply, receivePromiseRequest } from "./candidate.ts";
import { believes } from "./epochs.ts";
import { receiveAppend } from "./follower.ts";
import { checkMemory, noteIncarnation } from "./forgotten.ts";
import { receiveGreeting } from "./founding.ts";
import { deposed, receiveAccepted, receiveBehind, refuse, submit } from "./leader.ts";
import type { LogSyncPeerMessage, SubmitMessage, SubmitRefused } from "./messages.ts";
import { givePart } from "./offer.ts";
import { toldForgotten } from "./refused.ts";
import { receiveJoin, receiveJoinAnswer } from "./replacement.ts";
import { contradicts, type LogSyncState, type Role } from "./state.ts";
import { receiveOffer, receivePart } from "./transfer.ts";
import { answerSurvey, receiveSurvey } from "./repair.ts";

export function receiveFromPeer(
  state: LogSyncState,
  { from, sender, message }: ReceivedMessage<LogSyncPeerMessage>,
  context: Context,
): void {
  const peer = from as ServerId;
  // Before its log is read a node can answer nothing; whoever asks repeats.
  if (!state.recovered || !state.options.voters.includes(peer)) return;
  // Whatever it says: what was counted of the process before it is not counted of this one.
  if (state.role.kind === "leading" && sender.isVoter) noteIncarnation(state.role, peer, sender);
  switch (message.kind) {
    case "greeting":
      receiveGreeting(state, peer, { sender, greeting: message }, context);
      return;
    case "join":
      receiveJoin(state, peer, sender, context);
      return;
    case "joinAnswer":
      receiveJoinAnswer(state, peer, message, context);
      return;
    default:
      // What is about the log of an ensemble is for those who belong to it, from those who do.
      if (state.founding !== undefined || sender.ensembleId === undefined) return;
      if (!believes(state, peer, message, context)) return;
      receiveFromMember(state, peer, { sender, message }, context);
  }
}

type OfMembers = Exclude<LogSyncPeerMessage, { kind: "greeting" | "join" | "joinAnswer" }>;

function receiveFromMember(
  state: LogSyncState,
  peer: ServerId,
  { sender, message }: { readonly sender: PeerSender; readonly message: OfMembers },
  context: Context,
): void {
  const { role } = state;
  if (role.kind === "leading" && sender.isVoter) role.heardMs.set(peer, context.nowMs);
  switch (message.kind) {
    case "append":
      receiveAppend(state, peer, message, context);
      return;
    case "accepted":
      if (role.kind === "leading" && message.epoch === role.epoch) {
        const { identity } = sender;
        receiveAccepted(state, role, { from: peer, identity }, message, context);
      }
      return;
    case "submit":
      // One process at a time submits under a number, so that no two use the same numbers of batches.
      if (role.kind === "leading" && sender.isVoter) {
        submitOfPeer(state, role, peer, message, context);
      }
      return;
    case "behind":
      if (role.kind === "leading" && message.epoch === role.epoch) {
        if (sender.isVoter) checkMemory(state, role, peer, message.durable);
        receiveBehind(state, role, peer, message.holds, context);
      }
      return;
    case "promiseRequest":
      receivePromiseRequest(state, { id: peer, identity: sender.identity }, message);
      return;
    case "promiseReply":
      receivePromiseReply(state, peer, { sender, message }, context);
      return;
    case "snapshotOffer":
      receiveOffer(state, peer, message, context);
      return;
    case "snapshotAsk":
      if (role.kind === "leading" && message.epoch === role.epoch) givePart(state, peer, message);
      return;
    case "snapshotPart":
      receivePart(state, peer, message, context);
      return;
    case "survey":
      answerSurvey(state, peer, message.nonce, sender.isVoter);
      return;
    case "surveyed":
      if (sender.isVoter) receiveSurvey(state, peer, message);
      return;
    case "forgotten":
      if (sender.isVoter) toldForgotten(state, peer, message, context);
      return;
    case "deposed":
      deposed(state, message.promise.epoch);
      return;
    case "submitRefused":
      refusedByLeader(state, peer, message);
      return;
    default:
      unreachable(message);
  }
}

/** What is no batch must not enter the log: whoever applied it would stop. */
function submitOfPeer(
  state: LogSyncState,
  role: Extract<Role, { readonly kind: "leading" }>,
  from: ServerId,
  message: SubmitMessage,
  context: Context,
): void {
  const fault = batchFault(message.payload, message.count);
  if (fault === undefined) submit(state, role, message, context);
  else contradicts(state, from, `a batch: ${fault}`);
}

/** Only the leader that this node follows refuses its batches. */
function refusedByLeader(state: LogSyncState, from: ServerId, message: SubmitRefused): void {
  const { role, options } = state;
  if (role.kind !== "following" || role.leader !== from) return;
  const { server, lane } = message.submitter;
  if (server === options.server && lane <= options.lanes) refuse(state, message);
}
