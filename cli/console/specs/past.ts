/** The commands that look back. They read what a node keeps of the past, and open no session. */
import { type Flag, isPositive, isZxid, type Operand, type Rule, type Spec } from "../spec.ts";
import { FIND_VALUE_BYTES_MAX } from "../../../server/history/limits.ts";
import { JSON_FLAG, PATH } from "./shared.ts";

const WHERE_FLAGS: readonly Flag[] = [
  {
    name: "data-dir",
    placeholder: "DIR",
    summary: "read the data folder of a node on this machine, which may run",
    completes: "file",
    excludes: ["admin"],
  },
  {
    name: "server",
    placeholder: "HOST:PORT",
    summary:
      "with --data-dir: the client port of its node, to ask what is committed (default 127.0.0.1:2181)",
  },
  {
    name: "admin",
    placeholder: "URL",
    summary: "ask the admin server of a node, such as http://127.0.0.1:8080",
  },
  {
    name: "token-file",
    placeholder: "FILE",
    summary: "with --admin: the token that it asks for",
    completes: "file",
  },
];

const WHERE =
  "With --admin, what is shown is the past of znodes that everybody might read then and may read now; with --data-dir, of all.";

export const HISTORY: Spec = {
  name: "history",
  summary: "list the changes of a znode: when, by whom, and what it was then",
  details: `The newest come first. What was refused is no change. A value of up to 1 KiB is shown; zooid at shows a larger one. What is known of who did it:
the session, the address from which it was attached, what its client had proved, and the node that took it. ${WHERE}`,
  operands: [PATH],
  flags: [
    { short: "R", name: "recursive", summary: "also of all that is or was below it" },
    {
      name: "from",
      placeholder: "ZXID",
      summary: "from this zxid on (default: all that is kept)",
      rule: isZxid,
    },
    { name: "to", placeholder: "ZXID", summary: "up to this zxid (default: now)", rule: isZxid },
    {
      name: "limit",
      placeholder: "N",
      summary: "so many changes at most (default 100)",
      rule: isPositive,
    },
    { name: "oldest", summary: "the oldest first" },
    ...WHERE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    {
      command: "zooid history -R /app --data-dir /var/lib/zooid",
      does: "what has become of /app and all below it",
    },
    { command: "zooid history /config --admin http://db1:8080 --limit 1", does: "its last change" },
  ],
  connects: false,
  load: () => import("../commands/history.ts"),
};

const ZXID: Operand = {
  name: "zxid",
  summary: "after which transaction, such as 0x100000005",
  completes: "nothing",
};

export const AT: Spec = {
  name: "at",
  summary: "show a znode as it was at a zxid",
  details: `The tree is the one after the last write up to that zxid. For what was there before a wrong write, give the zxid before its own: history tells it.
get prints the value byte for byte, as zooid get does. ${WHERE}`,
  operands: [
    ZXID,
    { name: "command", summary: "ls, get or stat", completes: "nothing" },
    { ...PATH, summary: "the znode (default /)", optional: true },
  ],
  flags: [...WHERE_FLAGS, JSON_FLAG],
  examples: [
    {
      command: "zooid at 0x100000005 get /app/db --data-dir /var/lib/zooid > db",
      does: "the value that it had",
    },
    { command: "zooid at 0x100000005 ls /app --admin http://db1:8080", does: "its children then" },
  ],
  connects: false,
  load: () => import("../commands/at.ts"),
};

export const DIFF: Spec = {
  name: "diff",
  summary: "list what was created, changed and deleted between two zxids",
  details: `The znodes come in the order of their paths. One that was made and deleted between the two is not among them, and one whose children alone are
others neither.`,
  operands: [
    { ...ZXID, name: "from", summary: "the earlier zxid, such as 0x100000005" },
    { ...ZXID, name: "to", summary: "the later zxid" },
    { ...PATH, summary: "of this znode and all below it (default /)", optional: true },
  ],
  flags: [...WHERE_FLAGS, JSON_FLAG],
  examples: [
    {
      command: "zooid diff 0x100000005 0x100000009 /app --data-dir /var/lib/zooid",
      does: "what four transactions have done to /app",
    },
  ],
  connects: false,
  load: () => import("../commands/diff.ts"),
};

const hasLength: Rule = (text) =>
  text.length > 0 && Buffer.byteLength(text) <= FIND_VALUE_BYTES_MAX
    ? undefined
    : `it has 1 to ${FIND_VALUE_BYTES_MAX} bytes`;

const isHex: Rule = (text) =>
  /^(?:[0-9a-f]{2})+$/i.test(text) && text.length <= 2 * FIND_VALUE_BYTES_MAX
    ? undefined
    : `it is two hexadecimal digits for each of 1 to ${FIND_VALUE_BYTES_MAX} bytes`;

export const FIND: Spec = {
  name: "find",
  summary: "find znodes by the pattern of their path, or by what their value has",
  details: `It looks through the last tree that is known, beside the node, so that no client waits for it. In a pattern * is for any characters of a name, ? for
one, and ** for any names, none too; a backslash before one of them takes it as it is. ${WHERE}`,
  operands: [{ ...PATH, summary: "this znode and all below it (default /)", optional: true }],
  flags: [
    {
      name: "pattern",
      placeholder: "GLOB",
      summary: "what the whole path is like, such as '/shop/**/limits'",
    },
    { name: "value", placeholder: "TEXT", summary: "what the value has", rule: hasLength },
    {
      name: "hex",
      placeholder: "DIGITS",
      summary: "what bytes the value has",
      rule: isHex,
      excludes: ["value"],
    },
    {
      name: "at",
      placeholder: "ZXID",
      summary: "in the tree as it was at this zxid (default: now)",
      rule: isZxid,
    },
    ...WHERE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    {
      command: "zooid find --pattern '/shop/**/limits' --admin http://db1:8080",
      does: "all limits of the shop",
    },
    {
      command: "zooid find /config --value db7.example --data-dir /var/lib/zooid",
      does: "who still names that host",
    },
  ],
  connects: false,
  load: () => import("../commands/find.ts"),
};
