/** zooid's own metrics, in the units and with the names that Prometheus asks for. */
import type { Metrics } from "../../../actors/admin/four-letter-words.ts";
import { isWritable } from "../../../actors/admin/four-letter-words.ts";
import type { Known } from "./known.ts";
import { MEASURED_METRICS } from "./measured.ts";
import type { Metric, Sample } from "./metric.ts";

function gauge(
  name: string,
  help: string,
  samples: (metrics: Metrics) => number | undefined | readonly Sample[],
): Metric<Known> {
  return { name, type: "gauge", help, samples: ({ metrics }) => samples(metrics) };
}

function counter(
  name: string,
  help: string,
  samples: (metrics: Metrics) => number | undefined | readonly Sample[],
): Metric<Known> {
  return { name, type: "counter", help, samples: ({ metrics }) => samples(metrics) };
}

function byLane(values: readonly (readonly [lane: number, value: number])[]): readonly Sample[] {
  return values.map(([lane, value]) => ({ labels: { lane }, value }));
}

const ROLES = ["looking", "establishing", "following", "leading"] as const;

export const OWN_METRICS: readonly Metric<Known>[] = [
  gauge("zooid_info", "1, with the versions of the node in its labels.", ({ version }) => [
    { labels: { version, node_version: process.version }, value: 1 },
  ]),
  gauge("zooid_role", "1 for the role that the node has, 0 for the others.", ({ role }) =>
    ROLES.map((each) => ({ labels: { role: each }, value: each === role ? 1 : 0 })),
  ),
  gauge("zooid_epoch", "The epoch that the node is in.", ({ epoch }) => epoch),
  gauge("zooid_leader", "The id of the leader; -1: none is known.", ({ leader = -1 }) => leader),
  gauge("zooid_applied_zxid", "The zxid that the tree of a lane has applied.", ({ laneZxids }) =>
    byLane(laneZxids),
  ),
  gauge("zooid_writes_refused", "1 while writes are refused for want of disk space.", (metrics) =>
    isWritable(metrics) ? 0 : 1,
  ),
  gauge("zooid_growth_refused", "1 while writes that grow the tree are refused.", (metrics) =>
    metrics.admission === "all" ? 0 : 1,
  ),
  gauge("zooid_sessions", "Sessions of the ensemble.", ({ sessions }) => sessions),
  gauge("zooid_connections", "Connections of this node's clients.", (each) => each.connections),
  gauge("zooid_requests_outstanding", "Requests that are not answered yet.", (each) => {
    return each.outstanding;
  }),
  counter(
    "zooid_slow_requests_total",
    "Reads and writes whose answers took as long as slowRequestMs says.",
    (each) => each.slowRequests,
  ),
  gauge("zooid_tree_bytes", "Memory that the tree takes, by estimate.", (each) => each.treeBytes),
  gauge("zooid_tree_bytes_max", "From here on writes that grow the tree are refused.", (each) => {
    return each.treeBytesMax;
  }),
  gauge("zooid_tree_heap_bytes", "The part of it in the heap of a lane, by estimate.", (each) => {
    return each.treeHeapBytes;
  }),
  gauge("zooid_tree_heap_bytes_max", "From here on writes that grow it are refused.", (each) => {
    return each.treeHeapBytesMax;
  }),
  gauge("zooid_lane_heap_used_bytes", "The heap of a lane's thread that is in use.", (each) =>
    byLane(each.laneHeaps),
  ),
  gauge("zooid_followers_alive", "Followers that the leader hears.", (metrics) =>
    metrics.mode === "leader" ? metrics.followersAlive : undefined,
  ),
  gauge("zooid_data_folder_bytes", "The size of the data folder.", (each) => each.folderBytes),
  gauge("zooid_log_folder_bytes", "The size of the folder of the log.", (each) => {
    return each.logFolderBytes;
  }),
  gauge("zooid_streams", "Change streams of native clients.", ({ streams }) => streams.open),
  gauge("zooid_streams_waiting", "Those with changes that wait for their client.", (each) => {
    return each.streams.waiting;
  }),
  gauge("zooid_stream_pending_bytes", "Bytes of changes that wait for clients.", (each) => {
    return each.streams.pendingBytes;
  }),
  gauge(
    "zooid_stream_pending_bytes_max",
    "The most that waits for one stream's client.",
    (each) => {
      return each.streams.pendingBytesMax;
    },
  ),
  gauge("zooid_stream_pending_changes", "Changes that wait for clients.", ({ streams }) => {
    return streams.pendingChanges;
  }),
  gauge(
    "zooid_stream_pending_changes_max",
    "The most changes that wait for one stream's client.",
    ({ streams }) => streams.pendingChangesMax,
  ),
  gauge(
    "zooid_stream_lag_zxids",
    "Zxids between what a lane's tree has applied and what the last of its streams has been sent.",
    ({ streams }) => byLane(streams.lagZxids),
  ),
  counter(
    "zooid_peer_messages_refused_total",
    "Messages of nodes that were malformed, or not of this ensemble.",
    (each) => each.peerMessagesRefused,
  ),
  gauge("zooid_nats_connections", "Connections to NATS that the node should have.", (each) => {
    return each.natsConnections;
  }),
  gauge("zooid_nats_connected", "Connections to NATS that are there.", (each) => {
    return each.natsConnected;
  }),
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time of the process, of all its threads.",
    samples: ({ process }) => process.cpuSeconds,
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Memory of the process.",
    samples: ({ process }) => process.residentBytes,
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the process has started, in seconds since 1970.",
    samples: ({ process }) => process.startedSeconds,
  },
  {
    name: "process_open_fds",
    type: "gauge",
    help: "Files that the process has open.",
    samples: ({ metrics }) => metrics.openFiles,
  },
  {
    name: "process_max_fds",
    type: "gauge",
    help: "Files that the process may have open.",
    samples: ({ metrics }) => metrics.openFilesMax,
  },
  {
    name: "zooid_main_heap_used_bytes",
    type: "gauge",
    help: "The heap of the main thread that is in use.",
    samples: ({ process }) => process.heapUsedBytes,
  },
  ...MEASURED_METRICS,
];
