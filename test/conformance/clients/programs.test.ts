/**
 * Programs in Java, C, Python and for Node, with ZooKeeper's own clients, Curator, kazoo and node-zookeeper-client, do the same against an ensemble of Apache ZooKeeper and
 * one of zooid, and must see the same, section by section. Each client has the server that it is connected to killed once.
 */
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../../client/connect.ts";
import { type CPrograms, compileC } from "../../support/c.ts";
import type { Child } from "../../support/child.ts";
import { compileJava, type JavaPrograms } from "../../support/java.ts";
import { ZooidProcesses } from "../../support/zooid-processes.ts";
import { ZookeeperEnsemble } from "../../support/zookeeper-ensemble.ts";
import { startScript } from "./clients.ts";
import { FEATURES, HERE } from "./features.ts";
import { takeTurns, TURNS } from "./turns.ts";
import { runProgram, type Sections, type Servers, zooidServers } from "./programs.ts";

/** Long, so that a node that waits for its turn on a busy machine is not taken for one that was cut off. */
const ZOOID_FLAGS = ["--peer-timeout-ms", "15000", "--max-client-connections", "0"];

let java: JavaPrograms | undefined;
let c: CPrograms | undefined;
let zookeeper: ZookeeperEnsemble | undefined;
let zooid: ZooidProcesses | undefined;

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** On a busy machine compilers and programs take minutes. */
const PATIENCE_MS = 600_000;

test.before(async (t) => {
  t.timeout(PATIENCE_MS);
  const started = await Promise.allSettled([
    compileJava(beside("java")).then((compiled) => {
      java = compiled;
    }),
    compileC(beside("c/c_client.c")).then((compiled) => {
      c = compiled;
    }),
    ZookeeperEnsemble.start().then((servers) => {
      zookeeper = servers;
    }),
    ZooidProcesses.start(ZOOID_FLAGS, { tellsServers: true }).then((nodes) => {
      zooid = nodes;
    }),
  ]);
  for (const result of started) if (result.status === "rejected") throw result.reason;
});

test.after.always(async () => {
  await Promise.all([zookeeper?.stop(), zooid?.stop(), java?.remove(), c?.remove()]);
});

/** Starts a program that is told where the servers are, and what they have. */
type Start = (...args: readonly string[]) => Child | undefined;

/** Both run at the same time. Those sections of the reference are compared that ran here too. */
async function compare(t: ExecutionContext, start: Start): Promise<Sections> {
  t.timeout(PATIENCE_MS);
  if (zookeeper === undefined || zooid === undefined) throw new Error("the servers are not there");
  const run = async (servers: Servers, features: readonly string[]): Promise<Sections> => {
    const child = start(servers.connectString, features.join(","));
    if (child === undefined) throw new Error("the programs are not there");
    return runProgram(child, servers);
  };
  const [reference, ours] = await Promise.all([
    run(zookeeper, FEATURES),
    run(zooidServers(zooid), HERE),
  ]);
  t.deepEqual(ours, new Map([...reference].filter(([name]) => ours.has(name))));
  t.true(reference.size > 0);
  return ours;
}

test.serial(
  "ZooKeeper's Java client sees what it sees in ZooKeeper, also when its server is killed",
  async (t) => {
    const seen = await compare(t, (...args) => java?.start("JavaClient", args));
    t.deepEqual(seen.get("a server is killed"), [
      "[SyncConnected, Disconnected, SyncConnected] true true",
      "mine true",
      "NodeCreated /java/after",
      "NodeDataChanged /java/alive",
      "gone with its session",
    ]);
  },
);

for (const kind of ["multi-threaded", "single-threaded"] as const) {
  test.serial(
    `the ${kind} C library sees what it sees in ZooKeeper, also when its server is killed`,
    async (t) => {
      const seen = await compare(t, (...args) => c?.start(kind, args));
      t.is(seen.get("a server is killed")?.[2], "same session 1");
    },
  );
}

test.serial(
  "kazoo's recipes see what they see in ZooKeeper, also when their server is killed",
  async (t) => {
    const seen = await compare(t, (servers = "") => startScript("kazoo_recipes.py", servers));
    t.true(seen.get("a server is killed")?.includes("held True ['mine']"));
  },
);

test.serial(
  "node-zookeeper-client sees what it sees in ZooKeeper when its server is killed",
  async (t) => {
    const seen = await compare(t, (servers = "") => startScript("node_kill.js", servers));
    t.is(seen.get("a server is killed")?.at(-1), "NODE_CREATED /killed-later");
  },
);

test.serial(
  "Curator, kazoo and zooid's client take turns at one lock and one election, in zooid and in ZooKeeper",
  async (t) => {
    t.timeout(PATIENCE_MS);
    const turns = async (url: string, hosts: string): Promise<void> => {
      await using client = await connect(url, {
        ...{ ensemble: "test", sessionTimeoutMs: 30_000, connectTimeoutMs: 60_000 },
      });
      const programs = [
        () => java?.start("CuratorTurns", [hosts, `${TURNS}`]) as Child,
        () => startScript("kazoo_turns.py", hosts, `${TURNS}`) as Child,
      ];
      const { seen, due } = await takeTurns(client, programs);
      t.deepEqual(seen, due, url);
    };
    const [ours, reference] = [zooid?.connectString ?? "", zookeeper?.connectString ?? ""];
    await Promise.all([turns(zooid?.natsUrl ?? "", ours), turns(`zk://${reference}`, reference)]);
  },
);

/** Each part of the program, with what of Curator it is about. */
const CURATOR: readonly (readonly [part: string, title: string])[] = [
  ["framework", "Curator's calls, transactions and watches see what they see in ZooKeeper"],
  ["locks", "Curator's locks, semaphores, leaders and barriers see what they see in ZooKeeper"],
  ["caches", "Curator's caches and its discovery of services see what they see in ZooKeeper"],
  ["nodes", "Curator's queues, counters, kept nodes and groups see what they see in ZooKeeper"],
  ["kill", "Curator's client, its lock and its leader latch outlive the kill -9 of their server"],
];

for (const [part, title] of CURATOR) {
  test.serial(title, async (t) => {
    await compare(t, (...args) => java?.start("CuratorClient", [...args, part]));
  });
}
