/**
 * A migration from Apache ZooKeeper to zooid and back, while kazoo writes through the relay: nothing that was answered is lost, the numbers of
 * sequential znodes go on, and what ZooKeeper's protocol does not tell comes along, too.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { type Client, connect } from "../../client/connect.ts";
import { type RunningNode, startNode } from "../../server/start.ts";
import { Child } from "../support/child.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { run } from "../support/console.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";
import { startZookeeper, type ZookeeperServer } from "../support/zookeeper-server.ts";

const KAZOO = fileURLToPath(new URL("migrate.py", import.meta.url));
const PYTHON = "/usr/bin/python3";
const OWNER = "ada:secret";
const SERVICES = 200;
const SEVEN = new Uint8Array([0, 255, 7]);
const PATIENT = ["--timeout-ms", "100000", "--pause-ms", "60000", "--auth", OWNER];

const all = new AsyncDisposableStack();
let zookeeper: ZookeeperServer;
let nats: NatsServer;
let node: RunningNode;
let apache: string;
let native: string;

test.before(async () => {
  // Seldom enough that no lock of the test is ended between two looks.
  zookeeper = await startZookeeper({ containerCheckMs: 60_000 });
  all.defer(zookeeper.stop);
  nats = await startNatsServer();
  all.defer(nats.stop);
  const dataDir = mkdtempSync(join(tmpdir(), "zooid-migrate-"));
  all.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  node = await startNode({
    ...{ dataDir, natsUrls: [nats.url], clientPort: 0, clientPortAddress: "127.0.0.1" },
    ...{ tickTimeMs: 500, containerCheckIntervalMs: 60_000 },
  });
  all.defer(() => node.stop());
  await node.ready;
  apache = `zk://127.0.0.1:${zookeeper.port}`;
  native = nats.url;
});
test.after.always(() => all.disposeAsync());

type Log = {
  /** The last value that was answered, and the last one that was asked for. */
  readonly value: number;
  readonly asked: number;
  readonly sequential: readonly string[];
  readonly deleted: readonly string[];
  readonly short: number;
  readonly last: string;
  readonly sessions: number;
  readonly failed: readonly string[];
};

async function fill(client: Client): Promise<void> {
  const hash = createHash("sha1").update(OWNER).digest("base64");
  const own = [
    { scheme: "digest", id: `ada:${hash}`, permissions: 31 },
    { scheme: "world", id: "anyone", permissions: 1 },
  ];
  await client.create("/services");
  const services = Array.from({ length: SERVICES }, (_, index) =>
    client.create(`/services/${index}`, new Uint8Array([0, 255, index])),
  );
  await Promise.all(services);
  await client.create("/nothing", null);
  await client.create("/empty", new Uint8Array());
  await client.create("/private", "mine", { acl: own });
  await client.create("/private/below", "too", { acl: own });
  await client.create("/locks", null, { container: true });
  await client.create("/locks/one", null, { container: true });
  await client.create("/cached", "soon", { ttlMs: 3_600_000 });
  await client.create("/queue");
  for (let round = 0; round < 60; round += 1) {
    const { path } = await client.create("/queue/job-", null, { sequential: true });
    if (round % 4 !== 0) await client.delete(path);
  }
  for (let version = 0; version < 100; version += 1) await client.set("/cached", "soon");
  for (let version = 0; version < 3; version += 1) await client.set("/services/7", SEVEN);
  await client.setQuota("/services", { znodes: 10_000 });
  await client.create("/locks/one/held-", null, { ephemeral: true, sequential: true });
}

/** The commands print objects with the name of an event. */
function events(text: string): readonly Record<string, unknown>[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []));
}

type Moved = { readonly logs: readonly Log[]; readonly pausedMs: number };

