/** A real Apache ZooKeeper, standalone, from the host's packages: what conformance is measured against. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zooKeeperJars } from "../../bench/targets/zookeeper-jars.ts";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { reservePorts } from "./ports.ts";

export type ZookeeperServer = {
  readonly name: "zookeeper";
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
};

export type ZookeeperOptions = {
  /** ZooKeeper's tickTime; session timeouts are clamped to 2 to 20 of it. Default 500, to expire sessions soon. */
  readonly tickTimeMs?: number;
  /** Further lines of the configuration. Default none. */
  readonly lines?: readonly string[];
};

/** The class path of ZooKeeper's server and client. Fails with what to install when they are not there. */
export function zookeeperClassPath(): string {
  const jars = zooKeeperJars();
  if (jars === undefined) {
    throw new Error("Apache ZooKeeper is not installed: apt-get install zookeeper");
  }
  return jars.join(":");
}

/** Java options for processes that live for seconds on a machine that others share. */
export const JAVA_OPTIONS: readonly string[] = [
  "-Xmx192m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
];

export async function startZookeeper(options: ZookeeperOptions = {}): Promise<ZookeeperServer> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-zookeeper-"));
  const block = await reservePorts();
  const port = block.first;
  const config = join(folder, "zoo.cfg");
  const { tickTimeMs = 500, lines = [] } = options;
  await writeFile(config, `${zooCfg(folder, port, tickTimeMs)}${lines.join("\n")}\n`);
  const child = new Child({
    command: "java",
    args: [
      ...JAVA_OPTIONS,
      "-Dzookeeper.preAllocSize=1024",
      "-cp",
      zookeeperClassPath(),
      "org.apache.zookeeper.server.ZooKeeperServerMain",
      config,
    ],
    cwd: folder,
  });
  // The data folder in the answer proves that it is this server that listens.
  await untilAnswer(
    { port },
    "conf",
    (answer) => answer.includes(folder),
    () => child.ended,
  );
  await untilAnswer(
    { port },
    "ruok",
    (answer) => answer === "imok",
    () => child.ended,
  );
  return {
    name: "zookeeper",
    host: "127.0.0.1",
    port,
    pid: child.pid,
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
      block.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function zooCfg(folder: string, port: number, tickTimeMs: number): string {
  return [
    `tickTime=${tickTimeMs}`,
    `dataDir=${folder}`,
    `clientPort=${port}`,
    "clientPortAddress=127.0.0.1",
    "admin.enableServer=false",
    "4lw.commands.whitelist=*",
    "maxClientCnxns=0",
    "",
  ].join("\n");
}
