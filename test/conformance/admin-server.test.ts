/**
 * The commands of the admin server, compared with the AdminServer of Apache ZooKeeper: the same commands under the same names, the same
 * fields of the same types, and where nothing depends on the server, the same bytes.
 */
import anyTest, { type TestFn } from "ava";
import { COMMANDS } from "../../server/admin/commands.ts";
import { askAdmin, askCommand } from "../support/admin.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";
import { startZookeeper, type ZookeeperServer } from "../support/zookeeper-server.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, exists, getChildren, getData } from "../support/zookeeper-client/operations.ts";

type Server = { readonly url: string; readonly clients: readonly ZkClient[] };
type Context = {
  readonly stops: (() => Promise<void>)[];
  readonly zookeeper: Server;
  readonly zooid: Server;
};
const test = anyTest as TestFn<Context>;

/** Long, so that the clients' sessions outlast the test on a busy machine. */
const SESSION_MS = 100_000;
const TICK_MS = 6_000;

/** Two clients, with an ephemeral, and watches on the same path, on one that is not there, and on children. */
async function withClients(server: ZookeeperServer | ZooidNode, url: string): Promise<Server> {
  const options = { port: server.port, timeoutMs: SESSION_MS };
  const [first, second] = [await ZkClient.connect(options), await ZkClient.connect(options)];
  await first.request(create("/a"));
  await first.request(create("/e", "x", { mode: 1 }));
  await first.request(getData("/a", true));
  await first.request(exists("/nope", true));
  await second.request(getData("/a", true));
  await second.request(getChildren("/", true));
  return { url, clients: [first, second] };
}

test.before(async (t) => {
  const stops: (() => Promise<void>)[] = [];
  t.context = { stops } as unknown as Context;
  const [zookeeper, zooid] = await Promise.all([
    startZookeeper({ adminServer: true, tickTimeMs: TICK_MS }),
    startZooid({
      tickTimeMs: TICK_MS,
      lines: ["admin.enableServer=true", "admin.serverPort=0", "zooid.adminChanges=true"],
    }),
  ]);
  stops.push(zookeeper.stop, zooid.stop);
  t.context = {
    stops,
    zookeeper: await withClients(zookeeper, zookeeper.adminUrl),
    zooid: await withClients(zooid, await zooid.adminUrl()),
  };
});

test.after.always(async (t) => {
  const { stops, zookeeper, zooid } = t.context;
  for (const client of [...(zookeeper?.clients ?? []), ...(zooid?.clients ?? [])]) {
    await client.close();
  }
  await Promise.all(stops.map((stop) => stop()));
});

/** The fields and their types, in their order. What a list holds is told by its first entry, and what is named by numbers once. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const entries = Object.entries(value);
  const isNumbered = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  return isNumbered
    ? { number: shapeOf(entries.map(([, inner]) => inner).find(isFilled)) }
    : Object.fromEntries(entries.map(([name, inner]) => [name, shapeOf(inner)]));
}

/** ZooKeeper also lists ticks in which no session ends. */
function isFilled(value: unknown): boolean {
  return !Array.isArray(value) || value.length > 0;
}

test("there are ZooKeeper's commands, and each has a link", async (t) => {
  const { zookeeper, zooid } = t.context;
  const theirs = await askAdmin(zookeeper.url, "/commands");
  const ours = await askAdmin(zooid.url, "/commands");
  t.is(ours.text, theirs.text);
  t.is(theirs.text.match(/<a /g)?.length, COMMANDS.length);
});

/** Their fields are of Java, of the host, or of ZooKeeper's own processors. */
const OTHER_FIELDS: ReadonlySet<string> = new Set(["environment", "monitor", "system_properties"]);
/** Their answers depend on nothing that differs between the servers. */
const SAME_BYTES: ReadonlySet<string> = new Set([
  ...["connection_stat_reset", "get_trace_mask", "hash", "is_read_only", "leader"],
  ...["observer_connection_stat_reset", "observers", "ruok", "set_trace_mask", "stat_reset"],
  ...["voting_view", "watch_summary", "zabstate"],
]);

for (const { names } of COMMANDS) {
  const [name] = names;
  if (SAME_BYTES.has(name)) {
    test(`${names.join(", ")}: the same bytes`, async (t) => {
      const { zookeeper, zooid } = t.context;
      for (const each of names) {
        const theirs = await askAdmin(zookeeper.url, `/commands/${each}`);
        const ours = await askAdmin(zooid.url, `/commands/${each}`);
        t.is(ours.text, theirs.text, each);
        t.is(ours.status, theirs.status);
        t.is(ours.headers.get("content-type"), theirs.headers.get("content-type"));
      }
    });
  } else if (!OTHER_FIELDS.has(name)) {
    test(`${names.join(", ")}: the same fields of the same types`, async (t) => {
      const { zookeeper, zooid } = t.context;
      for (const each of names) {
        const theirs = await askCommand(zookeeper.url, each);
        const ours = await askCommand(zooid.url, each);
        t.deepEqual(shapeOf(ours), shapeOf(theirs), each);
        t.deepEqual(Object.keys(ours), Object.keys(theirs));
        t.is(ours["command"], name);
      }
    });
  }
}

for (const name of OTHER_FIELDS) {
  test(`${name}: what there is under a name of ZooKeeper's has its type`, async (t) => {
    const { zookeeper, zooid } = t.context;
    const theirs = await askCommand(zookeeper.url, name);
    const ours = await askCommand(zooid.url, name);
    const common = Object.keys(ours).filter((field) => field in theirs);
    t.true(common.length > 3);
    t.deepEqual(
      common.map((field) => [field, typeof ours[field]]),
      common.map((field) => [field, typeof theirs[field]]),
    );
  });
}

for (const path of ["/commands/nope", "/commands/RUOK", "/commands/ruok/", "/commands/"]) {
  test(`${path} is answered with the same bytes`, async (t) => {
    const { zookeeper, zooid } = t.context;
    const theirs = await askAdmin(zookeeper.url, path);
    const ours = await askAdmin(zooid.url, path);
    t.deepEqual([ours.status, ours.text], [theirs.status, theirs.text]);
  });
}

test("set_trace_mask takes a number of 64 bits and nothing else", async (t) => {
  const { zookeeper, zooid } = t.context;
  for (const mask of ["9223372036854775808", "x", "0x7", "", "-1", "306"]) {
    const path = `/commands/set_trace_mask?traceMask=${mask}`;
    const [theirs, ours] = [await askAdmin(zookeeper.url, path), await askAdmin(zooid.url, path)];
    t.deepEqual(JSON.parse(ours.text), JSON.parse(theirs.text), mask);
  }
});
