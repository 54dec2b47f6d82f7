/** The messages of the heartbeat actor, which finds out who is alive (`heartbeat.ts`). */
import type { ReceivedMessage, RequestOutcome, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { Epoch } from "../../protocol/zxid.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type HeartbeatTimer = "ping" | "quorum";

export type HeartbeatMessage =
  | Leadership
  | Touched
  | Heard
  | Unheard
  | Doubted
  | ReceivedMessage<Ping>
  | RequestOutcome<Pong>
  | TimerMessage<HeartbeatTimer>;

/** From the gateways of this node: the sessions of which they have heard since they last sent this message. */
export type Touched = {
  readonly kind: "touched";
  readonly sessions: readonly SessionId[];
  /**
   * Which gateway sends this, and the number that the gateway has given to this message. The number comes back in a `leaderHeard`.
   * Undefined: the gateway does not want to know when the leader counts from this touch.
   */
  readonly receipt?: { readonly gateway: GatewayName; readonly turn: number };
};

/** From log-sync of a follower, now and then: an append of its leader has come. */
export type Heard = { readonly kind: "heard"; readonly leader: ServerId; readonly epoch: Epoch };

/** From the gate: a message that was sent to this node has found no process there. */
export type Unheard = { readonly kind: "unheard"; readonly by: ServerId };

/** The leader may be gone: another node looks for one, or writes are late. */
export type Doubted = { readonly kind: "doubted" };

/**
 * Emitted under `leaderHeard`: which `touched` messages of each gateway are confirmed. The leader, and every leader after it, gives
 * the sessions in them their full timeout from when the gateway sent the message, or from later.
 */
export type LeaderHeard = {
  readonly kind: "leaderHeard";
  /** Maps the name of a gateway to its own numbers of the messages, oldest first. */
  readonly turns: Readonly<Record<string, readonly number[]>>;
};

/** A request that a follower sends to its leader at every interval. */
export type Ping = {
  readonly kind: "ping";
  readonly epoch: Epoch;
  /** The sessions touched in this round, and those touched in earlier rounds for which no pong has come. */
  readonly touched: readonly SessionId[];
  readonly round: number;
  /** `atMs` of the last pong that the sender has received of this leader in this epoch. */
  readonly echoMs?: number | undefined;
};

export type Pong = {
  readonly kind: "pong";
  readonly epoch: Epoch;
  /** Whether the node that answers leads or stands as a candidate, in whichever epoch. */
  readonly leading: boolean;
  /**
   * The time of the leader's clock in milliseconds, which the follower sends back as `echoMs`. Undefined: the node does not lead in the
   * ping's epoch, or not yet, so it has not counted the ping's touches.
   */
  readonly atMs?: number | undefined;
  /** The last round of the follower that is confirmed: whoever leads next counts from it or from later. */
  readonly confirmed?: number | undefined;
};

/** Emitted under `peers` by a leader: the nodes whose pings came in time, with the leader itself. */
export type Peers = { readonly kind: "peers"; readonly alive: readonly ServerId[] };
