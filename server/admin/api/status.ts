/** How every member of the ensemble is, as each says itself by `mntr`. */
import { answerOf } from "../../../actors/admin/four-letter-words.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { memberOf } from "../answers.ts";
import { type AllNodes, answersOf } from "./all-nodes.ts";

const WORD = "mntr";

export async function statuses(nodes: AllNodes): Promise<object> {
  const { config } = nodes;
  const states = await answersOf(nodes, {
    ...{ word: WORD, gather: "stat", read: stateIn },
    own: ({ metrics }) => stateIn(answerOf(WORD, metrics)),
  });
  const members = config.members.map((id) => {
    const { host = null, client = null } = memberOf(config, id) ?? {};
    return { id, host, client, isThis: id === config.id, state: states.get(id) ?? null };
  });
  return { ensemble: config.ensemble, node: config.id, nodes: members };
}

/** The fields that an answer to `mntr` has, under names of our own. Null: it has none of that name. `serves` is false while the node knows no leader. */
export function stateIn(text: string): object {
  const values = new Map(
    text.split("\n").map((line): [string, string] => {
      const [name = "", value = ""] = line.split("\t", 2);
      return [name.replace(/^zk_/, ""), value];
    }),
  );
  const number = (name: string): number | null => {
    const value = values.get(name) ?? "";
    return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : null;
  };
  const zxid = number("zooid_applied_zxid");
  return {
    serves: values.has("server_state"),
    role: values.get("server_state") ?? null,
    version: values.get("version") ?? null,
    epoch: number("zooid_epoch"),
    zxid: zxid === null ? null : formatZxid(zxid as Zxid),
    connections: number("num_alive_connections"),
    sessions: number("zooid_sessions"),
    watches: number("watch_count"),
    outstanding: number("outstanding_requests"),
    latencyMs: {
      min: number("min_latency"),
      average: number("avg_latency"),
      max: number("max_latency"),
    },
    received: number("packets_received"),
    znodes: number("znode_count"),
    ephemerals: number("ephemerals_count"),
    dataBytes: number("approximate_data_size"),
    treeBytes: number("zooid_tree_bytes"),
    treeBytesMax: number("zooid_tree_bytes_max"),
    dataFolderBytes: number("zooid_data_folder_bytes"),
    logFolderBytes: number("zooid_log_folder_bytes"),
    fsync: {
      count: number("cnt_fsynctime"),
      averageMs: number("avg_fsynctime"),
      p99Us: number("zooid_fsync_p99_us"),
      maxMs: number("max_fsynctime"),
    },
    openFiles: number("open_file_descriptor_count"),
    openFilesMax: number("max_file_descriptor_count"),
    uptimeMs: number("uptime"),
    writesRefused: number("zooid_writes_refused") === 1,
    growthRefused: number("zooid_growth_refused") === 1,
  };
}
