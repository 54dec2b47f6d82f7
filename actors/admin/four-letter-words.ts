/** The texts of ZooKeeper's four-letter words, laid out as its tools parse them. Source: ZooKeeper's FourLetterCommands. */
import type { ServerId } from "../../protocol/ids.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { Leadership, WriteAdmission } from "../../protocol/replication.ts";
import { counterOf, countOf, histogramOf, quantileOf } from "./measures.ts";
import { configurationText, type ShownConfiguration } from "./configuration-text.ts";
import type { ActorReport, MeasuresReport, StreamMetrics } from "./messages.ts";

export type Mode = "standalone" | "leader" | "follower" | "read-only";

/** What the answers are made of: the node's metrics at the moment of the question. Counts are since the start of the process. */
export type Metrics = {
  /** Undefined: the node knows of no leader, so it serves no clients. */
  readonly mode: Mode | undefined;
  readonly version: string;
  readonly epoch: number;
  readonly leader: number | undefined;
  /** Which writes of clients the ensemble takes, given the space on its disks and in memory. */
  readonly admission: WriteAdmission;
  readonly role: Leadership["role"];
  readonly zxid: Zxid;
  /** The lanes in order of their numbers, each with the zxid that its tree has applied when it was asked last. */
  readonly laneZxids: readonly (readonly [lane: number, zxid: Zxid])[];
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  readonly dataBytes: number;
  readonly sessions: number;
  readonly treeBytes: number;
  readonly treeBytesMax: number;
  readonly treeHeapBytes: number;
  readonly treeHeapBytesMax: number;
  /** The lanes in order of their numbers, each with the bytes of its heap that are in use. */
  readonly laneHeaps: readonly (readonly [lane: number, usedBytes: number])[];
  readonly connections: number;
  /** Clients that were turned away before they had a connection. */
  readonly refused: number;
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  /** Reads and writes whose answers took as long as a slow request's. */
  readonly slowRequests: number;
  readonly latencyMs: { readonly min: number; readonly average: number; readonly max: number };
  readonly clients: readonly string[];
  readonly streams: StreamMetrics;
  readonly voters: number;
  /** If this node leads: the number of followers whose pings came in time. */
  readonly followersAlive: number;
  /** Messages of peers that were malformed, out of range, or of strangers. */
  readonly peerMessagesRefused: number;
  /** Connections to NATS that the node should have, and those of them that are there. */
  readonly natsConnections: number;
  readonly natsConnected: number;
  /** The metrics of each actor, if they are measured. */
  readonly actors: readonly ActorReport[];
  /** What was measured on each thread, if it is. */
  readonly measures: readonly MeasuresReport[];
  readonly openFiles: number;
  readonly openFilesMax: number;
  readonly uptimeMs: number;
  /** For how long this node has led, if it does. */
  readonly leadingMs: number;
  /** The lines of `envi`, each a name and a value. */
  readonly environment: readonly (readonly [string, string])[];
  /** This node and the ensemble's voters. */
  readonly server: ServerId;
  readonly members: readonly ServerId[];
  readonly configuration: ShownConfiguration | undefined;
  /** Undefined before clients can connect. */
  readonly clientPort: number | undefined;
  readonly secureClientPort: number | undefined;
  /** The size of the data folder. */
  readonly folderBytes: number;
  readonly logFolderBytes: number;
  readonly traceMask: bigint;
};

export const NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

export function answerOf(word: string, metrics: Metrics): string {
  switch (word) {
    case "ruok":
      return "imok";
    case "isro":
      if (metrics.mode === undefined) return "null";
      return isWritable(metrics) && metrics.mode !== "read-only" ? "rw" : "ro";
    case "srvr":
      return metrics.mode === undefined ? NOT_SERVING : serverText(metrics, metrics.mode, []);
    case "stat":
      return metrics.mode === undefined
        ? NOT_SERVING
        : serverText(metrics, metrics.mode, ["Clients:", ...metrics.clients, ""]);
    case "mntr":
      return metrics.mode === undefined ? NOT_SERVING : monitorText(metrics, metrics.mode);
    case "envi":
      return environmentText(metrics);
    case "conf":
      return metrics.mode === undefined ? NOT_SERVING : configurationText(metrics);
    case "dirs": {
      if (metrics.mode === undefined) return NOT_SERVING;
      const { folderBytes, logFolderBytes } = metrics;
      return `datadir_size: ${folderBytes}\nlogdir_size: ${logFolderBytes}\n`;
    }
    case "gtmk":
    case "stmk":
      return String(metrics.traceMask);
    case "hash":
      // ZooKeeper lists the digests of its tree here, of which zooid keeps none.
      return metrics.mode === undefined ? NOT_SERVING : "";
    default:
      return `${word} is not executed because it is not known.\n`;
  }
}

