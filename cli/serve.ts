/** `zooid serve`: runs one node in this process until it is asked to stop or fails. */
import { containerConfig } from "../server/config/container-variables.ts";
import { KEYS } from "../server/config/keys.ts";
import { type Loaded, loadConfig } from "../server/config/load.ts";
import { type NodeConfig, problemsText } from "../server/config/node-config.ts";
import { zxidOfText } from "../server/skipped-operations.ts";
import type { EventName } from "../protocol/events.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { EventDetail, LogLevel } from "../runtime/effects.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import type { LogControl } from "../server/admin/admin-server.ts";
import type { RunningNode } from "../server/running-node.ts";
import {
  type Command,
  EXIT_FAILED,
  EXIT_MISUSED,
  EXIT_OK,
  EXIT_RESTART,
  messageOf,
} from "./command.ts";
import { checkText, idleKeysLine } from "./check.ts";
import type { Flag } from "./flags.ts";
import {
  LOG_FORMAT_FLAG,
  LOG_LEVEL_FLAG,
  logFormatOf,
  logLevelOf,
  logProblems,
} from "./log-flags.ts";
import { NodeLog } from "./log-lines.ts";
import { adminLine, nodeLine } from "./node-line.ts";
import { serviceManagerOf } from "./service-manager.ts";
import { stopSignal } from "./signals.ts";

const CONTAINER_FLAG = "container-variables";
const SKIP_FLAG = "skip-zxid";

const FLAGS: readonly Flag[] = [
  { name: "config", placeholder: "FILE", summary: "settings from a zoo.cfg; flags win over it" },
  {
    name: CONTAINER_FLAG,
    placeholder: undefined,
    summary: "settings from ZOO_MY_ID, ZOO_SERVERS, …: the variables of ZooKeeper's image",
  },
  {
    name: "check",
    placeholder: undefined,
    summary: "say what would be used and what is wrong; start nothing, write nothing",
  },
  ...KEYS.map(({ flag, placeholder, summary }) => ({ name: flag, placeholder, summary })),
  LOG_LEVEL_FLAG,
  LOG_FORMAT_FLAG,
  {
    name: SKIP_FLAG,
    placeholder: "ZXID",
    summary: "skip the operation that could not be applied here, on this node; see failures.md",
  },
  {
    name: "stop-with-stdin",
    placeholder: undefined,
    summary: "stop when standard input ends, as when the parent process is gone",
  },
];

function stdinEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("error", () => resolve());
    process.stdin.resume();
  });
}

function logEvent(event: InspectionEvent, log: NodeLog): void {
  if (event.kind === "stopNode") return; // The last line that this process prints says it.
  log.event(event);
}

/** Why the process ends is its last line: in words, or for programs that read its log like any other. */
function sayEnd(
  log: NodeLog,
  event: "stopNode" | "startFailed",
  node: ServerId,
  reason: string,
): void {
  const how = event === "stopNode" ? "stopped" : "did not start";
  if (log.format === "text") console.error(`zooid serve: node ${node} ${how}: ${reason}`);
  else {
    const at = { atMs: Date.now(), node, level: "error", actor: "node" } as const;
    log.entry({ ...at, event, detail: { reason } });
  }
}

/** SIGUSR2 has everything logged, and again what was logged before. */
function switchLevelOnSignal(control: LogControl, before: LogLevel): void {
  process.on("SIGUSR2", () => {
    control.setLevel(control.level() === "debug" && before !== "debug" ? before : "debug");
  });
}

function controlOf(log: NodeLog, node: ServerId): LogControl {
  return {
    level: () => log.level,
    setLevel: (level) => {
      const from = log.level;
      log.level = level;
      const at = { atMs: Date.now(), node, level: "info", actor: "node" } as const;
      log.entry({ ...at, event: "logLevelChanged", detail: { from, to: level } });
    },
  };
}

/** Returns the zxids that the flag lists; undefined if it lists something else. */
function skippedOf(flags: ReadonlyMap<string, string>): readonly Zxid[] | undefined {
  const texts = flags.get(SKIP_FLAG)?.split(",") ?? [];
  const zxids = texts.map((text) => zxidOfText(text.trim()));
  return zxids.every((zxid) => zxid !== undefined) ? zxids : undefined;
}

type RunOptions = {
  readonly log: NodeLog;
  readonly skip: readonly Zxid[];
  readonly stopWithStdin: boolean;
};

/** What is to be said about the settings before the node starts: first what somebody may miss, the rest in one line. */
function logSettings({ warnings, idleKeys }: Loaded, node: ServerId, log: NodeLog): void {
  const say = (level: LogLevel, event: EventName, detail: EventDetail): void => {
    log.entry({ atMs: Date.now(), node, level, actor: "config", event, detail });
  };
  for (const warning of warnings) say("warn", "warning", { warning });
  const keys = idleKeysLine(idleKeys);
  if (keys !== undefined) say("info", "keysWithoutEffect", { keys });
}

