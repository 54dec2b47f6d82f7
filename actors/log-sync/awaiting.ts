/** A node that awaits a leader: an election has named one, or this node has promised it an epoch, and no append of it has come yet. */
import { unreachable } from "../../protocol/assert.ts";
import { stand } from "./candidate.ts";
import { cutToDurable } from "./disk-space.ts";
import { voteIfBound } from "./repair.ts";
import type { Peer, RoleMessage, RolePeerMessage } from "./role-messages.ts";
import { type Awaiting, emitLeadership, lookAgain } from "./roles.ts";
import { dropPassedTransfer } from "./snapshots/drop.ts";
import { emitDurable, type LogSyncTurn } from "./state.ts";
import { passRefusal } from "./submit.ts";

export function awaitingReceives(turn: LogSyncTurn, role: Awaiting, message: RoleMessage): void {
  switch (message.kind) {
    case "elected":
      if (message.leader === turn.state.options.server) stand(turn);
      return;
    case "leaderLost":
      lookAgain(turn, message.reason, message.silentMs);
      return;
    case "timer":
      if (message.timer !== "establish") return;
      lookAgain(turn, `node ${role.leader} did not establish its epoch`);
      return;
    case "moreDurable":
      voteIfBound(turn);
      dropPassedTransfer(turn);
      return;
    case "diskFull":
      cutToDurable(turn);
      return;
    case "diskFreed":
      emitDurable(turn);
      if (message.wasFull) emitLeadership(turn);
      return;
    case "memoryChanged":
      emitLeadership(turn);
      return;
    case "submit":
    case "propose":
    case "endOfTurn":
    case "truncated":
    case "promiseDurable":
    case "moreDelivered":
    case "recordsRead":
    case "snapshotChunk":
    case "diskLow":
    case "voteRegained":
      return;
    default:
      unreachable(message);
  }
}

export function awaitingReceivesFromPeer(
  turn: LogSyncTurn,
  role: Awaiting,
  { id }: Peer,
  message: RolePeerMessage,
): void {
  if (message.kind === "submitRefused" && id === role.leader) passRefusal(turn, message);
}
