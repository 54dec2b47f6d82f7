/** The heartbeat actor: who is alive. */
import type { ReceivedMessage, RequestOutcome, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { Epoch } from "../../protocol/zxid.ts";
import type { Leadership } from "../log-sync/messages.ts";

export type HeartbeatMessage =
  | Leadership
  /** From the gateways of this node: sessions heard of since their last `touched`. */
  | { readonly kind: "touched"; readonly sessions: readonly SessionId[] }
  | ReceivedMessage<Ping>
  | RequestOutcome<Pong>
  | TimerMessage;

/** A request of a follower to its leader. */
export type Ping = {
  readonly kind: "ping";
  readonly epoch: Epoch;
  readonly touched: readonly SessionId[];
};

export type Pong = {
  readonly kind: "pong";
  readonly epoch: Epoch;
  /** False: not (or no longer) the leader of the ping's epoch. */
  readonly leading: boolean;
};

/** Emitted on `peers$` by a leader: who has been heard of in time. */
export type Peers = { readonly kind: "peers"; readonly alive: readonly ServerId[] };
