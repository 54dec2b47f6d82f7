/** The messages by which a leader hands its office over, and what becomes of that. */
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import type { Epoch, Zxid } from "../../../protocol/zxid.ts";

/** From the server, for an operator, or since the node is about to stop: hand leadership over. The outcome is emitted under `handover`. */
export type HandOver = {
  readonly kind: "handOver";
  /** Names the outcome. */
  readonly request: number;
  /** Undefined: to the follower that has the most. */
  readonly to: ServerId | undefined;
};

/** From the server: this node is about to stop. From now on it takes over from nobody. */
export type Retire = { readonly kind: "retire" };

/**
 * From the leader of `epoch` to the folder `folder`: your log ends where mine does, at `zxid`, and I make no more records: stand for
 * election at once. Raft's TimeoutNow (Raft dissertation, section 3.10).
 */
export type TakeOver = {
  readonly kind: "takeOver";
  readonly epoch: Epoch;
  readonly folder: Identity;
  readonly zxid: Zxid;
};

/** The answer of a node that does not stand: the leader need not wait for it. */
export type TakeOverDeclined = {
  readonly kind: "takeOverDeclined";
  readonly epoch: Epoch;
  readonly zxid: Zxid;
  /** `stopping`: it is about to stop. `unable`: its disk is full, or it has no vote. `behind`: its log does not end at `zxid`. */
  readonly reason: "stopping" | "unable" | "behind";
};

/** What has become of a request to hand leadership over: it was done, or who leads now and why it was not. */
export type HandoverOutcome =
  | {
      readonly kind: "done";
      readonly from: ServerId;
      readonly to: ServerId;
      /** Milliseconds from the request until the old leader followed the new one. */
      readonly tookMs: number;
      /** Milliseconds of that in which no writes were taken. */
      readonly pausedMs: number;
    }
  /** Nothing was begun, or all goes on as before, or `leader`, whom nobody asked for, leads. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      /** Who leads now, as far as this node knows. */
      readonly leader: ServerId | undefined;
    };

/** Emitted under `handover`: what has become of a request. */
export type HandoverEnded = {
  readonly kind: "handoverEnded";
  readonly request: number;
  readonly outcome: HandoverOutcome;
};
