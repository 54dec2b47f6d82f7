/** `zooid ensemble`: several nodes on this machine, for a first look, for development and for tests. */
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { KEYS } from "../../server/config/keys.ts";
import { loadConfig } from "../../server/config/load.ts";
import { type Problem, problemsText } from "../../server/config/node-config.ts";
import { natsUrls } from "../../server/config/values.ts";
import { makeDataFolder } from "../../server/data-folder.ts";
import { placementOf } from "../../server/threads/choice.ts";
import { type Command, EXIT_FAILED, EXIT_MISUSED } from "../command.ts";
import type { Flag } from "../flags.ts";
import { LOG_FORMAT_FLAG, LOG_LEVEL_FLAG, logProblems } from "../log-flags.ts";
import type { NodePlan } from "./node.ts";
import { busyPorts } from "./ports.ts";

const HOST = "127.0.0.1";
const NODES_MAX = 9;
const NODES_DEFAULT = "3";
const CLIENT_PORT_DEFAULT = "2181";
const DATA_DIR_DEFAULT = "data";
/** What ZooKeeper's servers use among themselves. Nobody listens there; clients take no server without them, or with one port twice. */
const QUORUM_PORTS = "1:2";

const CERTS_FLAG = "nats-certs";
const CERTS_FILES = ["ca.crt", "nats.crt", "nats.key", "node.crt", "node.key"] as const;

/** Settings of `serve` that cannot be passed on: those that differ for each node, and those that the ensemble sets itself. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  "id",
  "members",
  "nats",
  "client-port",
  "client-port-address",
  "secure-client-port",
  "secure-client-port-address",
  "data-dir",
  "data-log-dir",
  "four-letter-words",
  "admin-server",
  "admin-port",
  "admin-address",
]);

const PASSED_ON: readonly Flag[] = [
  ...KEYS.filter((key) => !NOT_PASSED_ON.has(key.flag)).map(({ flag, placeholder, summary }) => {
    return { name: flag, placeholder, summary };
  }),
  LOG_LEVEL_FLAG,
  LOG_FORMAT_FLAG,
];

const FLAGS: readonly Flag[] = [
  {
    name: "nodes",
    placeholder: "N",
    summary: `how many, 1 to ${NODES_MAX} (default ${NODES_DEFAULT})`,
  },
  {
    name: "client-port",
    placeholder: "N",
    summary: `of node 1, the next one of node 2 and so on; 0: free ones (default ${CLIENT_PORT_DEFAULT})`,
  },
  {
    name: "admin-port",
    placeholder: "N",
    summary: "of the admin server of node 1, and so on; 0: free ones (default: there are none)",
  },
  {
    name: "data-dir",
    placeholder: "FOLDER",
    summary: "node N keeps its data in FOLDER/N (default ./data)",
  },
  {
    name: "nats",
    placeholder: "URL,…",
    summary: "NATS servers that run already (default: one of its own)",
  },
  {
    name: CERTS_FLAG,
    placeholder: "FOLDER",
    summary:
      "its own nats-server speaks TLS, with what zooid certs has made (default: it does not)",
  },
  {
    name: "in-process",
    placeholder: undefined,
    summary: "all nodes in this process, over memory, no NATS",
  },
  {
    name: "verbose",
    placeholder: undefined,
    summary: "the nodes' logs to standard error (default: to FOLDER/node-N.log)",
  },
  ...PASSED_ON,
];

/** What is wrong with the folder of certificates, if one is given. */
function certsProblems(flags: ReadonlyMap<string, string>): readonly Problem[] {
  const value = flags.get(CERTS_FLAG);
  if (value === undefined) return [];
  const of = { field: CERTS_FLAG, value, source: `--${CERTS_FLAG}` };
  const problems: Problem[] = [];
  const missing = CERTS_FILES.filter((file) => !existsSync(join(value, file)));
  if (missing.length > 0) {
    const hint = `make them: zooid certs ${value}`;
    problems.push({ ...of, rule: `must have ${missing.join(", ")}`, hint });
  }
  if (flags.has("nats") || flags.has("in-process")) {
    const rule = "is for the ensemble's own nats-server, which there is none of";
    problems.push({ ...of, rule, hint: "leave it out, or --nats and --in-process" });
  }
  return problems;
}

function count(flags: ReadonlyMap<string, string>): number | Problem {
  const value = flags.get("nodes") ?? NODES_DEFAULT;
  const nodes = Number(value);
  if (/^\d+$/.test(value) && nodes >= 1 && nodes <= NODES_MAX) return nodes;
  const rule = `must be a whole number from 1 to ${NODES_MAX}`;
  const hint = "an odd number makes the most of a majority";
  return { field: "nodes", value, source: "--nodes", rule, hint };
}

/** What clients read at `/zookeeper/config`. Ports that are not known before the nodes have started cannot be told. */
function serversOf(ids: readonly number[], firstPort: number): string {
  const lines = ids.map((id) => `${id}=${HOST}:${QUORUM_PORTS};${HOST}:${firstPort + id - 1}`);
  return lines.join(",");
}

