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

export type AdminMessage =
  | Leadership
  | Peers
  | TreeMetrics
  | GatewayReport
  | ProcessReport
  | PeersReport
  | LaneReport
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
