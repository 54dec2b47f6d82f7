/** What the bench asks of a load process, and what it hears from it. Plain data: it travels between processes. */
import type { HistogramCounts } from "./histogram.ts";

export const WORKLOADS = ["setData", "create", "getData"] as const;
export type Workload = (typeof WORKLOADS)[number];

export type Target = { readonly host: string; readonly port: number };

export type LoadPlan = {
  /** Connection `i` goes to target `i` modulo their number. */
  readonly targets: readonly Target[];
  readonly workload: Workload;
  readonly connections: number;
  /** Requests that each connection keeps under way. */
  readonly outstanding: number;
  readonly valueBytes: number;
  /** Under load, but not measured. */
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The measurement ends early after so many operations. Undefined: it takes `seconds`. */
  readonly operations: number | undefined;
  /** The parent of all znodes of this run, such as `/zooid-bench-1`. */
  readonly root: string;
  /** Deletes the run's znodes afterwards, one by one. */
  readonly cleanUp: boolean;
};

/** One load process's part: the connections whose number is `process` modulo `processes`. */
export type DriverPlan = LoadPlan & { readonly process: number; readonly processes: number };

export type DriverOrder =
  | { readonly kind: "prepare"; readonly plan: DriverPlan }
  | { readonly kind: "start" };

export type DriverReport =
  /** Every connection has a session and a node of its own. */
  | { readonly kind: "ready" }
  /** The warm-up is over. */
  | { readonly kind: "measuring" }
  /** Operations measured so far. Once a second. */
  | { readonly kind: "progress"; readonly operations: number }
  /** The measurement is over; what is under way is waited for and cleaned up. */
  | { readonly kind: "measured" }
  | { readonly kind: "done"; readonly result: DriverResult }
  | { readonly kind: "failed"; readonly message: string };

export type DriverResult = {
  /** Answered without an error while measured. */
  readonly operations: number;
  readonly measuredMs: number;
  readonly latenciesUs: HistogramCounts;
  /** Replies with an error, by ZooKeeper's code, over the whole run. */
  readonly errors: Readonly<Record<string, number>>;
  /** Connections that closed while they still had something to do. */
  readonly connectionsLost: number;
  /** Why, each reason once. */
  readonly lossReasons: readonly string[];
  /** Requests whose reply never came. */
  readonly operationsLost: number;
  /** Processor seconds of the load process while measured. Close to `measuredMs` means that it, not the servers, is the limit. */
  readonly cpuSeconds: number;
};
