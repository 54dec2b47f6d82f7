/** The messages of the admin actor, which collects reports on the main thread and answers four-letter words (`admin.ts`). */
import type { Leadership } from "../../protocol/replication.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { Peers } from "../heartbeat/messages.ts";
import type { TreeMetrics } from "../tree/messages.ts";

/** From a gateway, once a second and whenever it asks for a four-letter word: its metrics since the start. */
export type GatewayReport = {
  readonly kind: "gatewayReport";
  readonly gateway: GatewayName;
  readonly connections: number;
  /** Clients that were turned away before they had a connection. */
  readonly refused: number;
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  readonly latencyMs: { readonly min: number; readonly average: number; readonly max: number };
  /** One line for each client, as `stat` prints it. */
  readonly clients: readonly string[];
};

/** From the server, at intervals: what the operating system says about the process. */
export type ProcessReport = {
  readonly kind: "processReport";
  readonly openFiles: number;
  readonly openFilesMax: number;
};

/** From the server, at intervals: how many messages of peers were refused since the start. */
export type PeersReport = { readonly kind: "peersReport"; readonly refused: number };

/** From each tree lane, at intervals: how many bytes of the lane's heap are in use. */
export type LaneReport = {
  readonly kind: "laneReport";
  readonly lane: number;
  readonly heapUsedBytes: number;
};

/** Whether a connection to NATS is there; the client of NATS goes on trying by itself while it is not. */
export type NatsStatus = "connected" | "disconnected";

/** From each thread that has a connection to NATS: at once, and when it is lost or there again. */
export type NatsReport = {
  readonly kind: "natsReport";
  /** `peers`: the way to the other nodes. A number: the way to the native clients of that lane. */
  readonly connection: NatsConnectionName;
  readonly status: NatsStatus;
};

export type NatsConnectionName = "peers" | number;

/** Emitted under `nats`. */
export type NatsConnections = {
  readonly kind: "natsConnections";
  /** The connection to the other nodes; undefined of a node that has none. */
  readonly peers: NatsStatus | undefined;
  /** By lane, the connection to its native clients. Empty: the node serves none. */
  readonly lanes: ReadonlyMap<number, NatsStatus>;
};

/** From the server, if it is to measure: what an actor has done since the report before. */
export type ActorReport = {
  readonly kind: "actorReport";
  readonly actor: string;
  readonly steps: number;
  /** The time of all steps together. */
  readonly busyMs: number;
  readonly slowestUs: number;
  /** The most messages that waited for the actor. */
  readonly queuedMax: number;
};

export type AdminMessage =
  | Leadership
  | Peers
  | TreeMetrics
  | GatewayReport
  | ProcessReport
  | PeersReport
  | LaneReport
  | NatsReport
  | ActorReport
  /** From a gateway. The answer is an `adminAnswer` to the actor `from`, with the gateway's own number `client` of the connection. */
  | {
      readonly kind: "fourLetterWord";
      readonly from: GatewayName;
      readonly client: number;
      readonly word: string;
    };

export type AdminAnswer = {
  readonly kind: "adminAnswer";
  readonly client: number;
  readonly text: string;
};
