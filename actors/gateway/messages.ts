/** A lane has two gateways: one actor for all ZooKeeper connections, one for all native clients. */
import type { ConnectionMessage, EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type {
  AdminAnswer,
  ConnectionsQuestion,
  ResetMetrics,
  WatchesQuestion,
} from "../admin/messages.ts";
import type { LeaderHeard } from "../heartbeat/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { Written } from "../submitter/messages.ts";
import type {
  SessionChanges,
  TreeReply,
  TreeReset,
  TreeMemory,
  WatchList,
} from "../tree/messages.ts";

/** The answer to a request of a gateway goes to this actor. */
export type GatewayName = `zookeeper/${number}` | `nats/${number}`;

/** This is emitted once under `serving`: from now on this node is to be heard by native clients. */
export type Serving = { readonly kind: "serving" };

export type ZooKeeperTimer = "touch" | "grace" | "withheld" | "handshake" | "notes" | "report";

/** Gateways of both protocols are told this. */
export type SharedMessage =
  | Written
  | TreeReply
  | TreeReset
  | TreeMemory
  | SessionChanges
  | Leadership
  | LeaderHeard;

export type ZooKeeperGatewayMessage =
  | SharedMessage
  | ConnectionMessage
  | AdminAnswer
  | ResetMetrics
  | ConnectionsQuestion
  | WatchesQuestion
  | WatchList
  | TimerMessage<ZooKeeperTimer>
  | EndOfTurn;

/** A native client's message is CBOR; `reply` is the subject on which the client wants the answer. */
export type NatsClientMessage = {
  readonly kind: "clientMessage";
  readonly subject: string;
  readonly reply: string;
  readonly bytes: Uint8Array;
};

export type NatsGatewayMessage =
  | SharedMessage
  | NatsClientMessage
  | ResetMetrics
  | TimerMessage<"tick">
  | EndOfTurn;
