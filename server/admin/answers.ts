/**
 * What each command tells, in the fields of ZooKeeper's AdminServer and in its order. -1 stands for a number that is not measured, as
 * in ZooKeeper.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { counterOf as countedIn } from "../../actors/admin/measures.ts";
import type { Facts, Group } from "../../actors/admin/messages.ts";
import { isWritable, type Metrics, monitorValues } from "../../actors/admin/four-letter-words.ts";
import { snapshotName, snapshotZxid } from "../../actors/log/format/files.ts";
import { laterOf, counterOf, epochOf, formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { fileKeysOf } from "../config/key.ts";
import { KEYS } from "../config/keys.ts";
import { type NodeConfig, shownValue } from "../config/node-config.ts";
import type { ClientPorts } from "../threads/client-doors.ts";
import { JavaDouble, type Json } from "./java-json.ts";

/** What is known without asking. */
export type About = {
  readonly config: NodeConfig;
  /** Undefined before clients can connect. */
  readonly ports: ClientPorts | undefined;
};

export type Asked = {
  readonly facts: Facts;
  readonly about: About;
  readonly query: URLSearchParams;
};

export type Fields = { readonly [name: string]: Json };
export type Answer = { readonly fields: Fields; readonly error?: string };

const NOT_MEASURED = -1;
const NO_PORT = -1;
const BUFFER_STATS: Fields = {
  last_buffer_size: NOT_MEASURED,
  min_buffer_size: NOT_MEASURED,
  max_buffer_size: NOT_MEASURED,
};

export function configuration({ about: { config, ports } }: Asked): Answer {
  const { dataDir, dataLogDir = dataDir } = config;
  return {
    fields: {
      client_port: ports?.clientPort ?? config.clientPort ?? NO_PORT,
      data_dir: dataDir,
      data_log_dir: dataLogDir,
      tick_time: config.tickTimeMs,
      max_client_cnxns: config.maxClientConnections,
      min_session_timeout: config.minSessionTimeoutMs,
      max_session_timeout: config.maxSessionTimeoutMs,
      server_id: config.id,
      client_port_listen_backlog: config.clientPortBacklog,
    },
  };
}

export function connections({ facts }: Asked): Answer {
  return { fields: connectionLists(facts, (facts) => facts) };
}

/** The gateways have written each connection as JSON. */
function connectionLists({ parts }: Facts, shown: (facts: Fields) => Fields): Fields {
  const listed = (group: string): Json =>
    parts.flatMap(({ groups }) =>
      groups
        .filter(({ name }) => name === group)
        .flatMap(({ entries }) => entries.map((entry) => shown(JSON.parse(entry) as Fields))),
    );
  return { connections: listed(""), secure_connections: listed("secure") };
}

export function dirs({ facts: { metrics } }: Asked): Answer {
  const { folderBytes, logFolderBytes } = metrics;
  return { fields: { datadir_size: folderBytes, logdir_size: logFolderBytes } };
}

export function dump({ facts: { parts } }: Asked): Answer {
  const groupsOf = (from: string): readonly Group[] =>
    parts.filter((part) => part.from.startsWith(from)).flatMap(({ groups }) => groups);
  // Only a leader knows when sessions end; what the others list has no time.
  const sessions = groupsOf("sessions").filter(({ name }) => typeof name === "number");
  return {
    fields: {
      expiry_time_to_session_ids: byName(sessions, Number),
      session_id_to_ephemeral_paths: bySession(groupsOf("tree/")),
    },
  };
}

export function environment({ facts: { metrics } }: Asked): Answer {
  const fields = { "zookeeper.version": metrics.version };
  return { fields: { ...fields, ...Object.fromEntries(metrics.environment) } };
}

export function traceMask({ facts: { metrics } }: Asked): Answer {
  return { fields: { tracemask: Number(metrics.traceMask) } };
}

export function setTraceMask(asked: Asked): Answer {
  const text = asked.query.get("traceMask");
  if (maskOf(asked.query) !== undefined) return traceMask(asked);
  const got = text === null ? "" : `, got ${text}`;
  return { fields: {}, error: `setTraceMask requires long traceMask argument${got}` };
}