function serverText(metrics: Metrics, mode: Mode, clients: readonly string[]): string {
  const { min, average, max } = metrics.latencyMs;
  const lines = [
    `Zookeeper version: ${metrics.version}`,
    ...clients,
    `Latency min/avg/max: ${min}/${decimal(average)}/${max}`,
    `Received: ${metrics.received}`,
    `Sent: ${metrics.sent}`,
    `Connections: ${metrics.connections}`,
    `Outstanding: ${metrics.outstanding}`,
    `Zxid: ${formatZxid(metrics.zxid)}`,
    `Mode: ${mode}`,
    `Node count: ${metrics.znodes}`,
  ];
  // ZooKeeper prints -1 for sizes that it has not measured.
  if (mode === "leader") lines.push("Proposal sizes last/min/max: -1/-1/-1");
  if (!isWritable(metrics)) lines.push("Writes: refused, no space on the disk");
  else if (metrics.admission === "noGrowth")
    lines.push("Writes: refused if they grow the tree, no memory left");
  return `${lines.join("\n")}\n`;
}

/** The text begins as ZooKeeper's does, since clients read the server's version from its second line. */
function environmentText({ version, environment }: Metrics): string {
  const lines = environment.map(([name, value]) => `${name}=${value}\n`);
  return `Environment:\nzookeeper.version=${version}\n${lines.join("")}`;
}

/**
 * Every name begins with `zk_` and every number is written in decimal, since collectors refuse other lines. All numbers are integers
 * except the average latency, which ZooKeeper prints with a fraction too.
 */
function monitorText(metrics: Metrics, mode: Mode): string {
  return monitorValues(metrics, mode)
    .map(([name, value]) => `zk_${name}\t${value}\n`)
    .join("");
}

/** The metrics of `mntr`, without the `zk_` before their names. What is text is no number, or one that Java would print as a double. */
export function monitorValues(metrics: Metrics, mode: Mode): readonly [string, string | number][] {
  const values: [string, string | number][] = [
    ["version", metrics.version],
    ["server_state", mode],
    ...peerState(mode),
    ["ephemerals_count", metrics.ephemerals],
    ["num_alive_connections", metrics.connections],
    ["connection_rejected", metrics.refused],
    ["avg_latency", decimal(metrics.latencyMs.average)],
    ["min_latency", metrics.latencyMs.min],
    ["max_latency", metrics.latencyMs.max],
    ["outstanding_requests", metrics.outstanding],
    ["znode_count", metrics.znodes],
    ["packets_sent", metrics.sent],
    ["packets_received", metrics.received],
    ["watch_count", metrics.watches],
    ["approximate_data_size", metrics.dataBytes],
    ["open_file_descriptor_count", metrics.openFiles],
    ["max_file_descriptor_count", metrics.openFilesMax],
    ["uptime", Math.floor(metrics.uptimeMs)],
  ];
  if (mode !== "standalone") values.push(["quorum_size", metrics.voters]);
  if (mode === "leader") {
    values.push(["leader_uptime", Math.floor(metrics.leadingMs)]);
    values.push(["learners", metrics.followersAlive]);
    values.push(["followers", metrics.followersAlive]);
    values.push(["synced_followers", metrics.followersAlive]);
    // A sync goes through the log as a write does, so none waits at the leader alone.
    values.push(["pending_syncs", 0]);
  }
  values.push(...measuredValues(metrics.measures));
  values.push(["zooid_epoch", metrics.epoch]);
  values.push(["zooid_leader", metrics.leader ?? -1]);
  values.push(["zooid_applied_zxid", metrics.zxid]);
  values.push(["zooid_writes_refused", isWritable(metrics) ? 0 : 1]);
  values.push(["zooid_growth_refused", metrics.admission === "all" ? 0 : 1]);
  values.push(["zooid_slow_requests", metrics.slowRequests]);
  values.push(["zooid_sessions", metrics.sessions]);
  values.push(["zooid_tree_bytes", metrics.treeBytes]);
  values.push(["zooid_tree_bytes_max", metrics.treeBytesMax]);
  values.push(["zooid_tree_heap_bytes", metrics.treeHeapBytes]);
  values.push(["zooid_tree_heap_bytes_max", metrics.treeHeapBytesMax]);
  for (const [lane, usedBytes] of metrics.laneHeaps) {
    values.push([`zooid_lane_${lane}_heap_used_bytes`, usedBytes]);
  }
  values.push(["zooid_data_folder_bytes", metrics.folderBytes]);
  values.push(["zooid_log_folder_bytes", metrics.logFolderBytes]);
  values.push(["zooid_peer_messages_refused", metrics.peerMessagesRefused]);
  values.push(["zooid_nats_connections", metrics.natsConnections]);
  values.push(["zooid_nats_connected", metrics.natsConnected]);
  for (const { actor, steps, busyMs, slowestUs, queuedMax } of metrics.actors) {
    const name = `zooid_actor_${actor.replaceAll(/\W/g, "_")}`;
    values.push([`${name}_steps`, steps], [`${name}_busy_ms`, Math.round(busyMs)]);
    values.push([`${name}_slowest_us`, slowestUs], [`${name}_queued_max`, queuedMax]);
  }
  return values;
}

