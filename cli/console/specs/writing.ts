/** The commands that write. */
import { isCount, isPositive, isVersion, type Operand, type Rule, type Spec } from "../spec.ts";
import { JSON_FLAG, PATH, STAT_FLAG, VALUE_FLAGS, VERSION_FLAG, YES_FLAG } from "./shared.ts";

const VALUE: Operand = {
  name: "value",
  summary: "the value as text; - reads standard input",
  completes: "nothing",
  optional: true,
};

const ENTRIES = "SCHEME:ID:PERMISSIONS, several with commas";

const isLimit: Rule = (text) =>
  text === "none" ? undefined : isCount(text) && "it is a whole number from 0 on, or none";

export const SET: Spec = {
  name: "set",
  summary: "replace the value of a znode",
  operands: [PATH, VALUE],
  flags: [
    VERSION_FLAG,
    ...VALUE_FLAGS,
    {
      name: "create",
      summary: "make it, with missing ancestors, where there is none",
      excludes: ["version"],
    },
    STAT_FLAG,
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid set /config green", does: "a text" },
    {
      command: "zooid set /config --file config.json -v 3",
      does: "only if nobody has changed version 3",
    },
    { command: "zooid set /config -- -5", does: "a value that begins with a dash" },
  ],
  connects: true,
  load: () => import("../commands/set.ts"),
};

export const CREATE: Spec = {
  name: "create",
  summary: "create a znode and print its path",
  details: `An ephemeral znode lasts as long as its session. So with --ephemeral the command goes on, and keeps it, until Ctrl-C; in the
shell it is kept until quit.`,
  operands: [
    { ...PATH, summary: "where; with --sequential a number is appended" },
    { ...VALUE, summary: "the value as text; - reads standard input (default: none)" },
    {
      name: "acl",
      summary: `who may do what: ${ENTRIES} (default: everybody everything)`,
      completes: "nothing",
      optional: true,
    },
  ],
  flags: [
    {
      short: "e",
      name: "ephemeral",
      summary: "deleted when the session ends",
      excludes: ["container", "ttl"],
    },
    { short: "s", name: "sequential", summary: "ten digits are appended, larger each time" },
    {
      short: "c",
      name: "container",
      summary: "deleted some time after its last child is gone",
      excludes: ["ttl"],
    },
    {
      short: "t",
      name: "ttl",
      placeholder: "MS",
      summary: "deleted when its value was not set for so many milliseconds and it has no children",
      rule: isPositive,
    },
    { short: "p", name: "parents", summary: "make missing ancestors" },
    { name: "acl", placeholder: "ACL", summary: `as the operand: ${ENTRIES}` },
    ...VALUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid create /jobs", does: "a znode without a value" },
    { command: "zooid create -s /jobs/job- 'run me'", does: "prints /jobs/job-0000000000" },
    { command: "zooid create -p -t 60000 /cache/a x", does: "gone a minute after it was last set" },
    { command: "zooid create /secret x digest:bob:HASH:cdrwa", does: "bob's alone" },
  ],
  connects: true,
  load: () => import("../commands/create.ts"),
};

export const DELETE: Spec = {
  name: "delete",
  summary: "delete a znode that has no children",
  operands: [PATH],
  flags: [VERSION_FLAG, JSON_FLAG],
  examples: [{ command: "zooid delete /jobs/job-0000000000", does: "" }],
  connects: true,
  load: () => import("../commands/delete.ts"),
};

export const DELETE_ALL: Spec = {
  name: "deleteall",
  summary: "delete a znode with all that is below it",
  details: `It counts first, and asks on a terminal; where there is none it wants --yes. Over nats:// up to 10,000 znodes are deleted as one
step; otherwise they are deleted from below, some at a time.`,
  operands: [PATH],
  flags: [YES_FLAG, { name: "dry-run", summary: "only count" }, JSON_FLAG],
  examples: [{ command: "zooid deleteall /jobs", does: "" }],
  connects: true,
  load: () => import("../commands/delete-all.ts"),
};

