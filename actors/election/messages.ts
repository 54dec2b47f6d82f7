/** The election actor: who should try to lead. A hint only; log-sync keeps the safety. Source: ZooKeeper's FastLeaderElection. */
import type { EndOfTurn, ReceivedMessage, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Epoch, Zxid } from "../../protocol/zxid.ts";
import type { Durable } from "../log-sync/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type ElectionTimer = "vote" | "settle";

export type ElectionMessage =
  | Leadership
  | Durable
  /** From log-sync: look for a leader. */
  | { readonly kind: "look"; readonly reason: string }
  | ReceivedMessage<Vote>
  | TimerMessage<ElectionTimer>
  | EndOfTurn;

/** What a node tells the others while it looks, or, when it is asked by one who looks, whom it follows. */
export type Vote = {
  readonly kind: "vote";
  /** Looking again after an election that came to nothing starts a new round. */
  readonly round: number;
  /** `elected`: it has just agreed with a quorum, and repeats its vote for one who still looks. Not answered. */
  readonly state: "looking" | "elected" | "following" | "leading";
  /** Voted for, or followed. */
  readonly leader: ServerId;
  /** Durable log of the one voted for. */
  readonly lastZxid: Zxid;
  readonly epoch: Epoch;
};
