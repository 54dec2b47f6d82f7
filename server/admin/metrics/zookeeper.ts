/**
 * The metrics of ZooKeeper that there are here, under its own names: boards and alert rules that were made for its Prometheus provider read
 * them. What only ZooKeeper's own processors would measure is not among them. Sources: `registerMetrics` of ZooKeeperServer,
 * LeaderZooKeeperServer and QuorumZooKeeperServer, and ServerMetrics, of ZooKeeper 3.8.
 */
import type { Metrics } from "../../../actors/admin/four-letter-words.ts";
import type { Metric } from "./metric.ts";
import type { Known } from "./known.ts";

function gauge(
  name: string,
  help: string,
  value: (metrics: Metrics) => number | undefined,
): Metric<Known> {
  return { name, type: "gauge", help, samples: ({ metrics }) => value(metrics) };
}

function counter(
  name: string,
  help: string,
  value: (metrics: Metrics) => number | undefined,
): Metric<Known> {
  return { name, type: "counter", help, samples: ({ metrics }) => value(metrics) };
}

/** For what only a leader knows. */
function ofLeader(value: (metrics: Metrics) => number): (metrics: Metrics) => number | undefined {
  return (metrics) => (metrics.mode === "leader" ? value(metrics) : undefined);
}

export const ZOOKEEPER_METRICS: readonly Metric<Known>[] = [
  gauge("quorum_size", "The ensemble's voters.", ({ members }) =>
    members.length > 1 ? members.length : undefined,
  ),
  gauge(
    "leader_uptime",
    "For how long the leader leads, in milliseconds.",
    ofLeader(({ leadingMs }) => leadingMs),
  ),
  gauge(
    "learners",
    "Followers that the leader hears.",
    ofLeader(({ followersAlive }) => followersAlive),
  ),
  gauge(
    "synced_followers",
    "Followers that the leader hears.",
    ofLeader(({ followersAlive }) => followersAlive),
  ),
  gauge(
    "synced_observers",
    "Observers, of which there are none.",
    ofLeader(() => 0),
  ),
  gauge("uptime", "For how long the node runs, in milliseconds.", ({ uptimeMs }) =>
    Math.floor(uptimeMs),
  ),
  gauge(
    "num_alive_connections",
    "Connections of clients, those over NATS among them.",
    ({ connections }) => connections,
  ),
  gauge("outstanding_requests", "Requests that are not answered yet.", (each) => each.outstanding),
  gauge("min_latency", "The shortest time of a request, in milliseconds.", (each) => {
    return each.latencyMs.min;
  }),
  gauge("avg_latency", "The mean time of a request, in milliseconds.", (each) => {
    return each.latencyMs.average;
  }),
  gauge("max_latency", "The longest time of a request, in milliseconds.", (each) => {
    return each.latencyMs.max;
  }),
  gauge("packets_received", "Packets of clients.", ({ received }) => received),
  gauge("packets_sent", "Packets to clients.", ({ sent }) => sent),
  gauge("global_sessions", "Sessions of the ensemble.", ({ sessions }) => sessions),
  gauge("local_sessions", "Sessions of this node alone, of which there are none.", () => 0),
  gauge("znode_count", "Znodes of the tree.", ({ znodes }) => znodes),
  gauge("ephemerals_count", "Ephemeral znodes.", ({ ephemerals }) => ephemerals),
  gauge("watch_count", "Watches of this node's clients.", ({ watches }) => watches),
  gauge(
    "approximate_data_size",
    "The lengths of all paths and values, in bytes.",
    ({ dataBytes }) => dataBytes,
  ),
  gauge("open_file_descriptor_count", "Files that the process has open.", (each) => each.openFiles),
  gauge(
    "max_file_descriptor_count",
    "Files that the process may have open.",
    (each) => each.openFilesMax,
  ),
  counter(
    "connection_rejected",
    "Clients that were turned away before they had a connection.",
    (each) => {
      return each.refused;
    },
  ),
];