async function runNode(
  config: NodeConfig,
  { log, skip, stopWithStdin }: RunOptions,
): Promise<number> {
  const node = config.id;
  const signalled = stopSignal(() => undefined).then(() => "orderly" as const);
  const asked: Promise<"orderly" | "atOnce">[] = [signalled];
  // Whoever had the other end is gone, and most likely the other nodes with it.
  if (stopWithStdin) asked.push(stdinEnd().then(() => "atOnce" as const));
  const { launchNode } = await import("../server/node.ts");
  const onInspection = (event: InspectionEvent): void => logEvent(event, log);
  const logControl = controlOf(log, node);
  switchLevelOnSignal(logControl, log.level);
  const own = { ownsProcess: true, mayRestart: true };
  const manager = serviceManagerOf({
    env: process.env,
    pid: process.pid,
    say: (level, event, detail) => {
      log.entry({ atMs: Date.now(), node, level, actor: "node", event, detail });
    },
  });
  const starting = launchNode(config, { skip, ...own, onInspection, logControl });
  const early = Promise.race(asked);
  const started = await Promise.race([starting, early]);
  // The node needs no orderly stop here: what it has written is what a crash could leave, and every start copes with that.
  if (started === "orderly" || started === "atOnce") return EXIT_OK;
  if (started.adminUrl !== undefined) console.log(adminLine(node, started.adminUrl));
  for (const line of portLines(config, started)) console.log(line);
  manager?.follow(started);
  void early.then(async (how) => {
    manager?.stopping();
    if (how === "orderly") await started.retire();
    await started.stop();
  });
  const reason = await started.stopped;
  if (reason.kind === "asked") return EXIT_OK;
  if (reason.kind === "restart") {
    manager?.stopping();
    return EXIT_RESTART;
  }
  sayEnd(log, "stopNode", node, reason.reason);
  return EXIT_FAILED;
}

/** One line for each port for clients. */
function portLines(
  config: NodeConfig,
  {
    clientPort,
    secureClientPort: securePort,
  }: Pick<RunningNode, "clientPort" | "secureClientPort">,
): readonly string[] {
  const { id, clientPortAddress: host, secureClientPortAddress: secureHost } = config;
  const { pid } = process;
  const plain = clientPort < 0 ? [] : [nodeLine({ id, pid, host, port: clientPort })];
  if (securePort === undefined) return plain;
  return [...plain, `${nodeLine({ id, pid, host: secureHost, port: securePort })}  TLS`];
}

async function run(flags: ReadonlyMap<string, string>): Promise<number> {
  const level = logLevelOf(flags);
  const skip = skippedOf(flags);
  const loaded = loadConfig({
    ...{ transport: "nats", flags, file: flags.get("config") },
    container: flags.has(CONTAINER_FLAG) ? containerConfig(process.env) : undefined,
  });
  const isCheck = flags.has("check");
  const format = logFormatOf(flags);
  for (const problem of logProblems(flags)) console.error(`zooid serve: ${problem}`);
  if (loaded.kind === "invalid") {
    console.error(`zooid serve: ${isCheck ? checkText(loaded) : problemsText(loaded.problems)}`);
  }
  if (skip === undefined) {
    console.error("zooid serve: --skip-zxid is a zxid, or several with commas: 0x100000005");
  }
  if (level === undefined || format === undefined) return EXIT_MISUSED;
  if (skip === undefined || loaded.kind === "invalid") return EXIT_MISUSED;
  if (isCheck) {
    console.log(checkText(loaded));
    return EXIT_OK;
  }
  const { config } = loaded;
  const log = new NodeLog({ level, format, write: (line) => console.error(line) });
  logSettings(loaded, config.id, log);
  const stopWithStdin = flags.has("stop-with-stdin");
  try {
    return await runNode(config, { log, skip, stopWithStdin });
  } catch (error) {
    sayEnd(log, "startFailed", config.id, messageOf(error));
    return EXIT_FAILED;
  }
}

export const serve: Command = {
  description: `Runs one node. Without --members it is alone and needs nothing else.

  zooid serve --data-dir ./data
  zooid serve --id 1 --members 1,2,3 --nats nats://10.0.0.1:4222 --data-dir /var/lib/zooid
  zooid serve --config /etc/zookeeper/zoo.cfg
  zooid serve --check --config /etc/zookeeper/zoo.cfg

Logs go to standard error. SIGINT or SIGTERM stops it cleanly: it hands leadership over and moves its clients to other
nodes first, in 6 s at the most; a second signal stops it at once. A node that zooid restart has asked to start again
ends with the exit code ${EXIT_RESTART}.`,
  flags: FLAGS,
  run,
};