/** Undefined: the query has no number of 64 bits. */
export function maskOf(query: URLSearchParams): bigint | undefined {
  const text = query.get("traceMask") ?? "";
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const mask = BigInt(text);
  return BigInt.asIntN(64, mask) === mask ? mask : undefined;
}

export function hash(): Answer {
  return { fields: { digests: [] } };
}

/** The settings that are in force, as a file would have them. Those without a key of a file, such as the members, are not among them. */
export function initialConfiguration({ about: { config } }: Asked): Answer {
  const lines = KEYS.flatMap((key) => {
    const [name] = fileKeysOf(key);
    const value = config[key.field];
    if (name === undefined || value === undefined) return [];
    const text = Array.isArray(value) ? value.join(",") : String(value);
    return text === "" ? [] : [`${name}=${shownValue(key.field, text)}\n`];
  });
  return { fields: { initial_configuration: lines.join("") } };
}

export function isReadOnly({ facts: { metrics } }: Asked): Answer {
  return { fields: { read_only: reads(metrics) } };
}

/** A disk without space makes a node one that is read, as one without a leader. */
function reads(metrics: Metrics): boolean {
  return metrics.mode === "read-only" || !isWritable(metrics);
}

/** The latest of those in the data folder. */
export async function lastSnapshot({ about: { config } }: Asked): Promise<Answer> {
  const names = await readdir(config.dataDir).catch(() => []);
  const zxids = names.flatMap((name) => snapshotZxid(name) ?? []);
  if (zxids.length === 0) return { fields: { zxid: "ffffffffffffffff", timestamp: -1 } };
  const zxid = zxids.reduce(laterOf);
  const file = join(config.dataDir, snapshotName(zxid));
  const timestamp = await stat(file).then(
    ({ mtimeMs }) => Math.floor(mtimeMs / 1000),
    () => -1,
  );
  return { fields: { zxid: zxid.toString(16), timestamp } };
}

export function leader({ facts: { metrics }, about: { config } }: Asked): Answer {
  if (metrics.members.length === 1) return { fields: {}, error: "server is not initialized" };
  const { leader: id = -1, mode } = metrics;
  return {
    fields: {
      is_leader: mode === "leader",
      leader_id: id,
      // The nodes meet over NATS, and know of each other's addresses what the configuration tells clients of them.
      leader_ip: memberOf(config, id)?.["host"] ?? "",
    },
  };
}

export function monitor({ facts: { metrics } }: Asked): Answer {
  const { mode = "standalone" } = metrics;
  const values = monitorValues(metrics, mode).map(([name, value]) => [name, monitored(value)]);
  return { fields: Object.fromEntries(values) as Fields };
}

function monitored(value: string | number): Json {
  return typeof value === "string" && /^-?\d+\.\d+$/.test(value)
    ? new JavaDouble(Number(value))
    : value;
}

export function observers(): Answer {
  return { fields: { synced_observers: 0, observers: [] } };
}

export function serverStats({ facts: { metrics } }: Asked): Answer {
  const { latencyMs, mode = "standalone" } = metrics;
  return {
    fields: {
      version: metrics.version,
      read_only: reads(metrics),
      server_stats: {
        packets_sent: metrics.sent,
        packets_received: metrics.received,
        fsync_threshold_exceed_count: countedIn(metrics.measures, "slowFsyncs") ?? NOT_MEASURED,
        client_response_stats: BUFFER_STATS,
        data_dir_size: metrics.folderBytes,
        log_dir_size: metrics.logFolderBytes,
        provider_null: false,
        server_state: mode,
        last_processed_zxid: metrics.zxid,
        outstanding_requests: metrics.outstanding,
        avg_latency: new JavaDouble(Math.round(latencyMs.average * 10_000) / 10_000),
        max_latency: latencyMs.max,
        min_latency: latencyMs.min,
        num_alive_client_connections: metrics.connections,
        uptime: Math.floor(metrics.uptimeMs),
        auth_failed_count: NOT_MEASURED,
        non_mtlsremote_conn_count: NOT_MEASURED,
        non_mtlslocal_conn_count: NOT_MEASURED,
      },
      client_response: BUFFER_STATS,
      ...(mode === "leader" && { proposal_stats: BUFFER_STATS }),
      node_count: metrics.znodes,
    },
  };
}

