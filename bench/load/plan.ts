/** The messages between the bench and a load process. They are plain data, since they travel between processes. */
import type { HistogramCounts } from "./histogram.ts";

export const WORKLOADS = ["setData", "create", "getData"] as const;
export type Workload = (typeof WORKLOADS)[number];

export type Target = { readonly host: string; readonly port: number };

export type LoadPlan = {
  /** The servers. Connection `i` uses target `i` modulo their number. */
  readonly targets: readonly Target[];
  readonly workload: Workload;
  readonly connections: number;
  /** How many requests each connection keeps under way. */
  readonly outstanding: number;
  readonly valueBytes: number;
  /** Seconds under load that are not measured. */
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The measurement ends early after this many operations. Undefined if it always takes `seconds`. */
  readonly operations: number | undefined;
  /** The parent of all znodes of this run, such as `/zooid-bench-1`. */
  readonly root: string;
  /** Whether the znodes of the run are deleted afterwards, one by one. */
  readonly cleanUp: boolean;
};

/** The plan of one load process: it opens the connections whose number is `process` modulo `processes`. */
export type DriverPlan = LoadPlan & { readonly process: number; readonly processes: number };

export type DriverOrder =
  | { readonly kind: "prepare"; readonly plan: DriverPlan }
  | { readonly kind: "start" };

export type DriverReport =
  /** Every connection has a session and its own znode. */
  | { readonly kind: "ready" }
  /** The warm-up is over. */
  | { readonly kind: "measuring" }
  /** The operations measured so far, reported once a second. */
  | { readonly kind: "progress"; readonly operations: number }
  /** The measurement is over. The process still waits for replies, and cleans up. */
  | { readonly kind: "measured" }
  | { readonly kind: "done"; readonly result: DriverResult }
  | { readonly kind: "failed"; readonly message: string };

export type DriverResult = {
  /** Operations that were answered without an error during the measurement. */
  readonly operations: number;
  readonly measuredMs: number;
  readonly latenciesUs: HistogramCounts;
  /** Replies with an error, by ZooKeeper's code, over the whole run. */
  readonly errors: Readonly<Record<string, number>>;
  /** How many connections closed before they were finished. */
  readonly connectionsLost: number;
  /** Why connections were lost, each reason once. */
  readonly lossReasons: readonly string[];
  /** How many requests got no reply. */
  readonly operationsLost: number;
  /**
   * Processor seconds of the load process during the measurement. If they are close to `measuredMs`, the load process was the
   * limit, not the servers.
   */
  readonly cpuSeconds: number;
};
