/** The admin actor: health, metrics, four-letter words. It lives on the main thread and knows what every actor reports. */
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
  /** One line each, as `stat` prints them. */
  readonly clients: readonly string[];
};

/** From the server, now and then: what the operating system says of the process. */
export type ProcessReport = {
  readonly kind: "processReport";
  readonly openFiles: number;
  readonly openFilesMax: number;
};

/** From the server, now and then: messages of peers that were refused since the start. */
export type PeersReport = { readonly kind: "peersReport"; readonly refused: number };

/** From each tree lane, now and then. */
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
  /** Answered with `adminAnswer` to the actor `from`. */
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
