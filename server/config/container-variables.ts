/**
 * The variables of ZooKeeper's container image, `zookeeper` of Docker Hub, with what each does here. They are read as lines of a `zoo.cfg`, so
 * that a value means what it means there, and is checked as it is there. Source: docker-entrypoint.sh and Dockerfile of 3.9.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "./nearest.ts";
import type { NodeConfig, Setting, Settings } from "./node-config.ts";

export type ContainerVariable = {
  readonly name: string;
  /** For the table in docs/operations/container.md. */
  readonly effect: string;
} & (
  | { readonly kind: "line"; readonly key: string }
  /** Several lines, with white space between them. */
  | { readonly kind: "lines" }
  | { readonly kind: "java" }
  /** Where there is no line for it, and in a `zoo.cfg` of the user's own no setting. */
  | { readonly kind: "setting"; readonly field: keyof NodeConfig }
  | { readonly kind: "folder" }
  /** The key is whose line of the table in docs/operations/zookeeper-keys.md says why. */
  | { readonly kind: "idle" }
);

function line(name: string, key: string, effect = `the line \`${key}\``): ContainerVariable {
  return { kind: "line", name, key, effect };
}

const JAVA =
  "`-Dzookeeper.KEY=VALUE` is a line `KEY=VALUE`, `-Djava.security.auth.login.config=FILE` too; all else is about Java, and ignored";

export const CONTAINER_VARIABLES: readonly ContainerVariable[] = [
  {
    ...{ kind: "setting", name: "ZOO_MY_ID", field: "id" },
    effect:
      "the node's number, unless the data folder has a file `myid`. Default 1. `myid` is not written: the data folder knows its number",
  },
  {
    ...{ kind: "lines", name: "ZOO_SERVERS" },
    effect:
      "the members, `server.N=host:2888:3888;2181`, with spaces between them. Default: the node is alone",
  },
  line("ZOO_DATA_DIR", "dataDir"),
  line("ZOO_DATA_LOG_DIR", "dataLogDir"),
  line("ZOO_TICK_TIME", "tickTime"),
  line("ZOO_INIT_LIMIT", "initLimit"),
  line("ZOO_SYNC_LIMIT", "syncLimit"),
  line("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns"),
  line("ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval"),
  line("ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount"),
  line("ZOO_STANDALONE_ENABLED", "standaloneEnabled"),
  line(
    "ZOO_ADMINSERVER_ENABLED",
    "admin.enableServer",
    "the line `admin.enableServer`; the address is `0.0.0.0` then, as in ZooKeeper, unless `ZOO_CFG_EXTRA` has `admin.serverAddress`",
  ),
  line("ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist"),
  {
    ...{ kind: "lines", name: "ZOO_CFG_EXTRA" },
    effect: "further lines, `key=value`, with spaces between them. They win",
  },
  {
    ...{ kind: "folder", name: "ZOO_CONF_DIR" },
    effect:
      "where a `zoo.cfg` of your own may be. If there is one it is read, and of the variables only `ZOO_MY_ID`, `ZOOID_NATS` and `ZOOID_ENSEMBLE` count, where it says nothing. Default `/conf`",
  },
  {
    ...{ kind: "setting", name: "ZOOID_NATS", field: "natsUrls" },
    effect: "the NATS servers, `nats://a:4222,nats://b:4222`: needed with more than one member",
  },
  {
    ...{ kind: "setting", name: "ZOOID_ENSEMBLE", field: "ensemble" },
    effect: "the ensemble's name. Default `zooid`",
  },
  {
    ...{ kind: "idle", name: "ZOO_LOG_DIR" },
    effect: "nothing: the log goes to standard error, for the container's engine to keep",
  },
  {
    ...{ kind: "idle", name: "ZOO_LOG4J_PROP" },
    effect: "nothing: `--log-level` and `--log-format json` say what is logged, and how",
  },
  { ...{ kind: "java", name: "JVMFLAGS" }, effect: JAVA },
  { ...{ kind: "java", name: "SERVER_JVMFLAGS" }, effect: JAVA },
  {
    ...{ kind: "idle", name: "ZK_SERVER_HEAP" },
    effect:
      "nothing: `NODE_OPTIONS=--max-old-space-size=…` or `zooid.laneHeapBytes` bound a heap, `zooid.maxTreeBytes` the tree",
  },
];

/** Kubernetes gives programs such variables for a service named `zoo`. */
const OF_KUBERNETES = /^ZOO_(SERVICE_|PORT(_|$))/;
const CONF_DIR_DEFAULT = "/conf";
const ADMIN_VARIABLE = "ZOO_ADMINSERVER_ENABLED";
const ADMIN_ADDRESS = "admin.serverAddress";

export type ContainerConfig = {
  /** A `zoo.cfg` that the user has put there. */
  readonly file: string | undefined;
  /** In its place: a `zoo.cfg`, and which variable each of its lines comes from, the first one being 1. */
  readonly text: string;
  readonly sourceOf: (line: number) => string;
  /** What holds where neither the file, nor `myid`, nor a flag says otherwise. */
  readonly otherwise: Settings;
  readonly warnings: readonly string[];
};

export function containerConfig(
  env: Readonly<Record<string, string | undefined>>,
): ContainerConfig {
  const given = CONTAINER_VARIABLES.filter(({ name }) => (env[name] ?? "") !== "");
  const lines = given.flatMap((variable) =>
    linesOf(variable, env[variable.name] ?? "").map((text) => ({ text, source: variable.name })),
  );
  const isAdmin = (env[ADMIN_VARIABLE] ?? "").toLowerCase() === "true";
  if (isAdmin && !lines.some(({ text }) => text.startsWith(`${ADMIN_ADDRESS}=`))) {
    lines.push({ text: `${ADMIN_ADDRESS}=0.0.0.0`, source: ADMIN_VARIABLE });
  }
  const otherwise = new Map<keyof NodeConfig, Setting>();
  for (const variable of given) {
    if (variable.kind !== "setting") continue;
    otherwise.set(variable.field, { value: env[variable.name] ?? "", source: variable.name });
  }
  const file = join(env["ZOO_CONF_DIR"] ?? CONF_DIR_DEFAULT, "zoo.cfg");
  const hasFile = existsSync(file);
  return {
    file: hasFile ? file : undefined,
    text: lines.map(({ text }) => text).join("\n"),
    sourceOf: (number) => lines[number - 1]?.source ?? "the environment",
    otherwise,
    warnings: unknownVariables(env),
  };
}

function linesOf(variable: ContainerVariable, value: string): readonly string[] {
  const words = value.split(/\s+/).filter((word) => word !== "");
  switch (variable.kind) {
    case "line":
      return [`${variable.key}=${words.join(" ")}`];
    case "lines":
      return words;
    case "java":
      return words.flatMap((word) => {
        const [, key, text] = /^-D(?:zookeeper\.)?([^=]+)=?(.*)$/.exec(word) ?? [];
        const isOurs = word.startsWith("-Dzookeeper.") || key === "java.security.auth.login.config";
        return isOurs ? [`${key}=${text}`] : [];
      });
    default:
      return [];
  }
}

/** A mistyped one would be a setting that its owner believes to be in force. */
function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = CONTAINER_VARIABLES.map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => name.startsWith("ZOO_") && !known.includes(name) && !OF_KUBERNETES.test(name))
    .toSorted()
    .map((name) => {
      const near = nearest(name, known);
      return `${name} is unknown and has no effect${near === undefined ? "" : `; did you mean ${near}?`}`;
    });
}
