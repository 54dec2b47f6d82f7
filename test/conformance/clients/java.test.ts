/**
 * Java programs, with ZooKeeper's own client and with Curator's recipes, do the same against an ensemble of Apache ZooKeeper and one of
 * zooid, and must see the same, section by section. Each ends with the `kill -9` of the server that it is connected to.
 */
import { fileURLToPath } from "node:url";
import test from "ava";
import { compileJava, type JavaPrograms } from "../../support/java.ts";
import { ZooidEnsemble } from "../../support/zooid.ts";
import { ZookeeperEnsemble } from "../../support/zookeeper-ensemble.ts";
import { FEATURES, HERE } from "./features.ts";
import { runProgram, type Sections, type Servers } from "./programs.ts";

let programs: JavaPrograms | undefined;
let zookeeper: ZookeeperEnsemble | undefined;
let zooid: ZooidEnsemble | undefined;

test.before(async () => {
  const started = await Promise.allSettled([
    compileJava(fileURLToPath(new URL("java", import.meta.url))).then((compiled) => {
      programs = compiled;
    }),
    ZookeeperEnsemble.start().then((servers) => {
      zookeeper = servers;
    }),
    ZooidEnsemble.start().then((nodes) => {
      zooid = nodes;
    }),
  ]);
  for (const result of started) if (result.status === "rejected") throw result.reason;
});

test.after.always(async () => {
  await Promise.all([zookeeper?.stop(), zooid?.stop(), programs?.remove()]);
});

function zooidServers(nodes: ZooidEnsemble): Servers {
  const idOf = (port: number): number => nodes.nodes.find((node) => node.port === port)?.id ?? 0;
  return {
    connectString: nodes.connectString,
    kill: (port) => nodes.killAndWait(idOf(port)),
    restart: (port) => nodes.restart(idOf(port)),
  };
}

async function both(
  main: string,
  ...more: readonly string[]
): Promise<{ readonly reference: Sections; readonly ours: Sections }> {
  if (programs === undefined || zookeeper === undefined || zooid === undefined) {
    throw new Error("the servers are not there");
  }
  const start = async (servers: Servers, features: readonly string[]): Promise<Sections> => {
    const { connectString } = servers;
    const child = programs?.start(main, [connectString, features.join(","), ...more]);
    if (child === undefined) throw new Error("the programs are gone");
    return runProgram(child, servers);
  };
  const [reference, ours] = await Promise.all([
    start(zookeeper, FEATURES),
    start(zooidServers(zooid), HERE),
  ]);
  return { reference, ours };
}

/** Those sections of the reference that ran here too. */
function common(reference: Sections, ours: Sections): Sections {
  return new Map([...reference].filter(([name]) => ours.has(name)));
}

test.serial(
  "ZooKeeper's Java client sees what it sees in ZooKeeper, also when its server is killed",
  async (t) => {
    const { reference, ours } = await both("JavaClient");
    t.deepEqual(ours, common(reference, ours));
    t.deepEqual(ours.get("a server is killed"), [
      "[SyncConnected, Disconnected, SyncConnected] true true",
      "mine true",
      "NodeCreated /java/after",
      "NodeDataChanged /java/alive",
      "gone with its session",
    ]);
  },
);

/** Each part of the program, with what of Curator it is about. */
const CURATOR: readonly (readonly [part: string, title: string])[] = [
  ["framework", "Curator's calls, transactions and watches see what they see in ZooKeeper"],
  ["locks", "Curator's locks, semaphores, leaders and barriers see what they see in ZooKeeper"],
  ["caches", "Curator's caches see what they see in ZooKeeper"],
  ["nodes", "Curator's queues, counters, kept nodes and groups see what they see in ZooKeeper"],
  ["kill", "Curator's client, its lock and its leader latch outlive the kill -9 of their server"],
];

for (const [part, title] of CURATOR) {
  test.serial(title, async (t) => {
    const { reference, ours } = await both("CuratorClient", part);
    t.true(reference.size > 0);
    t.deepEqual(ours, common(reference, ours));
  });
}
