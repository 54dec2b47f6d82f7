/** The heartbeat actor: who is alive. */
import type { ReceivedMessage, RequestOutcome, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { Epoch } from "../../protocol/zxid.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type HeartbeatTimer = "ping" | "quorum";

export type HeartbeatMessage =
  | Leadership
  | Touched
  | ReceivedMessage<Ping>
  | RequestOutcome<Pong>
  | TimerMessage<HeartbeatTimer>;

/** From the gateways of this node: sessions heard of since their last `touched`. */
export type Touched = {
  readonly kind: "touched";
  readonly sessions: readonly SessionId[];
  /** Which gateway says so, and its own number for it, which comes back in a `leaderHeard`. */
  readonly told?: { readonly gateway: GatewayName; readonly turn: number };
};

/**
 * Emitted under `leaderHeard`: of each gateway, which of its `touched` have reached the leader. The leader, and any that comes
 * after it, gives the sessions in them their full timeout from when they were told, or from later.
 */
export type LeaderHeard = {
  readonly kind: "leaderHeard";
  readonly turns: Readonly<Record<string, readonly number[]>>;
};

/** A request of a follower to its leader. */
export type Ping = {
  readonly kind: "ping";
  readonly epoch: Epoch;
  /** Sessions touched in this round, and before it as far as no pong has said that they were taken. */
  readonly touched: readonly SessionId[];
  readonly round: number;
  /** `atMs` of the last pong that this leader sent in this epoch. */
  readonly echoMs?: number | undefined;
};

export type Pong = {
  readonly kind: "pong";
  readonly epoch: Epoch;
  /** False: not (or no longer) the leader of the ping's epoch. */
  readonly leading: boolean;
  /** The leader's clock, for `echoMs`. Undefined: it does not lead in the ping's epoch (yet), so it has taken nothing. */
  readonly atMs?: number | undefined;
  /** The asker's last round that counts whoever leads next. */
  readonly confirmed?: number | undefined;
};

/** Emitted under `peers` by a leader: who has been heard of in time. */
export type Peers = { readonly kind: "peers"; readonly alive: readonly ServerId[] };
