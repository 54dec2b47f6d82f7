/** The JSON API for a dashboard: what there is to ask for. The documentation is made of this table. */
import type { Write } from "./writes.ts";

/** Whoever asks for one has proved who he is, or asks from the node's own machine. */
export type Endpoint = {
  readonly name: "ensemble" | "nodes" | "sessions" | "znode" | "children" | "changes" | Write;
  readonly method: "GET" | "POST";
  /** Parameters of the query of a GET. */
  readonly query: readonly string[];
  /** For the documentation. */
  readonly summary: string;
};

export const API_PATH = "/api/v1";

export const ENDPOINTS: readonly Endpoint[] = [
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
    name: "sessions",
    method: "GET",
    query: [],
    summary: "this node's connections of ZooKeeper's protocol, and the ephemerals of all sessions",
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
    query: ["path", "after", "limit"],
    summary:
      "the children of a znode by pages of `limit` (100, 500 at most), each with its Stat. `next` is what `after` is for the next page, null at the end",
  },
  {
    name: "changes",
    method: "GET",
    query: ["path", "recursive", "from"],
    summary:
      "a stream of server-sent events: changes of the znode, with `recursive=true` of all below it too, after the zxid `from`, or from now on",
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
];
