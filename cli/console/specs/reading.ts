/** The commands that read. */
import { isPositive, isZxid, type Spec } from "../spec.ts";
import { JSON_FLAG, PATH, STAT_FLAG } from "./shared.ts";

const ROOT_DEFAULT = { ...PATH, summary: "the znode (default /)", optional: true } as const;

export const LS: Spec = {
  name: "ls",
  summary: "list the children of a znode, or all that is below it",
  details: `Names come in order. A znode that the access control lists hide is named on standard error, and the exit code is 5.
With --recursive and --tree each znode is read at a moment of its own: what others change meanwhile may be seen or not.`,
  operands: [ROOT_DEFAULT],
  flags: [
    {
      short: "R",
      name: "recursive",
      summary: "the paths of the znode and of all below it",
      excludes: ["tree"],
    },
    {
      name: "tree",
      summary: "the same drawn as a tree, with the number of children and of all znodes",
    },
    { short: "l", name: "long", summary: "with children, bytes, version, time and owner of each" },
    {
      short: "s",
      name: "stat",
      summary: "also the bookkeeping of the znode itself",
      excludes: ["recursive", "tree"],
    },
    {
      name: "count",
      summary: "only how many: children, or with --recursive all znodes below",
      excludes: ["tree", "long", "stat"],
    },
    {
      name: "depth",
      placeholder: "N",
      summary: "with --recursive or --tree: so many levels below the znode (default: all)",
      rule: isPositive,
    },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid ls /", does: "the names below the root" },
    { command: "zooid ls --tree --depth 2 /services", does: "two levels as a tree" },
    { command: "zooid ls -R --count /jobs", does: "how many znodes there are below /jobs" },
  ],
  connects: true,
  load: () => import("../commands/ls.ts"),
};

export const GET: Spec = {
  name: "get",
  summary: "print the value of a znode",
  details: `In a pipe or a file the value is byte for byte what the znode holds. On a terminal it ends with an end of line, and control
characters are shown as \\u001b. In JSON "encoding" is utf8, or base64 where the value is no UTF-8.`,
  operands: [PATH],
  flags: [
    STAT_FLAG,
    { name: "hex", summary: "print it in hexadecimal digits", excludes: ["base64"] },
    { name: "base64", summary: "print it in base64" },
    { name: "linearizable", summary: "with every write that was finished before: asks the leader" },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid get /config", does: "the value" },
    { command: "zooid get /config > config.bin", does: "the same bytes in a file" },
    { command: "zooid get -s --json /config", does: "value and bookkeeping, for a program" },
  ],
  connects: true,
  load: () => import("../commands/get.ts"),
};

export const STAT: Spec = {
  name: "stat",
  summary: "print the bookkeeping of a znode: zxids, times, versions, sizes",
  operands: [PATH],
  flags: [JSON_FLAG],
  examples: [{ command: "zooid stat /config", does: "in ZooKeeper's words" }],
  connects: true,
  load: () => import("../commands/stat.ts"),
};

export const WATCH: Spec = {
  name: "watch",
  summary: "follow the changes of a znode and of all below it, until Ctrl-C",
  details: `Over nats:// every change is shown, in order, across reconnects. Over zk:// several changes of a znode in quick succession may
be shown as the last one, and those of access control lists are not (docs/client/zookeeper.md). Where the ensemble no longer
keeps what comes next, a line says which changes are missing, and it goes on.`,
  operands: [ROOT_DEFAULT],
  flags: [
    { name: "only", summary: "the znode alone", excludes: ["children"] },
    { name: "children", summary: "the znode and its children, not what is below them" },
    {
      name: "from",
      placeholder: "ZXID",
      summary: "from the first change after this zxid on (default: now)",
      rule: isZxid,
    },
    { name: "count", placeholder: "N", summary: "end after so many changes", rule: isPositive },
    { name: "without-data", summary: "do not print values" },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid watch /services", does: "what changes there from now on" },
    {
      command: "zooid watch / --from 0x100000005 --json",
      does: "goes on where a program has stopped",
    },
  ],
  connects: true,
  load: () => import("../commands/watch.ts"),
};

export const EXPORT: Spec = {
  name: "export",
  summary: "write a subtree as JSON lines: values and access control lists",
  details: `A line for each znode, those above before those below; import reads them. Each znode is read at a moment of its own. /zookeeper is
left out unless it is what you name. Over nats:// it keeps which znodes are containers and which have a time to live. Over zk:// no server tells that, so they come
back as plain ones.`,
  operands: [PATH],
  flags: [
    { name: "ephemeral", summary: "also ephemeral znodes, which import leaves out" },
    { name: "without-acl", summary: "leave out access control lists" },
    {
      name: "output",
      placeholder: "FILE",
      summary: "write there (default: standard output)",
      completes: "file",
    },
  ],
  examples: [
    { command: "zooid export /services > services.jsonl", does: "all that is below /services" },
  ],
  connects: true,
  load: () => import("../commands/export.ts"),
};
