/** The texts of ZooKeeper's four-letter words, laid out as its tools parse them. Source: ZooKeeper's FourLetterCommands. */
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { WriteAdmission } from "../../protocol/replication.ts";

export type Mode = "standalone" | "leader" | "follower";

/** What the node knows of itself when it is asked. */
export type Figures = {
  /** Undefined: no leader is known, so the node serves nobody. */
  readonly mode: Mode | undefined;
  readonly version: string;
  readonly epoch: number;
  readonly leader: number | undefined;
  /** For writes of clients, on the disks and in memory. */
  readonly admission: WriteAdmission;
  readonly zxid: Zxid;
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  readonly dataBytes: number;
  readonly sessions: number;
  readonly treeBytes: number;
  readonly treeBytesMax: number;
  readonly treeHeapBytes: number;
  readonly treeHeapBytesMax: number;
  /** Lanes in order, and how many bytes each uses of its heap. */
  readonly laneHeaps: readonly (readonly [lane: number, usedBytes: number])[];
  readonly connections: number;
  /** Turned away since the start. */
  readonly refused: number;
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  readonly latencyMs: { readonly min: number; readonly average: number; readonly max: number };
  readonly clients: readonly string[];
  readonly voters: number;
  /** Of a leader: followers heard of in time. */
  readonly followersAlive: number;
  /** Since the start: malformed, out of range, or of strangers. */
  readonly peerMessagesRefused: number;
  readonly openFiles: number;
  readonly openFilesMax: number;
  readonly uptimeMs: number;
  /** Lines of `envi`, each a name and a value. */
  readonly environment: readonly (readonly [string, string])[];
};

const NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

export function answerOf(word: string, figures: Figures): string {
  switch (word) {
    case "ruok":
      return "imok";
    case "isro":
      if (figures.mode === undefined) return "null";
      return isWritable(figures) ? "rw" : "ro";
    case "srvr":
      return figures.mode === undefined ? NOT_SERVING : serverText(figures, figures.mode, []);
    case "stat":
      return figures.mode === undefined
        ? NOT_SERVING
        : serverText(figures, figures.mode, ["Clients:", ...figures.clients, ""]);
    case "mntr":
      return figures.mode === undefined ? NOT_SERVING : monitorText(figures, figures.mode);
    case "envi":
      return environmentText(figures);
    default:
      return `${word} is not executed because zooid does not serve it.\n`;
  }
}

function serverText(figures: Figures, mode: Mode, clients: readonly string[]): string {
  const { min, average, max } = figures.latencyMs;
  const lines = [
    `Zookeeper version: ${figures.version}`,
    ...clients,
    `Latency min/avg/max: ${min}/${decimal(average)}/${max}`,
    `Received: ${figures.received}`,
    `Sent: ${figures.sent}`,
    `Connections: ${figures.connections}`,
    `Outstanding: ${figures.outstanding}`,
    `Zxid: ${formatZxid(figures.zxid)}`,
    `Mode: ${mode}`,
    `Node count: ${figures.znodes}`,
  ];
  // ZooKeeper's own value for sizes that it has not measured.
  if (mode === "leader") lines.push("Proposal sizes last/min/max: -1/-1/-1");
  if (!isWritable(figures)) lines.push("Writes: refused, no room on the disk");
  else if (figures.admission === "noGrowth")
    lines.push("Writes: refused if they grow the tree, no room in memory");
  return `${lines.join("\n")}\n`;
}

/** Begins as ZooKeeper's does, since clients take the server's version from its second line. */
function environmentText({ version, environment }: Figures): string {
  const lines = environment.map(([name, value]) => `${name}=${value}\n`);
  return `Environment:\nzookeeper.version=${version}\n${lines.join("")}`;
}

/**
 * Every name begins with `zk_` and every number is written in decimal: collectors refuse lines that are otherwise. Integers
 * stay integers but for the average, which ZooKeeper prints with a fraction too.
 */
function monitorText(figures: Figures, mode: Mode): string {
  const values: [string, string | number][] = [
    ["zk_version", figures.version],
    ["zk_server_state", mode],
    ["zk_ephemerals_count", figures.ephemerals],
    ["zk_num_alive_connections", figures.connections],
    ["zk_connection_rejected", figures.refused],
    ["zk_avg_latency", decimal(figures.latencyMs.average)],
    ["zk_min_latency", figures.latencyMs.min],
    ["zk_max_latency", figures.latencyMs.max],
    ["zk_outstanding_requests", figures.outstanding],
    ["zk_znode_count", figures.znodes],
    ["zk_packets_sent", figures.sent],
    ["zk_packets_received", figures.received],
    ["zk_watch_count", figures.watches],
    ["zk_approximate_data_size", figures.dataBytes],
    ["zk_open_file_descriptor_count", figures.openFiles],
    ["zk_max_file_descriptor_count", figures.openFilesMax],
    ["zk_uptime", Math.floor(figures.uptimeMs)],
  ];
  if (mode !== "standalone") values.push(["zk_quorum_size", figures.voters]);
  if (mode === "leader") {
    values.push(["zk_learners", figures.followersAlive]);
    values.push(["zk_followers", figures.followersAlive]);
    values.push(["zk_synced_followers", figures.followersAlive]);
  }
  values.push(["zk_zooid_epoch", figures.epoch]);
  values.push(["zk_zooid_leader", figures.leader ?? -1]);
  values.push(["zk_zooid_applied_zxid", figures.zxid]);
  values.push(["zk_zooid_writes_refused", isWritable(figures) ? 0 : 1]);
  values.push(["zk_zooid_growth_refused", figures.admission === "all" ? 0 : 1]);
  values.push(["zk_zooid_sessions", figures.sessions]);
  values.push(["zk_zooid_tree_bytes", figures.treeBytes]);
  values.push(["zk_zooid_tree_bytes_max", figures.treeBytesMax]);
  values.push(["zk_zooid_tree_heap_bytes", figures.treeHeapBytes]);
  values.push(["zk_zooid_tree_heap_bytes_max", figures.treeHeapBytesMax]);
  for (const [lane, usedBytes] of figures.laneHeaps) {
    values.push([`zk_zooid_lane_${lane}_heap_used_bytes`, usedBytes]);
  }
  values.push(["zk_zooid_peer_messages_refused", figures.peerMessagesRefused]);
  return values.map(([key, value]) => `${key}\t${value}\n`).join("");
}

/** Writes are taken, some at least. */
function isWritable({ admission }: Figures): boolean {
  return admission === "all" || admission === "noGrowth";
}

/** As Java prints a double rounded to four places: always with a decimal point. */
function decimal(value: number): string {
  const text = String(Math.round(value * 10_000) / 10_000);
  return text.includes(".") ? text : `${text}.0`;
}
