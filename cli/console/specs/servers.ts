/** The commands that look at all servers: how they are, whose sessions they have, what is asked of them, and what they can do. */
import { isCount, isPositive, type Rule, type Spec, wholeUpTo } from "../spec.ts";
import { BENCH_LIMITS, WORK_NAMES } from "../bench/limits.ts";
import { JSON_FLAG } from "./shared.ts";

const isWorks: Rule = (text) =>
  text.split(",").every((name) => WORK_NAMES.includes(name))
    ? undefined
    : `they are ${WORK_NAMES.join(", ")}, with commas between them`;

export const STATUS: Spec = {
  name: "status",
  summary: "show all servers of the ensemble at a glance, from any one of them",
  details: `Over nats:// each node says which nodes there are. Over zk:// that is read from /zookeeper/config, where the servers have server.N lines
with an address for clients; otherwise, and with zks://, those are asked that the URL names. Each is asked the four-letter word srvr, which says how it is without a leader, too. The
exit code is 0 if all serve and one of them leads, 6 if none serves, otherwise 1. With --named it is 0 if those that --server names serve.`,
  operands: [],
  flags: [
    {
      name: "named",
      summary: "ask those only that a zk:// URL names, as a health check of one server does",
    },
    JSON_FLAG,
  ],
  examples: [{ command: "zooid status --server zk://zk1:2181", does: "all of its ensemble" }],
  connects: true,
  load: () => import("../commands/status.ts"),
};

export const SESSIONS: Spec = {
  name: "sessions",
  summary: "list the sessions of the whole ensemble, from any one of its servers",
  details: `For each session it tells the server to which its client is connected, the client's address, the timeout, how many ephemeral znodes and
watches it has (over nats:// change streams), what came from it, and what it was answered last. - stands for what no server tells: a session whose client is not
connected has no server. The servers are those that status shows. zooid is asked the four-letter word sess, which over zk:// has to be
allowed (--four-letter-words) and over nats:// is answered always; Apache ZooKeeper cons, dump and wchc, which have to be in its 4lw.commands.whitelist: without dump no
ephemerals are known, without wchc no watches. What is not told is named on standard error, and the exit code is 1, or 6 if no server serves.`,
  operands: [],
  flags: [JSON_FLAG],
  examples: [
    { command: "zooid sessions", does: "a table" },
    {
      command: "zooid sessions --json | jq 'select(.ephemerals > 0)'",
      does: "those that hold something",
    },
  ],
  connects: true,
  load: () => import("../commands/sessions.ts"),
};

export const TOP: Spec = {
  name: "top",
  summary: "show what is asked of the servers, live: rates, latencies, busiest paths and sessions",
  details: `On a terminal it is drawn again every two seconds, until q or Ctrl-C; elsewhere each time is printed below the one before. Rates and latencies are those of
the time since the last drawing. zooid counts by the four-letter word busy, which over zk:// has to be allowed (--four-letter-words) and over nats:// is answered always; it
counts while somebody asks, and where many come it looks at one in up to 64 for its path, so that rare paths are estimates. A transaction counts for its first path. Other
servers tell packets, the mean latency, and by cons, where it is allowed, the sessions; Apache ZooKeeper does not tell which paths are busy.`,
  operands: [],
  flags: [
    { name: "once", summary: "measure for one interval, print it and end" },
    {
      name: "interval",
      placeholder: "N",
      summary: "seconds from one drawing to the next, at most 60 (default 2)",
      rule: wholeUpTo(60),
    },
    {
      name: "seconds",
      placeholder: "N",
      summary: "end after so many (default: never)",
      rule: isPositive,
      excludes: ["once"],
    },
    {
      name: "rows",
      placeholder: "N",
      summary: "how many paths and sessions, at most 20 (default 10)",
      rule: wholeUpTo(20),
    },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid top", does: "until q" },
    { command: "zooid top --once --json | jq '.paths[0]'", does: "the busiest path, for a script" },
  ],
  connects: true,
  load: () => import("../commands/top.ts"),
};

