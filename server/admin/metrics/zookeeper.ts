/**
 * The metrics of ZooKeeper that there are here, under its own names: boards and alert rules that were made for its Prometheus provider read
 * them. What only ZooKeeper's own processors would measure is not among them. Sources: `registerMetrics` of ZooKeeperServer,
 * LeaderZooKeeperServer and QuorumZooKeeperServer, and ServerMetrics, of ZooKeeper 3.8.
 */
import { COUNTERS, type Metrics, SUMMARIES } from "../../../actors/admin/four-letter-words.ts";
import { counterOf, countOf, histogramOf, quantileOf } from "../../../actors/admin/measures.ts";
import type { MetricsNames } from "../../config/node-config.ts";
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

/** In milliseconds. `isBasic`: of ZooKeeper's level of detail that has the median alone. */
function summary(name: string, help: string, isBasic: boolean): Metric<Known> {
  const measure = SUMMARIES.find(([each]) => each === name)?.[1] ?? "";
  return {
    name,
    type: "summary",
    help,
    samples: ({ metrics, names }) => {
      const histogram = histogramOf(metrics.measures, measure);
      if (histogram === undefined) return undefined;
      const quantiles = (isBasic ? [0.5] : QUANTILES[names]).map((quantile) => {
        return { labels: { quantile }, value: quantileOf(histogram, quantile) };
      });
      const count = { suffix: "_count", value: countOf(histogram) };
      return [...quantiles, count, { suffix: "_sum", value: histogram.sum }];
    },
  };
}

/** ZooKeeper 3.10 has other ones. */
const QUANTILES: Readonly<Record<MetricsNames, readonly number[]>> = {
  "zookeeper-3.9": [0.5, 0.9, 0.99],
  "zookeeper-3.10": [0.5, 0.95, 0.99],
  both: [0.5, 0.9, 0.95, 0.99],
};

function counted(name: string, help: string): Metric<Known> {
  const what = COUNTERS.find(([each]) => each === name)?.[1] ?? "";
  return counter(name, help, ({ measures }) => counterOf(measures, what));
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
  gauge(
    "pending_syncs",
    "Syncs that wait at the leader: none, since they go through the log as writes do.",
    ofLeader(() => 0),
  ),
  summary("fsynctime", "Syncs of the log and the snapshots, in milliseconds.", true),
  summary(
    "quorum_ack_latency",
    "At the leader, from the publication of records until a quorum has them, in milliseconds.",
    false,
  ),
  summary("election_time", "From looking for a leader to an agreement, in milliseconds.", true),
  summary("unavailable_time", "Without a leader, in milliseconds.", true),
  counted("looking_count", "How often the node has begun to look for a leader."),
  counted("proposal_count", "Operations that the node has published as leader."),
  counted("commit_count", "Operations that the node knows to be committed, since it started."),
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
