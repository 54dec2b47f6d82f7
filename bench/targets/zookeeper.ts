/** Debian's ZooKeeper as three servers on loopback, each started as its package does, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../failure.ts";
import type { Address } from "../load/plan.ts";
import {
  fourLetterWord,
  freePorts,
  stderrOf,
  stopProcesses,
  type Target,
  versionOf,
  watchProcesses,
} from "./target.ts";

export const SERVERS: readonly number[] = [1, 2, 3];
const JAR_FOLDER = "/usr/share/java";
/** The jars that a server needs. Debian's releases differ in which of them there are. */
const JARS = [
  "zookeeper",
  "zookeeper-jute",
  "netty-all",
  "netty-buffer",
  "netty-common",
  "netty-handler",
  "netty-transport",
  "netty-codec",
  "netty-resolver",
  "slf4j-api",
  "slf4j-nop",
  "metrics-core",
  "snappy-java",
  "commons-cli",
  "commons-io",
  "jackson-core",
  "jackson-databind",
  "jackson-annotations",
  "jline",
];
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 200;
const HOW_TO_INSTALL = "on Debian or Ubuntu: apt-get install zookeeper default-jre-headless";

/** The temporary folder is made in `folder`. */
export async function startZooKeeper(folder: string, signal: AbortSignal): Promise<Target> {
  const jars = zooKeeperJars();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-zookeeper-"));
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await stopProcesses(children, () => serversOf(children));
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const first = await freePorts(SERVERS.length * 3);
    const addresses: Address[] = [];
    for (const id of SERVERS) {
      const config = await writeConfig(dataFolder, id, first);
      children.push(await spawnServer(jars, config));
      addresses.push({ host: "127.0.0.1", port: first + id - 1 });
    }
    await untilReady(addresses, children, signal);
    return {
      name: "ZooKeeper",
      protocol: "zookeeper",
      version: await versionOf(addresses[0]),
      durability: "on the disks of a quorum (fsync) before each acknowledgement",
      addresses,
      processes: serversOf(children),
      problems: watchProcesses(
        children.map((child, index) => ({ label: `server ${index + 1}`, child })),
      ),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns the paths of the jars. Throws a `BenchError` if ZooKeeper is not installed. */
export function zooKeeperJars(): readonly string[] {
  const jars = JARS.map((name) => join(JAR_FOLDER, `${name}.jar`)).filter(existsSync);
  if (jars.some((jar) => jar.endsWith("/zookeeper.jar"))) return jars;
  throw new BenchError(`no ${JAR_FOLDER}/zookeeper.jar here; ${HOW_TO_INSTALL}`);
}

/**
 * Writes the configuration of each server. The ports of the clients come first, then those of the quorum, then those of the
 * election.
 */
export async function writeConfig(
  dataFolder: string,
  id: number,
  firstPort: number,
): Promise<string> {
  const own = join(dataFolder, `server${id}`);
  await mkdir(own);
  await writeFile(join(own, "myid"), `${id}\n`);
  const members = SERVERS.map((member) => {
    const quorumPort = firstPort + SERVERS.length + member - 1;
    return `server.${member}=127.0.0.1:${quorumPort}:${quorumPort + SERVERS.length}`;
  });
  const lines = [
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${own}`,
    `clientPort=${firstPort + id - 1}`,
    "clientPortAddress=127.0.0.1",
    "admin.enableServer=false",
    "4lw.commands.whitelist=*",
    "maxClientCnxns=0",
    ...members,
  ];
  const config = join(own, "zoo.cfg");
  await writeFile(config, `${lines.join("\n")}\n`);
  return config;
}

export async function spawnServer(jars: readonly string[], config: string): Promise<ChildProcess> {
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  const child = spawn("java", ["-Xmx2g", "-cp", jars.join(":"), main, config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new BenchError(`cannot start java; ${HOW_TO_INSTALL}`, { cause: error });
  }
  return child;
}

async function untilReady(
  addresses: readonly Address[],
  children: readonly ChildProcess[],
  signal: AbortSignal,
): Promise<void> {
  const errors = children.map(stderrOf);
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += READY_POLL_MS) {
    signal.throwIfAborted();
    const answers = await Promise.all(addresses.map((each) => fourLetterWord(each, "srvr")));
    if (answers.every((answer) => answer !== undefined && /^Mode: /m.test(answer))) return;
    const ended = children.findIndex((child) => child.exitCode !== null);
    if (ended >= 0) throw new BenchError(`a ZooKeeper server ended at start: ${errors[ended]?.()}`);
    await delay(READY_POLL_MS);
  }
  throw new BenchError(`ZooKeeper was not ready after ${READY_TIMEOUT_MS / 1000} s`);
}

function serversOf(children: readonly ChildProcess[]): { label: string; pid: number }[] {
  return children.flatMap(({ pid }, index) => {
    return pid === undefined ? [] : [{ label: `server ${index + 1}`, pid }];
  });
}
