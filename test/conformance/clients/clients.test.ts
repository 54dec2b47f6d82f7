/**
 * Clients that others wrote do the same work against Apache ZooKeeper and against an ensemble of three nodes, and must see the same.
 * That the first succeeds proves the script, that the second prints the same proves the ensemble.
 */
import test from "ava";
import { ZooidEnsemble } from "../../support/zooid.ts";
import { startZookeeper, type ZookeeperServer } from "../../support/zookeeper-server.ts";
import {
  runCClient,
  runJavaClient,
  runKazoo,
  runKazooScript,
  runNodeClient,
  withoutLastEvent,
  withWholeLists,
} from "./clients.ts";

let zookeeper: ZookeeperServer | undefined;
let ensemble: ZooidEnsemble | undefined;

test.before(async () => {
  const started = await Promise.allSettled([
    startZookeeper().then((server) => {
      zookeeper = server;
    }),
    ZooidEnsemble.start().then((nodes) => {
      ensemble = nodes;
    }),
  ]);
  for (const result of started) if (result.status === "rejected") throw result.reason;
});

test.after.always(async () => {
  await zookeeper?.stop();
  await ensemble?.stop();
});

type Client = (connectString: string) => Promise<string[]>;

async function both(
  client: Client,
): Promise<{ readonly reference: string[]; readonly ours: string[] }> {
  if (zookeeper === undefined || ensemble === undefined)
    throw new Error("the servers are not there");
  const reference = await client(`127.0.0.1:${zookeeper.port}`);
  const ours = await client(ensemble.connectString);
  return { reference, ours };
}

test.serial(
  "kazoo's calls, watches, transactions and recipes see what they see in ZooKeeper",
  async (t) => {
    const { reference, ours } = await both(runKazoo);
    t.is(reference.at(-1), "deleted None");
    t.deepEqual(ours, reference);
  },
);

test.serial(
  "kazoo's clients that authenticate, and that do not, see what they see in ZooKeeper",
  async (t) => {
    const { reference, ours } = await both((servers) => runKazooScript("kazoo_acls.py", servers));
    t.true(reference.includes("owner reads b'data'"));
    t.true(reference.includes("other reads NoAuthError"));
    t.true(reference.includes("owner again b'data'"));
    t.deepEqual(ours, reference);
  },
);

test.serial("node-zookeeper-client sees what it sees in ZooKeeper", async (t) => {
  const { reference, ours } = await both(runNodeClient);
  t.is(reference.at(-1), "rolled back ");
  t.deepEqual(ours, reference);
});

test.serial("the C client sees what it sees in ZooKeeper", async (t) => {
  const { reference, ours } = await both(runCClient);
  t.true(reference.includes("hello"));
  t.true(reference.includes("Watcher CREATED_EVENT state = CONNECTED_STATE for path /late"));
  t.deepEqual(ours, reference);
});

test.serial("the Java client sees what it sees in ZooKeeper", async (t) => {
  const { reference, ours } = await both(runJavaClient);
  t.true(reference.includes("hello"));
  t.true(reference.includes("WatchedEvent state:SyncConnected type:NodeDataChanged path:/java"));
  t.deepEqual(ours, reference);
});

test("whether the Java client still prints that it is closed makes no difference, and an earlier end does", (t) => {
  const closed = "WatchedEvent state:Closed type:None path:null";
  const whole = ["Node does not exist: /java", "Sync is OK"];
  for (const end of [[], [""], ["", "WATCHER::"], ["", "WATCHER::", "", closed]]) {
    t.deepEqual(withoutLastEvent([...whole, ...end]), whole);
  }
  const early = ["WATCHER::", closed, ...whole];
  t.deepEqual(withoutLastEvent(early), early);
});

test("a list that the Java client prints around events is put together, and nothing else is", (t) => {
  const event = ["WATCHER::", "WatchedEvent state:SyncConnected type:NodeCreated path:/a"];
  t.deepEqual(withWholeLists(["[a", ...event, ", b]", "x"]), ["[a, b]", ...event, "x"]);
  t.deepEqual(withWholeLists(["[", ...event, "a, ", ...event, "b]"]), [
    "[a, b]",
    ...event,
    ...event,
  ]);
  const others = ["[a]", ...event, "Created /a", "[zk: closed", "x"];
  t.deepEqual(withWholeLists(others), others);
});
