/**
 * A migration from Apache ZooKeeper to zooid and back, while kazoo writes through the relay: nothing that was answered is lost, the numbers of
 * sequential znodes go on, and what ZooKeeper's protocol does not tell comes along, too.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { type Client, connect } from "../../client/connect.ts";
import { type RunningNode, startNode } from "../../server/start.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { eventsIn } from "../migrate/command.ts";
import { type Moved, moved } from "../migrate/moved.ts";
import { lossesOf, startKazoo } from "../migrate/writers.ts";
import { run } from "../support/console.ts";
import { startZookeeper, type ZookeeperServer } from "../support/zookeeper-server.ts";

const OWNER = "ada:secret";
const SERVICES = 200;
const SEVEN = new Uint8Array([0, 255, 7]);

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

/** Who has written to the source after the switch. */
function strangersIn({ events }: Moved): readonly unknown[] {
  return events.filter(({ event }) => event === "stranger");
}

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
      eventsIn(verified.stdout)
        .flatMap(({ event, path, kind }) =>
          event === "difference" ? [`${String(path)} ${String(kind)}`] : [],
        )
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
    t.like(eventsIn(rehearsal.stdout).at(-1), {
      ...{ event: "rehearsed", znodes: SERVICES + 25, ephemerals: 1, containers: 2, ttls: 1 },
      ...{ quotas: 1, present: 0, extras: 0, lifetimesUnknown: 0, unknownSchemes: [] },
    });
    t.deepEqual((await target.children("/")).children, ["zookeeper"], "a rehearsal writes nothing");

    const there = await moved(
      [apache, native, ...lifetimes, "--auth", OWNER, "--to-servers", servers.join(",")],
      ["a", "b"].map((name) => (address) => startKazoo(address, name)),
    );
    t.is(there.exitCode, 0);
    t.log(`to zooid: a pause of ${there.pausedMs} ms`);
    for (const [index, log] of there.logs.entries()) {
      t.deepEqual(await lossesOf(target, "ab"[index] ?? "", log), []);
    }
    t.deepEqual(strangersIn(there), []);
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
      [native, apache, "--delete", "--auth", OWNER, "--from-servers", servers.join(",")],
      [(address) => startKazoo(address, "c")],
    );
    t.is(back.exitCode, 0);
    t.log(`to ZooKeeper: a pause of ${back.pausedMs} ms`);
    const again = await connect(apache, { identities });
    t.teardown(() => again.close());
    const [log] = back.logs;
    t.truthy(log);
    if (log !== undefined) t.deepEqual(await lossesOf(again, "c", log), []);
    t.deepEqual(strangersIn(back), []);
    t.deepEqual((await again.get("/new")).data, new TextEncoder().encode("at zooid"));
    t.is(
      (await again.create("/queue/job-", null, { sequential: true })).path,
      "/queue/job-0000000061",
    );
  },
);