/** As ZooKeeper names what a member of an ensemble does. */
function peerState(mode: Mode): readonly [string, string][] {
  if (mode !== "leader" && mode !== "follower") return [];
  return [["peer_state", mode === "leader" ? "leading - broadcast" : "following - broadcast"]];
}

/** The measures that ZooKeeper has too, by its names for them. Durations are in milliseconds. */
export const SUMMARIES: readonly (readonly [name: string, measure: string])[] = [
  ["fsynctime", "fsync"],
  ["quorum_ack_latency", "stage.quorum"],
  ["election_time", "phase.vote"],
  ["unavailable_time", "leaderless"],
];
export const COUNTERS: readonly (readonly [name: string, counted: string])[] = [
  ["looking_count", "elections"],
  ["proposal_count", "proposals"],
  ["commit_count", "commits"],
];

/** None where nothing is measured. */
function measuredValues(measures: readonly MeasuresReport[]): readonly [string, string | number][] {
  const values: [string, string | number][] = [];
  for (const [name, measure] of SUMMARIES) {
    const histogram = histogramOf(measures, measure);
    if (histogram === undefined) continue;
    const { sum, min, max } = histogram;
    const count = countOf(histogram);
    values.push([`avg_${name}`, decimal(count === 0 ? 0 : sum / count)]);
    values.push([`min_${name}`, Math.floor(min)], [`max_${name}`, Math.floor(max)]);
    values.push([`cnt_${name}`, count], [`sum_${name}`, Math.round(sum)]);
  }
  for (const [name, counted] of COUNTERS) {
    const count = counterOf(measures, counted);
    if (count !== undefined) values.push([name, count]);
  }
  const slow = counterOf(measures, "slowFsyncs");
  if (slow !== undefined) values.push(["fsync_threshold_exceed_count", slow]);
  const fsync = histogramOf(measures, "fsync");
  if (fsync !== undefined) {
    values.push(["zooid_fsync_p99_us", Math.round(quantileOf(fsync, 0.99) * 1000)]);
  }
  return values;
}

/** Whether any writes of clients other than the ends of sessions are taken. */
export function isWritable({ admission }: Metrics): boolean {
  return admission === "all" || admission === "noGrowth";
}

/** Rounds to four places and prints as Java prints a double, that is with a decimal point even for a whole number. */
export function decimal(value: number): string {
  const text = String(Math.round(value * 10_000) / 10_000);
  return text.includes(".") ? text : `${text}.0`;
}