/** Moves clients that write from one to the other. */
async function moved(
  t: ExecutionContext,
  args: readonly string[],
  names: readonly string[],
): Promise<Moved> {
  const all = ["migrate", ...args, ...PATIENT, "--json", "--listen", "127.0.0.1:0"];
  const migrate = new Child({ command: process.execPath, args: [COMMAND_LINE, ...all] });
  t.teardown(() => migrate.stop());
  const listening = events(await migrate.line(/"listening"/))[0];
  const port = Number(listening?.["port"]);
  const clients = names.map(
    (name) => new Child({ command: PYTHON, args: [KAZOO, `127.0.0.1:${port}`, name] }),
  );
  for (const client of clients) t.teardown(() => client.stop());
  await Promise.all(clients.map((client) => client.line(/^session 1$/)));
  await migrate.line(/"equal"/);
  migrate.write("switch\n");
  const [switched] = events(await migrate.line(/"switched"/));
  await migrate.line(/"answered"/);
  // Everybody writes at the target, as somebody whose ephemeral is made again.
  await Promise.all(clients.map((client) => client.line(/^session 2$/)));
  for (const client of clients) client.process.stdin?.end();
  const logs = await Promise.all(
    clients.map(async (client) => JSON.parse(await client.line(/^\{/)) as Log),
  );
  migrate.write("end\n");
  await migrate.exited;
  t.is(migrate.process.exitCode, 0, migrate.output());
  t.deepEqual(
    events(migrate.output()).filter(({ event }) => event === "stranger"),
    [],
  );
  return { logs, pausedMs: Number(switched?.["pausedMs"]) };
}

/** Whatever was answered is there, and no number was given twice. */
async function nothingLost(
  t: ExecutionContext,
  client: Client,
  name: string,
  log: Log,
): Promise<void> {
  const { data } = await client.get(`/load/values/${name}`);
  const value = Number(Buffer.from(data ?? []).toString());
  t.true(
    value >= log.value && value <= log.asked,
    `${value} is not from ${log.value} to ${log.asked}`,
  );
  t.true(log.sequential.length > 10, "it has hardly written");
  t.deepEqual(log.sequential.toSorted(), log.sequential, "numbers rise");
  t.is(new Set(log.sequential).size, log.sequential.length);
  const { children } = await client.children(`/load/items/${name}`);
  const there = new Set(children.map((each) => `/load/items/${name}/${each}`));
  const deleted = new Set(log.deleted);
  t.deepEqual(
    log.sequential.filter((path) => !there.has(path) && !deleted.has(path)),
    [],
  );
  // Each has counted, though hardly one of them was seen.
  t.true(Number(log.last.slice(-10)) >= log.short, `${log.last} after ${log.short}`);
  t.is(log.sessions, 2, "it has had one session at each side");
}

test.serial(
  "a copy is made equal again, and what only the target has is nobody's to delete",
  async (t) => {
    const source = await connect(apache);
    t.teardown(() => source.close());
    await source.create("/part", "root");
    const made = Array.from({ length: 300 }, (_, index) =>
      source.create(`/part/${index % 10}/${index}`, String(index), { parents: true }),
    );
    await Promise.all(made);
    const target = await connect(native);
    t.teardown(() => target.close());
    const refused = await run([
      "migrate",
      `${apache}/part`,
      `zk://127.0.0.1:${node.clientPort}/copy`,
    ]);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /the chroot of <to> is not there/);
    await target.create("/copy");

    const sides = [`${apache}/part`, `zk://127.0.0.1:${node.clientPort}/copy`];
    const first = await run(["migrate", ...sides, "--once"]);
    t.is(first.code, 0, first.stderr);
    t.regex(first.stdout, /verified 311 znodes: equal/);
    t.deepEqual((await target.get("/copy/3/13")).data, new TextEncoder().encode("13"));

    await target.set("/copy/3/13", "other");
    await target.delete("/copy/4/14");
    await target.create("/copy/5/extra/below", null, { parents: true });
    await source.setAcl("/part/6/16", [{ scheme: "world", id: "anyone", permissions: 15 }]);
    const verified = await run(["migrate", ...sides, "--verify", "--json"]);
    t.is(verified.code, 1, verified.stderr);
    t.deepEqual(
      events(verified.stdout)
        .flatMap(({ event, path, kind }) => (event === "difference" ? [`${path} ${kind}`] : []))
        .toSorted(),
      ["/3/13 data", "/4/14 missing", "/5/extra extra", "/6/16 acl"],
    );

    const used = await run(["migrate", ...sides, "--once"]);
    t.is(used.code, 2);
    t.regex(used.stderr, /the target has znodes that the source has not: \/5\/extra; --into-used/);
    const left = await run(["migrate", ...sides, "--once", "--into-used"]);
    t.is(left.code, 0, left.stderr + left.stdout);
    t.truthy((await target.exists("/copy/5/extra/below")).stat);
    t.deepEqual((await target.get("/copy/3/13")).data, new TextEncoder().encode("13"));
    const deleted = await run(["migrate", ...sides, "--once", "--delete"]);
    t.is(deleted.code, 0, deleted.stderr + deleted.stdout);
    t.is((await target.exists("/copy/5/extra")).stat, undefined);
    await target.delete("/copy", { recursive: true });
    await source.delete("/part", { recursive: true });
  },
);

