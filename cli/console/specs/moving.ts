/** The command that moves an ensemble's znodes and clients to another one. */
import { CONNECTION_FLAGS } from "../connection.ts";
import { isPositive, type Rule, type Spec } from "../spec.ts";
import { JSON_FLAG } from "./shared.ts";

const isAddresses: Rule = (text) =>
  text.split(",").every((each) => /^.+:\d{1,5}$/.test(each.trim()))
    ? undefined
    : "it is host:port, several with commas between them";

/** Those of a connection, but for the ensemble, which the operands name. */
const BOTH_FLAGS = CONNECTION_FLAGS.filter(({ name }) => name !== "server");

export const MIGRATE: Spec = {
  name: "migrate",
  summary: "move what an ensemble holds, and its clients, to another one while both serve",
  details: `Either side is Apache ZooKeeper or zooid, over zk:// or nats://. It copies the tree, follows the source's changes, and says when both are
equal. With --listen clients connect through it; when "switch" is typed, or at SIGUSR2, they wait for less than a second while the target gets the last changes, and
then find themselves at the target, with new sessions. Without --listen you stop the clients and type "end", which compares both. Data, lists, versions, containers, TTLs,
quotas and the numbers of sequential znodes come along; ephemerals are made again by their clients. Run again it writes what differs. The flags of a connection are for both
sides, those with to- for the target alone. The exit code is 1 if something differs in the end, 5 if a rehearsal finds znodes that it cannot read.`,
  operands: [
    {
      name: "from",
      summary: "the URL of the source: zk://host:port,…/chroot, nats://host:port, @FILE",
      completes: "nothing",
    },
    { name: "to", summary: "the URL of the target", completes: "nothing" },
  ],
  flags: [
    {
      name: "dry-run",
      summary: "write nothing: count what there is, and say what differs and what is in the way",
      excludes: ["verify", "listen", "once"],
    },
    {
      name: "verify",
      summary: "write nothing: compare both sides, and name each difference",
      excludes: ["listen", "once"],
    },
    { name: "once", summary: "end when both are equal" },
    {
      name: "into-used",
      summary: "go on though the target has znodes that the source has not, and leave them",
    },
    { name: "delete", summary: "go on, and delete what the source has not" },
    {
      name: "listen",
      placeholder: "HOST:PORT",
      summary: "take clients there, and pass them on to the source, after the switch to the target",
      rule: isAddresses,
    },
    {
      name: "from-servers",
      placeholder: "ADDRESSES",
      summary:
        "where clients of the source connect: host:port, several with commas (default: those of a zk:// URL)",
      rule: isAddresses,
    },
    {
      name: "to-servers",
      placeholder: "ADDRESSES",
      summary: "the same of the target",
      rule: isAddresses,
    },
    { name: "switch-when-equal", summary: "do not wait for the word" },
    {
      name: "pause-ms",
      placeholder: "N",
      summary:
        "give the switch up, and go on at the source, if clients would wait for longer (default 1000)",
      rule: isPositive,
    },
    {
      name: "lifetimes-from",
      placeholder: "DIR",
      summary:
        "the dataDir of a server of the source, which says which znodes are containers and have TTLs; ZooKeeper's protocol does not",
      completes: "file",
    },
    {
      name: "lifetimes-log-dir",
      placeholder: "DIR",
      summary: "its dataLogDir, if there is one",
      completes: "file",
    },
    JSON_FLAG,
    { name: "to-ensemble", placeholder: "NAME", summary: "as --ensemble, for the target alone" },
    {
      name: "to-auth",
      placeholder: "USER:PASSWORD",
      summary: "as --auth, for the target alone",
      repeats: true,
    },
    { name: "to-sasl", placeholder: "USER:PASSWORD", summary: "as --sasl, for the target alone" },
    ...BOTH_FLAGS,
  ],
  examples: [
    {
      command: "zooid migrate zk://zk1:2181,zk2:2181 nats://nats1:4222 --dry-run",
      does: "a rehearsal",
    },
    {
      command: "zooid migrate zk://zk1:2181 zk://zooid1:2181 --listen 0.0.0.0:2191",
      does: "clients that come to port 2191 are switched",
    },
    { command: "zooid migrate zk://zk1:2181 zk://zooid1:2181 --verify", does: "are both equal?" },
  ],
  connects: false,
  endingMs: 5_000,
  load: () => import("../commands/migrate.ts"),
};
