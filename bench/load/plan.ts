/** The messages between the bench and a load process. They are plain data, since they travel between processes. */
import type { HistogramCounts } from "../../cli/latency-histogram.ts";
import type { Samples } from "./samples.ts";
import type { WorkName } from "./work.ts";

export type Address = { readonly host: string; readonly port: number };

/** What servers speak. */
export type Protocol = "zookeeper" | "etcd" | "jetstream";

export type LoadPlan = {
  readonly protocol: Protocol;
  /** The servers. Connection `i` uses server `i` modulo their number. */
  readonly addresses: readonly Address[];
  readonly work: WorkName;
  readonly connections: number;
  /** How many requests each connection keeps under way; in an open loop, how many it has under way at most. */
  readonly outstanding: number;
  /** Undefined: a closed loop. Otherwise the requests per second of all connections together, whatever the answers do. */
  readonly ratePerSecond: number | undefined;
  readonly valueBytes: number;
  /** Seconds under load that are not measured. */
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Whether each request is kept by itself, once the warm-up is over, for whoever asks for samples. */
  readonly keepsSamples?: boolean;
  /** The parent of all znodes of this run, such as `/zooid-bench-1`. */
  readonly root: string;
  /** Whether the znodes of the run are deleted afterwards, one by one. */
  readonly cleanUp: boolean;
};

/** The plan of one load process: it opens the connections whose number is `process` modulo `processes`. */
export type DriverPlan = LoadPlan & { readonly process: number; readonly processes: number };

export type DriverOrder =
  | { readonly kind: "prepare"; readonly plan: DriverPlan }
  | { readonly kind: "start" }
  | { readonly kind: "samples" }
  /** The measurement ends before its time. */
  | { readonly kind: "stop" };

export type DriverReport =
  /** Every connection has a session and its own znode. */
  | { readonly kind: "ready" }
  /** The warm-up is over. */
  | { readonly kind: "measuring" }
  /** The operations measured so far, reported once a second. */
  | { readonly kind: "progress"; readonly operations: number }
  /** The answer to `samples`: those since the last answer. */
  | { readonly kind: "samples"; readonly samples: Samples }
  /** The measurement is over. The process still waits for replies, and cleans up. */
  | { readonly kind: "measured" }
  | { readonly kind: "done"; readonly result: DriverResult }
  | { readonly kind: "failed"; readonly message: string };

export type DriverResult = {
  readonly measuredMs: number;
  /** Operations that were answered without an error during the measurement. */
  readonly readsUs: HistogramCounts;
  readonly writesUs: HistogramCounts;
  /** Replies with an error, by the protocol's code, over the whole run. */
  readonly errors: Readonly<Record<string, number>>;
  /** How many connections closed before they were finished. */
  readonly connectionsLost: number;
  /** Why connections were lost, each reason once. */
  readonly lossReasons: readonly string[];
  /** How many requests got no reply. */
  readonly operationsLost: number;
  /** Open loop only: how many requests were due at the end and not sent, since too many were under way. */
  readonly operationsOverdue: number;
  /**
   * Processor seconds of the load process during the measurement. If they are close to `measuredMs`, the load process was the
   * limit, not the servers.
   */
  readonly cpuSeconds: number;
  /** Those that nobody has asked for, if the plan has samples kept. */
  readonly samples?: Samples | undefined;
};
