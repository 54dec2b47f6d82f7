/** The messages of the election actor, which finds out who should try to lead (`election.ts`). */
import type { EndOfTurn, ReceivedMessage, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import type { Unheard } from "../heartbeat/messages.ts";
import type { Durable } from "../log-sync/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type ElectionTimer = "vote" | "settle";

export type ElectionMessage =
  | Leadership
  | Durable
  /** From log-sync, when it has given up its leader or stepped down: look for a leader. `reason` is for those who inspect messages. */
  | { readonly kind: "look"; readonly reason: string }
  | ReceivedMessage<Vote>
  | Unheard
  | TimerMessage<ElectionTimer>
  | EndOfTurn;

/** Broadcast by a node that looks for a leader. A node that does not look sends it in answer to one that looks. */
export type Vote = {
  readonly kind: "vote";
  /** Counts the elections: a node that looks once more, after an election that came to nothing, starts the next round. */
  readonly round: number;
  /**
   * What the sender does. `elected`: it has just agreed with a quorum and repeats its vote for a node that still looks. Only a vote
   * with `looking` is answered.
   */
  readonly state: "looking" | "elected" | "following" | "leading";
  /** The node that the sender votes for, or the one that it follows. */
  readonly leader: ServerId;
  /** Where the durable log of the node that is voted for ends. A node that does not look sends the end of its own log here. */
  readonly lastZxid: Zxid;
  /** The epoch that the sender has promised, or the epoch of the leader that it follows. */
  readonly epoch: Epoch;
};
