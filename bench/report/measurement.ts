/** What every profile reports: numbers with names, of one case, one target and one round. */

/** `better`: which direction is good. Undefined: the number explains others, and is not compared. */
export type Metric = {
  readonly label: string;
  readonly better?: "more" | "less";
  readonly digits: number;
  /** Whether the worst round is shown beside the median. */
  readonly worst?: boolean;
};

export type MetricName =
  | "operationsPerSecond"
  | "eventsPerSecond"
  | "p50"
  | "p90"
  | "p99"
  | "p999"
  | "max"
  | "mean"
  | "readP50"
  | "writeP50"
  | "readP99"
  | "writeP99"
  | "serverCpuUs"
  | "serverCpuSeconds"
  | "loadCpuSeconds"
  | "openMs"
  | "firstWriteMs"
  | "longestGapMs"
  | "connectionsLost"
  | "errors"
  | "bytesPerZnode"
  | "residentMb"
  | "startMs"
  | "startCpuSeconds"
  | "restartMs"
  | "idleCpuPercent"
  | "batchUs"
  | "hopUs"
  | "speedUp"
  | "snapshotSeconds"
  | "pauseMs"
  | "pauseElsewhereMs"
  | "timesDone"
  | "serverCpuPercent"
  | "turnMsMax"
  | "loopDelayMsMax"
  | "firstPaintMs"
  | "shownMs"
  | "wholeMs"
  | "longestTaskMs"
  | "domNodes"
  | "heapMb"
  | "receivedKb";

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  operationsPerSecond: { label: "operations/s", better: "more", digits: 0 },
  eventsPerSecond: { label: "events/s", better: "more", digits: 0 },
  p50: { label: "p50 ms", better: "less", digits: 2 },
  p90: { label: "p90 ms", better: "less", digits: 2 },
  p99: { label: "p99 ms", better: "less", digits: 2 },
  p999: { label: "p99.9 ms", better: "less", digits: 2 },
  max: { label: "max ms", better: "less", digits: 1 },
  mean: { label: "mean ms", digits: 2 },
  readP50: { label: "reads' p50 ms", digits: 2 },
  writeP50: { label: "writes' p50 ms", digits: 2 },
  readP99: { label: "reads' p99 ms", better: "less", digits: 2 },
  writeP99: { label: "writes' p99 ms", better: "less", digits: 2 },
  serverCpuUs: { label: "servers' cpu us/op", better: "less", digits: 1 },
  serverCpuSeconds: { label: "servers' cpu s", digits: 1 },
  loadCpuSeconds: { label: "load's cpu s", digits: 1 },
  openMs: { label: "opening ms", better: "less", digits: 0 },
  firstWriteMs: { label: "first write ms", better: "less", digits: 0, worst: true },
  longestGapMs: { label: "longest gap ms", better: "less", digits: 0, worst: true },
  connectionsLost: { label: "connections lost", digits: 0 },
  errors: { label: "errors", digits: 0 },
  bytesPerZnode: { label: "bytes/znode", better: "less", digits: 0 },
  residentMb: { label: "resident MB", better: "less", digits: 0 },
  startMs: { label: "start ms", better: "less", digits: 0 },
  startCpuSeconds: { label: "start's cpu s", better: "less", digits: 2 },
  restartMs: { label: "restart ms", better: "less", digits: 0 },
  idleCpuPercent: { label: "idle % of a core", better: "less", digits: 1 },
  batchUs: { label: "us/batch alone", better: "less", digits: 1 },
  hopUs: { label: "us/hop", better: "less", digits: 1 },
  speedUp: { label: "speed-up", better: "more", digits: 2 },
  snapshotSeconds: { label: "snapshot s", better: "less", digits: 1 },
  pauseMs: { label: "longest pause ms", better: "less", digits: 0 },
  pauseElsewhereMs: { label: "pause elsewhere ms", digits: 0 },
  timesDone: { label: "times done", digits: 0 },
  serverCpuPercent: { label: "servers' % of a core", digits: 1 },
  turnMsMax: { label: "longest turn ms <=", digits: 2 },
  loopDelayMsMax: { label: "loop's delay ms <=", digits: 2 },
  firstPaintMs: { label: "first paint ms", better: "less", digits: 0, worst: true },
  shownMs: { label: "shown ms", better: "less", digits: 0, worst: true },
  wholeMs: { label: "whole ms", better: "less", digits: 0 },
  longestTaskMs: { label: "longest task ms", better: "less", digits: 0 },
  domNodes: { label: "DOM nodes", better: "less", digits: 0 },
  heapMb: { label: "page's heap MB", better: "less", digits: 1 },
  receivedKb: { label: "received KB", digits: 0 },
};

export const METRIC_NAMES: readonly MetricName[] = Object.keys(METRICS) as MetricName[];

export type ServerCost = {
  readonly label: string;
  /** Processor seconds during the measurement. */
  readonly cpuSeconds: number;
  /** Resident memory at the end of the measurement. */
  readonly residentBytes: number;
};

export type Point = {
  /** The plot, which also tells what the horizontal axis is. */
  readonly plot: string;
  readonly axis: string;
  readonly x: number;
};

/** Numbers over time, for a plot. */
export type Timeline = {
  readonly label: string;
  readonly stepMs: number;
  /** The time of the first value, relative to what the timeline is about. */
  readonly fromMs: number;
  readonly values: readonly number[];
};

export type Measurement = {
  readonly profile: string;
  /** The case, such as `set 30x64`. */
  readonly name: string;
  readonly target: string;
  /** The number of the round, from 1. */
  readonly round: number;
  readonly metrics: Readonly<Partial<Record<MetricName, number>>>;
  /** Errors and losses. They spoil a result, so they are always reported. */
  readonly problems?: readonly string[];
  /** Why the target has no numbers here. */
  readonly notOffered?: string;
  readonly servers?: readonly ServerCost[];
  readonly points?: readonly Point[];
  readonly timeline?: Timeline;
};
