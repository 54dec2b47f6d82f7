/** How log-sync takes messages of other nodes: which senders it accepts for which kind of message. */
import type { ReceivedMessage } from "../../runtime/effects.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { receiveAppend } from "./append.ts";
import { awaitingReceivesFromPeer } from "./awaiting.ts";
import { candidateReceivesFromPeer } from "./candidate.ts";
import { forgetEarlierProcess } from "./counting.ts";
import { noteIncarnation } from "./ensemble/forgotten.ts";
import { receiveGreeting } from "./ensemble/founding.ts";
import { receiveJoin, receiveJoinAnswer } from "./ensemble/replacement.ts";
import { believes } from "./epochs/believed.ts";
import { followingReceivesFromPeer } from "./follower.ts";
import { leadingReceivesFromPeer } from "./leader.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import { answerSurvey, receiveSurvey } from "./repair.ts";
import type { Peer, RolePeerMessage } from "./role-messages.ts";
import type { LogSyncTurn } from "./state.ts";
import { receivePromiseRequest } from "./voter.ts";

export function receiveFromPeer(
  turn: LogSyncTurn,
  { from, sender, message }: ReceivedMessage<LogSyncPeerMessage>,
): void {
  const { state } = turn;
  const peer = from;
  // Before its log is read a node can answer nothing. The others repeat their questions.
  if (!state.recovered || !state.options.voters.includes(peer)) return;
  // Whatever the message is, it may be the first of a new process, for which the acknowledgements of the process before do not count.
  if (state.role.kind === "leading" && sender.isVoter) noteIncarnation(state.role, peer, sender);
  if (state.role.kind === "following") forgetEarlierProcess(state.role, { id: peer, sender });
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
      // The other messages are about the log of an ensemble. They are taken only if both nodes belong to one.
      if (state.founding !== undefined || sender.ensembleId === undefined) return;
      if (!believes(turn, peer, message)) return;
      receiveFromMember(turn, peer, { sender, message });
  }
}

type MemberMessage = Exclude<LogSyncPeerMessage, { kind: "greeting" | "join" | "joinAnswer" }>;

function receiveFromMember(
  turn: LogSyncTurn,
  peer: ServerId,
  { sender, message }: { readonly sender: PeerSender; readonly message: MemberMessage },
): void {
  const { role } = turn.state;
  if (role.kind === "leading" && sender.isVoter) role.heardMs.set(peer, turn.nowMs);
  switch (message.kind) {
    case "append":
      receiveAppend(turn, { id: peer, sender }, message);
      return;
    case "promiseRequest":
      receivePromiseRequest(turn, { id: peer, identity: sender.identity }, message);
      return;
    case "survey":
      answerSurvey(turn, peer, message.nonce, sender.isVoter);
      return;
    case "surveyed":
      if (sender.isVoter) receiveSurvey(turn, peer, message);
      return;
    default:
      roleReceivesFromPeer(turn, { id: peer, sender }, message);
  }
}

function roleReceivesFromPeer(turn: LogSyncTurn, peer: Peer, message: RolePeerMessage): void {
  const { role } = turn.state;
  switch (role.kind) {
    case "looking":
      return;
    case "candidate":
      candidateReceivesFromPeer(turn, role, peer, message);
      return;
    case "awaiting":
      awaitingReceivesFromPeer(turn, role, peer, message);
      return;
    case "following":
      followingReceivesFromPeer(turn, role, peer, message);
      return;
    case "leading":
      leadingReceivesFromPeer(turn, role, peer, message);
      return;
    default:
      unreachable(role);
  }
}
