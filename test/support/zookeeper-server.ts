/** A real Apache ZooKeeper, standalone, from the host's packages: what conformance is measured against. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { untilAnswer } from "./four-letters.ts";
import { reservePorts } from "./ports.ts";
import { otherZookeeper, zookeeperClassPath } from "./zookeeper-under-test.ts";

export type ZookeeperServer = {
  readonly name: "zookeeper";
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Where its AdminServer answers, if it has one. */
  readonly adminUrl: string;
  /** Where its snapshots and logs are. */
  readonly folder: string;
  /** `kill -9`: what it has stored stays until `stop`. */
  readonly kill: () => Promise<void>;
  /** Kills it, and starts it again on what it has stored. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type ZookeeperOptions = {
  /** ZooKeeper's tickTime; session timeouts are clamped to 2 to 20 of it. Default 500, to expire sessions soon. */
  readonly tickTimeMs?: number;
  /** It is server 1 of three, whose others are not started: it has no quorum, and serves who asks for read-only mode. Default false. */
  readonly readOnly?: boolean;
  /** Whether znodes may have a TTL. Default true, as in zooid. */
  readonly extendedTypes?: boolean;
  /** How often it looks for containers and TTLs that are over. Default 200: often, to see them end soon. */
  readonly containerCheckMs?: number;
  /** It has an AdminServer. Default false: it starts sooner without. */
  readonly adminServer?: boolean;
  /** With the data folder of an earlier server, which stays in the end. Default: one of its own. */
  readonly folder?: string;
  /** Further lines of the configuration. Default none. */
  readonly lines?: readonly string[];
  /** Further options of Java. Default none. */
  readonly javaOptions?: readonly string[];
};

const CONTAINER_CHECK_MS = 200;

/** What the AdminServer needs beside the server: Debian's Jetty. */
const JETTY_JARS = [
  ...["jetty9-server", "jetty9-servlet", "jetty9-http", "jetty9-io", "jetty9-util"],
  ...["jetty9-util-ajax", "jetty9-security", "servlet-api"],
];

function adminClassPath(): string {
  return JETTY_JARS.map((name) => `:/usr/share/java/${name}.jar`).join("");
}

/** Java options for processes that live for seconds on a machine that others share. */
export const JAVA_OPTIONS: readonly string[] = [
  "-Xmx192m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
];

export async function startZookeeper(options: ZookeeperOptions = {}): Promise<ZookeeperServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "zooid-zookeeper-")));
  const block = await reservePorts();
  const port = block.first;
  const config = join(folder, "zoo.cfg");
  const { readOnly = false, adminServer = false } = options;
  const adminPort = port + ADMIN_PORT_OFFSET;
  const more = readOnly ? ofThree(port) : "";
  await writeFile(config, zooCfg(folder, port, options) + more);
  if (readOnly) await writeFile(join(folder, "myid"), "1\n");
  const spawn = (): Child =>
    new Child({
      command: "java",
      args: [
        ...JAVA_OPTIONS,
        "-Dzookeeper.preAllocSize=1024",
        ...(options.javaOptions ?? []),
        ...(readOnly ? ["-Dreadonlymode.enabled=true"] : []),
        ...(adminServer ? adminProperties(adminPort) : []),
        `-Dzookeeper.extendedTypesEnabled=${options.extendedTypes ?? true}`,
        `-Dznode.container.checkIntervalMs=${options.containerCheckMs ?? CONTAINER_CHECK_MS}`,
        "-cp",
        (otherZookeeper()?.classPath ?? zookeeperClassPath()) +
          (adminServer ? adminClassPath() : ""),
        readOnly
          ? "org.apache.zookeeper.server.quorum.QuorumPeerMain"
          : "org.apache.zookeeper.server.ZooKeeperServerMain",
        config,
      ],
      cwd: folder,
    });
  let child = spawn();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const stop = async (): Promise<void> => {
    await kill();
    block.release();
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(port, folder, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: "zookeeper",
    host: "127.0.0.1",
    port,
    pid: child.pid,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    folder,
    kill,
    restart: async () => {
      await kill();
      child = spawn();
      await untilReady(port, folder, child);
    },
    stop,
  };
}

/** In the block of ports that is reserved for the server. */
const ADMIN_PORT_OFFSET = 9;

/** A server alone reads them from properties, and not from its file. */
function adminProperties(port: number): readonly string[] {
  return [
    "-Dzookeeper.admin.enableServer=true",
    `-Dzookeeper.admin.serverPort=${port}`,
    "-Dzookeeper.admin.serverAddress=127.0.0.1",
  ];
}

/** The data folder in the answer proves that it is this server that listens. */
async function untilReady(port: number, folder: string, child: Child): Promise<void> {
  const ended = (): boolean => child.ended;
  try {
    await untilAnswer({ port }, "conf", (answer) => answer.includes(folder), ended);
    await untilAnswer({ port }, "ruok", (answer) => answer === "imok", ended);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${child.output()}`, { cause: error });
  }
}

/** Lines of an ensemble of three. Its ports come after the client port, in the block that is reserved for the server. */
function ofThree(clientPort: number): string {
  const server = (id: number): string =>
    `server.${id}=127.0.0.1:${clientPort + 2 * id - 1}:${clientPort + 2 * id}`;
  return [
    "initLimit=10",
    "syncLimit=5",
    "localSessionsEnabled=true",
    ...[1, 2, 3].map(server),
    "",
  ].join("\n");
}

function zooCfg(folder: string, port: number, options: ZookeeperOptions): string {
  return [
    `tickTime=${options.tickTimeMs ?? 500}`,
    `dataDir=${folder}`,
    `clientPort=${port}`,
    "clientPortAddress=127.0.0.1",
    `admin.enableServer=${options.adminServer ?? false}`,
    "4lw.commands.whitelist=*",
    "maxClientCnxns=0",
    ...(options.lines ?? []),
    "",
  ].join("\n");
}