export function stats(asked: Asked): Answer {
  const lists = connectionLists(asked.facts, (facts) =>
    Object.fromEntries(Object.entries(facts).slice(0, 5)),
  );
  return { fields: { ...serverStats(asked).fields, ...lists } };
}

/** Where ZooKeeper tells what Java is told, this tells what Node is. */
export function systemProperties(): Answer {
  const { version, versions, arch, platform, pid, title, execPath } = process;
  return {
    fields: {
      "node.version": version,
      "node.v8.version": versions.v8,
      "node.uv.version": versions.uv,
      "node.openssl.version": versions.openssl,
      "node.exec.path": execPath,
      "os.arch": arch,
      "os.name": platform,
      "process.pid": String(pid),
      "process.title": title,
    },
  };
}

export function votingView({ about: { config } }: Asked): Answer {
  if (config.members.length === 1) return { fields: { current_config: {} } };
  const view = config.members.map((id): readonly [string, Json] => {
    const member = memberOf(config, id);
    const { host, quorumPort, electionPort, client = "" } = member ?? {};
    return [
      String(id),
      {
        server_addresses: host === undefined ? [] : [`${host}:${quorumPort}`],
        election_addresses: host === undefined ? [] : [`${host}:${electionPort}`],
        client_address: client,
        learner_type: "participant",
      },
    ];
  });
  return { fields: { current_config: Object.fromEntries(view) } };
}

/** What the configuration tells clients of a member, if it does: `server.1=host:2888:3888:participant;0.0.0.0:2181`. */
export function memberOf(
  { servers }: NodeConfig,
  id: number,
): Readonly<Partial<Record<string, string>>> | undefined {
  const line = servers.find((each) => each.startsWith(`server.${id}=`));
  const form =
    /=(?<host>\[[^\]]+\]|[^:]+):(?<quorumPort>\d+):(?<electionPort>\d+)[^;]*(;(?<client>.+))?$/;
  return form.exec(line ?? "")?.groups;
}

export function watchSummary({ facts: { parts } }: Asked): Answer {
  let [connections, paths, total] = [0, 0, 0];
  for (const { watches: counts } of parts) {
    connections += counts?.connections ?? 0;
    paths += counts?.paths ?? 0;
    total += counts?.watches ?? 0;
  }
  return {
    fields: { num_connections: connections, num_paths: paths, num_total_watches: total },
  };
}

export function watches({ facts: { parts } }: Asked): Answer {
  const groups = parts.flatMap((part) => part.groups);
  return { fields: { session_id_to_watched_paths: bySession(groups) } };
}

export function watchesByPath({ facts: { parts } }: Asked): Answer {
  const groups = parts.flatMap((part) => part.groups);
  return { fields: { path_to_session_ids: byName(groups, Number) } };
}

/** Sessions are decimal numbers here, and hexadecimal ones in four-letter words. */
function bySession(groups: readonly Group[]): Fields {
  return byName(
    groups.map(({ name, entries }) => ({ name: Number(name), entries })),
    (path) => path,
  );
}

/** A path that clients of several lanes watch stands once. */
function byName(groups: readonly Group[], shown: (entry: string) => Json): Fields {
  const lists = new Map<string, Json[]>();
  for (const { name, entries } of groups) {
    const list = lists.get(String(name)) ?? [];
    list.push(...entries.map(shown));
    lists.set(String(name), list);
  }
  return Object.fromEntries(lists);
}

/** In ZooKeeper's words: a node that looks for a leader is in its election. */
const ZAB_STATES = {
  looking: "election",
  establishing: "synchronization",
  following: "broadcast",
  leading: "broadcast",
} as const;

export function zabState({ facts: { metrics }, about: { config, ports } }: Asked): Answer {
  if (metrics.members.length === 1) return { fields: { voting: false, zabstate: "" } };
  const { zxid, role, server } = metrics;
  const port = ports?.clientPort ?? config.clientPort;
  return {
    fields: {
      myid: server,
      is_leader: role === "leading",
      client_address: port === undefined ? "" : `${config.clientPortAddress}:${port}`,
      voting: true,
      last_zxid: formatZxid(zxid),
      zab_epoch: epochOf(zxid as Zxid),
      zab_counter: counterOf(zxid as Zxid),
      zabstate: ZAB_STATES[role],
    },
  };
}
