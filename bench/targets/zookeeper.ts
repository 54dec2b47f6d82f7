/** Debian's ZooKeeper as three servers on loopback, each started as its package does, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BenchError } from "../failure.ts";
import type { Address } from "../load/plan.ts";
import { untilReady } from "./ready.ts";
import {
  fourLetterWord,
  freePorts,
  stopProcesses,
  type Target,
  versionOf,
  watchProcesses,
} from "./target.ts";
import { zooKeeperJars } from "./zookeeper-jars.ts";

export const SERVERS: readonly number[] = [1, 2, 3];
const POLL_MS = 200;
const HOW_TO_INSTALL = "on Debian or Ubuntu: apt-get install zookeeper default-jre-headless";

/** The temporary folder is made in `folder`. */
export async function startZooKeeper(folder: string, signal: AbortSignal): Promise<Target> {
  const jars = installedJars();
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
    await untilReady({
      name: "ZooKeeper",
      one: "a ZooKeeper server",
      children,
      pollMs: POLL_MS,
      isReady: async () => {
        const answers = await Promise.all(addresses.map((each) => fourLetterWord(each, "srvr")));
        return answers.every((answer) => answer !== undefined && /^Mode: /m.test(answer));
      },
      signal,
    });
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

/** Throws a `BenchError` if ZooKeeper is not installed. */
export function installedJars(): readonly string[] {
  const jars = zooKeeperJars();
  if (jars === undefined) throw new BenchError(`ZooKeeper is not installed; ${HOW_TO_INSTALL}`);
  return jars;
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

function serversOf(children: readonly ChildProcess[]): { label: string; pid: number }[] {
  return children.flatMap(({ pid }, index) => {
    return pid === undefined ? [] : [{ label: `server ${index + 1}`, pid }];
  });
}
