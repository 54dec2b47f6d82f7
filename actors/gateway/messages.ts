/** A lane has two gateways: one actor for all ZooKeeper connections, one for all native clients. */
import type { ConnectionMessage, EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type {
  AdminAnswer,
  BusyQuestion,
  LatenciesQuestion,
  ConnectedSessionsQuestion,
  ConnectionsQuestion,
  MetricsQuestion,
  FindWatchesQuestion,
  WatchesQuestion,
} from "../admin/messages.ts";
import type { LeaderHeard } from "../heartbeat/messages.ts";
import type { Md5 } from "../../protocol/zookeeper/digest-md5.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { Written } from "../submitter/messages.ts";
import type {
  ClientWatches,
  FoundWatches,
  SessionChanges,
  TreeReply,
  TreeReset,
  TreeMemory,
  WatchList,
} from "../tree/messages.ts";

/** The answer to a request of a gateway goes to this actor. */
export type GatewayName = `zookeeper/${number}` | `nats/${number}`;

/** How clients log in by SASL's DIGEST-MD5. The secrets are never shown. */
export type SaslLogin = {
  readonly md5: Md5;
  /** What is kept of the users' passwords, by their names. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** The user who may do everything. Undefined: none of them. */
  readonly superUser: string | undefined;
  /** Who has failed to log in keeps the connection, unless clients have to log in. */
  readonly keepsFailed: boolean;
};

/** What a node asks of its clients. It has no secrets but the superuser's digest and those of SASL, which are never shown. */
export type Authentication = {
  /** Hashes the bytes of `user:password`. Undefined: nobody authenticates by a digest. */
  readonly hash: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** The id `user:hash` of the superuser, who may do everything. Undefined: there is none. */
  readonly superDigest: string | undefined;
  /** Undefined: nobody logs in by SASL. */
  readonly sasl: SaslLogin | undefined;
  /** A client has to prove an identity of one of these schemes before it may ask for anything. Empty: it need not. */
  readonly requiredSchemes: readonly string[];
  /** The schemes that access control lists may have, and clients may authenticate with. */
  readonly schemes: ReadonlySet<string>;
  /** Everybody may do everything. */
  readonly skipsAcl: boolean;
};

/** This is emitted once under `serving`: from now on this node is to be heard by native clients. */
export type Serving = { readonly kind: "serving" };

export type ZooKeeperTimer =
  | "touch"
  | "grace"
  | "withheld"
  | "handshake"
  | "tokens"
  | "notes"
  | "report"
  | "retire";

/** From the server, to all gateways: this node is about to stop, so its clients are to go to other nodes. */
export type Retire = { readonly kind: "retire" };

/** Emitted under `retiring`: from now on no clients come to this lane. */
export type Retiring = { readonly kind: "retiring" };

/**
 * From the server, where it measures: what the tree has applied held this turn of the loop up for so long. The turn's time is that of its beginning, so
 * what is answered behind that was waited for longer.
 */
export type HeldUp = { readonly kind: "heldUp"; readonly ms: number };

/** Gateways of both protocols are told this. */
export type SharedMessage =
  | HeldUp
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
  | MetricsQuestion
  | BusyQuestion
  | LatenciesQuestion
  | ConnectionsQuestion
  | ConnectedSessionsQuestion
  | WatchesQuestion
  | FindWatchesQuestion
  | FoundWatches
  | WatchList
  | ClientWatches
  | Retire
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
  | AdminAnswer
  | MetricsQuestion
  | BusyQuestion
  | LatenciesQuestion
  | ConnectedSessionsQuestion
  | FindWatchesQuestion
  | Retire
  | TimerMessage<"tick">
  | EndOfTurn;