export const ACL: Spec = {
  name: "acl",
  summary: "print or replace the access control list of a znode",
  details: `An entry is SCHEME:ID:PERMISSIONS, such as world:anyone:r, digest:bob:HASH:cdrwa or ip:10.0.0.0/8:rw. auth::cdrwa stands for all
that --auth has proved. Permissions: c create, d delete, r read, w write, a admin.`,
  operands: [
    PATH,
    {
      name: "entries",
      summary: "the new list: entries, with commas or blanks between them",
      completes: "nothing",
      optional: true,
      variadic: true,
    },
  ],
  flags: [
    { short: "R", name: "recursive", summary: "also of all that is below it" },
    {
      ...VERSION_FLAG,
      summary: "only if the list still has this version, aversion of stat",
      rule: isVersion,
      excludes: ["recursive"],
    },
    STAT_FLAG,
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid acl /secret", does: "prints the list" },
    {
      command: "zooid acl /secret auth::cdrwa world:anyone:r --auth bob:pw",
      does: "bob everything, others read",
    },
  ],
  connects: true,
  load: () => import("../commands/acl.ts"),
};

export const QUOTA: Spec = {
  name: "quota",
  summary: "print, set or remove the limits of a subtree",
  details: `Without a flag it prints what may be there and what is. A limit that is not named stays; none removes it, and the quota
with the last one. Beyond a soft limit it is
only logged; a hard one refuses writes where the ensemble enforces quotas (docs/operations/quotas.md).`,
  operands: [PATH],
  flags: [
    {
      short: "n",
      name: "znodes",
      placeholder: "N",
      summary: "soft limit of znodes, the one at the path included; or none",
      rule: isLimit,
    },
    {
      short: "b",
      name: "bytes",
      placeholder: "N",
      summary: "soft limit of bytes of data; or none",
      rule: isLimit,
    },
    {
      short: "N",
      name: "hard-znodes",
      placeholder: "N",
      summary: "hard limit of znodes; or none",
      rule: isLimit,
    },
    {
      short: "B",
      name: "hard-bytes",
      placeholder: "N",
      summary: "hard limit of bytes; or none",
      rule: isLimit,
    },
    {
      name: "delete",
      summary: "remove the quota",
      excludes: ["znodes", "bytes", "hard-znodes", "hard-bytes"],
    },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid quota /tenants/a", does: "limits and counts" },
    { command: "zooid quota /tenants/a -n 1000 -B 10000000", does: "sets two limits" },
  ],
  connects: true,
  load: () => import("../commands/quota.ts"),
};

export const IMPORT: Spec = {
  name: "import",
  summary: "create the znodes of an export",
  details: `The root of the export becomes the path; without one it keeps its own. Missing ancestors of the root are made. Ephemeral znodes are
left out, containers and times to live are made again. A znode that is replaced keeps its own end. It is no transaction: when it fails, what was created before stays, and --existing skip goes on.`,
  operands: [{ ...PATH, summary: "where (default: where it was exported)", optional: true }],
  flags: [
    {
      name: "file",
      placeholder: "FILE",
      summary: "read it from there (default: standard input)",
      completes: "file",
    },
    {
      name: "existing",
      placeholder: "WHAT",
      summary: "of a znode that is there already: fail, skip or replace (default fail)",
      rule: (text) =>
        ["fail", "skip", "replace"].includes(text) ? undefined : "it is fail, skip or replace",
    },
    { name: "without-acl", summary: "leave out access control lists: everybody may do everything" },
    { name: "dry-run", summary: "only read it, and say what would be done" },
    JSON_FLAG,
  ],
  examples: [
    { command: "zooid import < services.jsonl", does: "" },
    { command: "zooid import /copy --file services.jsonl", does: "/services/a becomes /copy/a" },
  ],
  connects: true,
  load: () => import("../commands/import.ts"),
};