export const DASHBOARD: Spec = {
  name: "dashboard",
  summary: "serve the dashboard on this machine, for any ensemble, Apache ZooKeeper's too",
  details: `Nodes of zooid serve it themselves (--admin-port), with more than this one has: it reads and writes as any client does, as whom --auth and --sasl
say, so it shows how the servers are, the tree and each znode, live, and changes them with --writes. It listens on 127.0.0.1 alone; with --token-file the page asks for the token.
Each change is written down. It goes on until Ctrl-C.`,
  operands: [],
  flags: [
    {
      name: "port",
      placeholder: "N",
      summary: "the port, 0 for a free one (default 8090)",
      rule: isCount,
    },
    {
      name: "token-file",
      placeholder: "FILE",
      summary:
        "the page asks for the token in it, 16 characters or more (default: it asks for none)",
      completes: "file",
    },
    { name: "writes", summary: "who shows the token may change znodes (default: nobody may)" },
    {
      name: "audit-file",
      placeholder: "FILE",
      summary: "where each change is written down, as JSON lines (default: standard error)",
      completes: "file",
    },
  ],
  examples: [
    {
      command: "zooid dashboard --server zk://zk1:2181",
      does: "read only, at http://127.0.0.1:8090/",
    },
    {
      command: "zooid dashboard --writes --token-file token --audit-file audit.jsonl",
      does: "whoever has the token may change znodes",
    },
  ],
  connects: true,
  load: () => import("../commands/dashboard.ts"),
};

export const BENCH: Spec = {
  name: "bench",
  summary: "measure operations a second and latencies, briefly",
  details: `It makes a znode of its own, works below it and deletes it in the end, also after Ctrl-C. If there is such a znode already, nothing is done. get
reads and set replaces values of znodes that it has made before, create makes new ones, mixed is nine reads to one set. An operation's
latency is what its caller waits. With few in flight that is mostly the way there and back and the disks'; with many the rate
shows what the ensemble can do. The load is real: others feel it.`,
  operands: [],
  flags: [
    {
      name: "works",
      placeholder: "LIST",
      summary: `which works, one after the other (default ${WORK_NAMES.join(",")})`,
      rule: isWorks,
    },
    {
      name: "seconds",
      placeholder: "N",
      summary: `how long each work takes, at most ${BENCH_LIMITS.seconds} (default 3)`,
      rule: wholeUpTo(BENCH_LIMITS.seconds),
    },
    {
      name: "connections",
      placeholder: "N",
      summary: `sessions of their own, at most ${BENCH_LIMITS.connections} (default 1)`,
      rule: wholeUpTo(BENCH_LIMITS.connections),
    },
    {
      name: "outstanding",
      placeholder: "N",
      summary: `operations in flight on each connection, at most ${BENCH_LIMITS.outstanding} (default 64)`,
      rule: wholeUpTo(BENCH_LIMITS.outstanding),
    },
    {
      name: "value-bytes",
      placeholder: "N",
      summary: `bytes of each value, at most ${BENCH_LIMITS.valueBytes} (default 100)`,
      rule: wholeUpTo(BENCH_LIMITS.valueBytes),
    },
    {
      name: "path",
      placeholder: "PATH",
      summary: "the znode that it makes and deletes (default /zooid-bench)",
      completes: "path",
    },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid bench", does: "all works, three seconds each" },
    {
      command: "zooid bench --works set --outstanding 1",
      does: "how long one write takes that nothing waits behind",
    },
    {
      command: "zooid bench --connections 30 --json --server zk://zk1:2181",
      does: "one object for each work, for a program",
    },
  ],
  connects: true,
  endingMs: BENCH_LIMITS.endingMs,
  load: () => import("../commands/bench.ts"),
};