test.serial("what is wrong with the flags is said at once", async (t) => {
  const ended = await run([
    ...["migrate", "zk://127.0.0.1:1/a", "nats://127.0.0.1:1", "--listen", "nowhere:99999"],
    ...["--once"],
  ]);
  t.is(ended.code, 2);
  for (const problem of [
    /--listen: nowhere:99999 is no host:port/,
    /--to-servers: over NATS it is not known where clients connect/,
    /--listen: the chroots of the two URLs differ/,
    /--once: it ends before the switch/,
  ]) {
    t.regex(ended.stderr, problem);
  }
});

test.serial(
  "kazoo is moved to zooid and back, and nothing that was answered is lost",
  async (t) => {
    const identities = [{ user: "ada", password: "secret" }];
    const source = await connect(apache, { identities, sessionTimeoutMs: 10_000 });
    t.teardown(() => source.close());
    const target = await connect(native, { identities });
    t.teardown(() => target.close());
    await fill(source);
    const lifetimes = ["--lifetimes-from", zookeeper.folder];
    const servers = [`127.0.0.1:${node.clientPort}`];

    const rehearsal = await run([
      ...["migrate", apache, native, "--dry-run", "--json", "--auth", OWNER],
      ...lifetimes,
    ]);
    t.is(rehearsal.code, 0, rehearsal.stderr);
    t.like(events(rehearsal.stdout).at(-1), {
      ...{ event: "rehearsed", znodes: SERVICES + 25, ephemerals: 1, containers: 2, ttls: 1 },
      ...{ quotas: 1, present: 0, extras: 0, lifetimesUnknown: 0, unknownSchemes: [] },
    });
    t.deepEqual((await target.children("/")).children, ["zookeeper"], "a rehearsal writes nothing");

    const there = await moved(
      t,
      [apache, native, ...lifetimes, "--to-servers", servers.join(",")],
      ["a", "b"],
    );
    t.log(`to zooid: a pause of ${there.pausedMs} ms`);
    for (const [index, log] of there.logs.entries()) {
      await nothingLost(t, target, "ab"[index] ?? "", log);
    }
    t.deepEqual([...((await target.get("/services/7")).data ?? [])], [0, 255, 7]);
    t.is((await target.get("/services/7")).stat.version, 3);
    t.is((await target.get("/cached")).stat.version, 100, "who compares and sets goes on");
    t.is((await target.get("/nothing")).data, null);
    t.is((await target.get("/empty")).data?.length, 0);
    t.deepEqual((await target.acl("/private/below")).acl, (await source.acl("/private/below")).acl);
    t.true((await target.acl("/locks/one")).container);
    t.is((await target.acl("/cached")).ttlMs, 3_600_000);
    t.deepEqual((await target.quota("/services"))?.limits, { znodes: 10_000 });
    t.is(
      (await target.create("/queue/job-", null, { sequential: true })).path,
      "/queue/job-0000000060",
    );
    t.is(
      (await target.create("/locks/one/held-", null, { sequential: true })).path,
      "/locks/one/held-0000000001",
    );

    // The znodes of before are still at ZooKeeper, which gets what is not equal.
    await source.close();
    await target.create("/new", "at zooid");
    const back = await moved(
      t,
      [native, apache, "--delete", "--from-servers", servers.join(",")],
      ["c"],
    );
    t.log(`to ZooKeeper: a pause of ${back.pausedMs} ms`);
    const again = await connect(apache, { identities });
    t.teardown(() => again.close());
    const [log] = back.logs;
    if (log !== undefined) await nothingLost(t, again, "c", log);
    t.deepEqual((await again.get("/new")).data, new TextEncoder().encode("at zooid"));
    t.is(
      (await again.create("/queue/job-", null, { sequential: true })).path,
      "/queue/job-0000000061",
    );
  },
);
