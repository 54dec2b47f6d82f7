/** A node that looks for a leader. It waits for the result of the election actor. */
import { unreachable } from "../../protocol/assert.ts";
import { stand } from "./candidate.ts";
import { cutToDurable } from "./disk-space.ts";
import type { RoleMessage } from "./role-messages.ts";
import { enter, lookAgain } from "./roles.ts";
import { emitDurable, type LogSyncTurn } from "./state.ts";

export function lookingReceives(turn: LogSyncTurn, message: RoleMessage): void {
  switch (message.kind) {
    case "elected":
      if (message.leader === turn.state.options.server) stand(turn);
      else enter(turn, { kind: "awaiting", leader: message.leader });
      return;
    case "moreDurable":
      // The election actor's votes contain the end of the durable log.
      emitDurable(turn);
      return;
    case "diskFull":
      cutToDurable(turn);
      return;
    case "diskFreed":
      lookAgain(turn, "the disk has space again");
      return;
    case "voteRegained":
      lookAgain(turn, "this node votes again");
      return;
    case "leaderLost":
    case "submit":
    case "propose":
    case "timer":
    case "endOfTurn":
    case "truncated":
    case "promiseDurable":
    case "moreDelivered":
    case "recordsRead":
    case "snapshotChunk":
    case "diskLow":
    case "memoryChanged":
      return;
    default:
      unreachable(message);
  }
}
