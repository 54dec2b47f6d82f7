/** The JSON API for a dashboard: what there is to ask for. The documentation is made of this table. */
import {
  API_SESSIONS_MAX,
  REMOVE_RECURSIVE_MAX,
  SESSION_EPHEMERALS_PAGE,
  API_SUMMARY_MS_MAX,
  API_SUMMARY_MS_MIN,
} from "../../../protocol/limits.ts";
import { SUBTREE_ZNODES_MAX } from "../../history/limits.ts";
import type { AskedPast } from "./history.ts";
import type { Write } from "./writes.ts";

/** Whoever asks for one has proved who he is, or asks from the node's own machine. */
export type Endpoint = {
  readonly name:
    | "access"
    | "ensemble"
    | "nodes"
    | "status"
    | "elections"
    | "latencies"
    | "slow-requests"
    | "sessions"
    | "session"
    | "session-ephemerals"
    | "znode-watchers"
    | "znode"
    | "children"
    | "count"
    | "changes"
    | AskedPast
    | Write;
  readonly method: "GET" | "POST";
  /** Parameters of the query of a GET. */
  readonly query: readonly string[];
  /** For the documentation. */
  readonly summary: string;
};

export const API_PATH = "/api/v1";

export const ENDPOINTS: readonly Endpoint[] = [
  {
    name: "access",
    method: "GET",
    query: [],
    summary: "as whom the node takes whoever asks, and whether he may write",
  },
  {
    name: "ensemble",
    method: "GET",
    query: [],
    summary:
      "the ensemble's name, its leader and epoch, and how large the tree is, as this node knows them",
  },
  {
    name: "nodes",
    method: "GET",
    query: [],
    summary: "the members: their addresses, as clients are told, and who leads",
  },
  {
    name: "status",
    method: "GET",
    query: [],
    summary:
      "every member: its role, epoch, zxid, connections, latencies, syncs and sizes, as each says when it is asked. `state` is null of one that does not answer within a second, and of all others where nodes have no NATS",
  },
  {
    name: "elections",
    method: "GET",
    query: [],
    summary:
      "the last elections and handovers as every member has seen them: what its log said and when by its clock, the oldest first. `elections` is null where `state` of `status` would be",
  },
  {
    name: "latencies",
    method: "GET",
    query: [],
    summary:
      "how long requests took in the last ten minutes, at every member: `cells` of column (0: the ten seconds that are going on), kind, bucket and count; `prefixes` of the same by the first names of paths, the most frequent first, each with buckets and counts. Both are null where `state` of `status` would be, and of a node that knows no leader",
  },
  {
    name: "slow-requests",
    method: "GET",
    query: [],
    summary:
      "the last requests of every member that took `thresholdMs` or longer, the latest first, and behind them the slowest of the hour before: session, address, operation, path, memory, zxid, time, and `stages`, each from when to when after the request was taken in. `atLeader` has what became of the record at the leader, where another node served and the leader was slow. `requests` is null where `state` of `status` would be",
  },
  {
    name: "sessions",
    method: "GET",
    query: ["sort", "filter", "ids", "skip", "limit"],
    summary: `the sessions of the ensemble, \`limit\` of them (100, ${API_SESSIONS_MAX} at most) behind the first \`skip\`, by \`sort\`: \`watches\`, \`ephemerals\` or \`rate\`, the most first, \`ends\`, the soonest first, or \`session\`; with \`filter\` those that have the text in their number, address, identities, node or last operation; with \`ids\` these alone`,
  },
  {
    name: "session",
    method: "GET",
    query: ["id"],
    summary: "a session, as `sessions` has it, and what it watches: watches, or streams over NATS",
  },
  {
    name: "session-ephemerals",
    method: "GET",
    query: ["id", "after"],
    summary: `the paths of a session's ephemerals, in the order in which they were created, by pages of ${SESSION_EPHEMERALS_PAGE}. \`next\` is what \`after\` is for the next page, null at the end`,
  },
  {
    name: "znode-watchers",
    method: "GET",
    query: ["path"],
    summary:
      "who hears of a znode: each watch and stream at it, and those above it that are of all below, with node, session and address",
  },
  {
    name: "znode",
    method: "GET",
    query: ["path"],
    summary:
      "a znode: its value in Base64, and as text where it is UTF-8, its Stat and its list of access",
  },
  {
    name: "children",
    method: "GET",
    query: ["path", "after", "behind", "limit"],
    summary:
      "the children of a znode by pages of `limit` (100, 500 at most), each with its Stat. `next` is what `after` is for the next page, null at the end. `behind` is the name of a child that a page goes on from",
  },
  {
    name: "count",
    method: "GET",
    query: ["path"],
    summary: `how many znodes a recursive delete takes, the znode among them, and how many of them are ephemeral; it counts no further than ${REMOVE_RECURSIVE_MAX.toLocaleString("en")}, and \`isWhole\` says whether it has come to the end`,
  },
  {
    name: "changes",
    method: "GET",
    query: ["path", "recursive", "from", "every"],
    summary: `a stream of server-sent events: changes of the znode, with \`recursive=true\` of all below it too, after the zxid \`from\`, or from now on. With \`every\`, from ${API_SUMMARY_MS_MIN} to ${API_SUMMARY_MS_MAX} milliseconds, one summary in so long takes their place`,
  },
  {
    name: "span",
    method: "GET",
    query: [],
    summary:
      "from which zxid to which the past is known, at which zxids of it there are snapshots, and the first and the last zxid of each epoch",
  },
  {
    name: "history",
    method: "GET",
    query: ["path", "recursive", "from", "to", "order", "limit", "after"],
    summary:
      "the changes of a znode, with `recursive=true` of all below it too, `order=newest` first (or `oldest`), from one zxid to another, by pages of `limit` (100, 500 at most): when, by whom, the Stat then, and a value of up to 1 KiB",
  },
  {
    name: "znode-at",
    method: "GET",
    query: ["path", "zxid"],
    summary: "a znode as it was at a zxid, told as `znode` does",
  },
  {
    name: "children-at",
    method: "GET",
    query: ["path", "zxid", "after", "limit"],
    summary:
      "the children of a znode as they were at a zxid, in the order of their names, by pages of `limit` (100, 500 at most), each with its Stat",
  },
  {
    name: "diff",
    method: "GET",
    query: ["from", "to", "path", "after", "limit"],
    summary:
      "which znodes of a path and below it were created, changed or deleted between two zxids, in the order of their paths, with Stat and list before and after, by pages of `limit` (100, 500 at most)",
  },
  {
    name: "find",
    method: "GET",
    query: ["path", "pattern", "value", "hex", "zxid", "after", "limit"],
    summary: `the znodes at and below a path whose whole path is like \`pattern\` (\`*\`, \`?\`, and \`**\` for any names) and whose value has the text \`value\`, or the bytes \`hex\`, in the last tree that is known or the one at a zxid, by pages of \`limit\` (100, 500 at most). A page ends after a second, with what was found by then, and says how many were looked at`,
  },
  {
    name: "create",
    method: "POST",
    query: [],
    summary:
      "makes a znode, `{path, text or base64, sequential, parents}`, and tells its path and zxid",
  },
  {
    name: "set",
    method: "POST",
    query: [],
    summary:
      "sets a value, `{path, text or base64, version}`, of any version if none is given, and tells the new version and the zxid",
  },
  {
    name: "delete",
    method: "POST",
    query: [],
    summary: "deletes a znode that has no children, `{path, version}`, and tells the zxid",
  },
  {
    name: "delete-all",
    method: "POST",
    query: [],
    summary:
      "deletes a znode and all that is below it in one step, `{path, znodes}`, if these are `znodes` at most: what `count` has told",
  },
  {
    name: "bring-back",
    method: "POST",
    query: [],
    summary: `makes again what is missing of a znode and all that was below it at a zxid, \`{path, zxid, after}\`: values, lists of access and lifetimes, by pages of ${SUBTREE_ZNODES_MAX} znodes. What is there now stays as it is. It tells how many were made, and which were not, and why`,
  },
];
