/** The JSON API for a dashboard: what there is to ask for. The documentation is made of this table. */

/** Whoever asks for one has proved who he is, or asks from the node's own machine. */
export type Endpoint = {
  readonly name: "ensemble" | "nodes" | "sessions" | "znode" | "children" | "changes";
  /** Parameters of the query. */
  readonly query: readonly string[];
  /** For the documentation. */
  readonly summary: string;
};

export const API_PATH = "/api/v1";

export const ENDPOINTS: readonly Endpoint[] = [
  {
    name: "ensemble",
    query: [],
    summary:
      "the ensemble's name, its leader and epoch, and how large the tree is, as this node knows them",
  },
  {
    name: "nodes",
    query: [],
    summary: "the members: their addresses, as clients are told, and who leads",
  },
  {
    name: "sessions",
    query: [],
    summary: "this node's connections of ZooKeeper's protocol, and the ephemerals of all sessions",
  },
  {
    name: "znode",
    query: ["path"],
    summary:
      "a znode: its value in Base64, and as text where it is UTF-8, its Stat and its list of access",
  },
  {
    name: "children",
    query: ["path", "after", "limit"],
    summary:
      "the children behind the name `after` in the order of their names, `limit` of them (100, 500 at most), each with its Stat. `next` is what `after` is for the next page, null at the end",
  },
  {
    name: "changes",
    query: ["path", "recursive", "from"],
    summary:
      "a stream of server-sent events: changes of the znode, with `recursive=true` of all below it too, after the zxid `from`, or from now on",
  },
];