/** A port that is no number is passed on as it is, and the configuration's check reports it. */
function isCounted(port: string): boolean {
  return /^\d+$/.test(port) && port !== "0";
}

function portOf(firstPort: string, id: number): string {
  return isCounted(firstPort) ? `${Number(firstPort) + id - 1}` : firstPort;
}

function planOf(flags: ReadonlyMap<string, string>, id: number, nodes: number): NodePlan {
  const firstPort = flags.get("client-port") ?? CLIENT_PORT_DEFAULT;
  const dataDir = flags.get("data-dir") ?? DATA_DIR_DEFAULT;
  const own = new Map<string, string>();
  for (const { name } of PASSED_ON) {
    const value = flags.get(name);
    if (value !== undefined) own.set(name, value);
  }
  const ids = Array.from({ length: nodes }, (_, index) => index + 1);
  own.set("id", `${id}`).set("members", ids.join(","));
  if (isCounted(firstPort) && !own.has("servers")) {
    own.set("servers", serversOf(ids, Number(firstPort)));
  }
  own.set("client-port", portOf(firstPort, id));
  const adminPort = flags.get("admin-port");
  if (adminPort !== undefined) own.set("admin-port", portOf(adminPort, id));
  own.set("client-port-address", HOST).set("data-dir", join(dataDir, `${id}`));
  // The nodes share the cores of this machine, which each of them alone would count as its own.
  if ((own.get("lanes") ?? "auto") === "auto") {
    const laneHeapBytes = Number(own.get("lane-heap-bytes") ?? 0);
    const surroundings = {
      cores: availableParallelism() / nodes,
      ownsProcess: !flags.has("in-process"),
    };
    const { threads, lanes } = placementOf({ lanes: "auto", laneHeapBytes }, surroundings);
    own.set("lanes", threads === "one" ? "0" : `${lanes}`);
  }
  const logFile = flags.has("verbose") ? undefined : join(dataDir, `node-${id}.log`);
  return { id, flags: own, variables: {}, logFile };
}

/** Returns the problems of all nodes, each problem of a shared setting only once. */
function problemsOf(plans: readonly NodePlan[], natsUrl: string | undefined): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const plan of plans) {
    const flags = natsUrl === undefined ? plan.flags : new Map([...plan.flags, ["nats", natsUrl]]);
    const validation = loadConfig({ transport: "memory", flags });
    if (validation.kind === "valid") continue;
    for (const problem of validation.problems) {
      if (!found.has(problem.field)) found.set(problem.field, problem);
    }
  }
  return [...found.values()];
}

async function run(flags: ReadonlyMap<string, string>): Promise<number> {
  const nodes = count(flags);
  const known = typeof nodes === "number" ? [] : [nodes];
  const number = typeof nodes === "number" ? nodes : 1;
  const plans = Array.from({ length: number }, (_, index) => planOf(flags, index + 1, number));
  const problems = [...known, ...certsProblems(flags), ...problemsOf(plans, flags.get("nats"))];
  const wrong = logProblems(flags);
  for (const problem of wrong) console.error(`zooid ensemble: ${problem}`);
  if (wrong.length > 0) return EXIT_MISUSED;
  if (problems.length > 0) {
    console.error(`zooid ensemble: ${problemsText(problems)}`);
    return EXIT_MISUSED;
  }
  for (const flag of ["client-port", "admin-port"]) {
    const ports = new Map(plans.map((plan) => [plan.id, Number(plan.flags.get(flag) ?? 0)]));
    const busy = await busyPorts(HOST, ports);
    if (busy.length === 0) continue;
    console.error(`zooid ensemble: ${busy.join("\n  ")}\n  choose others with --${flag} N`);
    return EXIT_FAILED;
  }
  makeDataFolder(flags.get("data-dir") ?? DATA_DIR_DEFAULT);
  const { runEnsemble } = await import("./run.ts");
  const certs = flags.get(CERTS_FLAG);
  const given = natsUrls(flags.get("nats") ?? "");
  return runEnsemble({
    nodes: plans,
    inProcess: flags.has("in-process"),
    natsUrls: given.kind === "read" ? given.value : undefined,
    certs: certs === undefined ? undefined : resolve(certs),
    folder: flags.get("data-dir") ?? DATA_DIR_DEFAULT,
    entry: entryFile(),
  });
}

/** Returns the file of the program: `.ts` in a checkout, `.js` when built, like this file. */
function entryFile(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../zooid.${extension}`, import.meta.url));
}

export const ensemble: Command = {
  description: `Runs several nodes on this machine, each a process of its own, and a nats-server for them.

  zooid ensemble
  zooid ensemble --nodes 5 --client-port 3181 --data-dir /tmp/zooid
  zooid ensemble --in-process

A node that exits is not started again, unless zooid restart has asked for it; the command that does so is printed. When all have exited, the
nats-server stays for nodes that were started so, until none of them has answered for a minute.
Ctrl-C or SIGTERM stops all of them; the next start goes on with the same data.`,
  flags: FLAGS,
  run,
};
