/** The adapters with the packages that they adapt, and clients of a real node. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NestFactory } from "@nestjs/core";
import { Cron, ScheduleModule } from "@nestjs/schedule";
import { HealthCheckService, TerminusModule } from "@nestjs/terminus";
import { ErrorCode, OpenFeature, ProviderEvents } from "@openfeature/server-sdk";
import test from "ava";
import Fastify from "fastify";
import { schedule } from "node-cron";
import * as v from "valibot";
import { zooid } from "../../adapters/fastify/fastify.ts";
import { OnlyOne, ZooidHealthIndicator, ZooidModule } from "../../adapters/nest/nest.ts";
import { zooidRunCoordinator } from "../../adapters/node-cron/node-cron.ts";
import { ZooidFlags } from "../../adapters/openfeature/openfeature.ts";
import { isElected } from "../../adapters/ticks.ts";
import { BadArgumentsError, Client, connect } from "../../client/connect.ts";
import { startNode } from "../../server/start.ts";
import { startNatsServer } from "../support/nats-server.ts";

const stops: (() => Promise<unknown>)[] = [];
const clients: Client[] = [];
let url = "";

test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-adapters-"));
  const nats = await startNatsServer({});
  stops.push(nats.stop, () => rm(folder, { recursive: true, force: true }));
  const node = await startNode({
    ...{ dataDir: folder, natsUrls: [nats.url] },
    ...{ clientPort: 0, clientPortAddress: "127.0.0.1" },
  });
  stops.unshift(() => node.stop());
  await node.ready;
  ({ url } = nats);
  for (let count = 0; count < 2; count += 1) clients.push(await open());
});

test.after.always("the node and nats-server stop", async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const stop of stops) await stop();
});

function open(): Promise<Client> {
  return connect(url, { connectTimeoutMs: 30_000 });
}

function pair(): readonly [Client, Client] {
  const [a, b] = clients;
  if (a === undefined || b === undefined) throw new Error("the clients are not connected");
  return [a, b];
}

test.serial("a tick is run by one of those who ask, also in one program", async (t) => {
  const [a, b] = pair();
  const name = "reports/daily: ä";
  const asked = [a, b, a, b].map((each) => isElected(each, { name, atMs: 1000 }));
  t.is((await Promise.all(asked)).filter(Boolean).length, 1);
  t.true(await isElected(b, { name, atMs: 2000 }));
});

test.serial(
  "ticks long past are forgotten, and are not run by a program that comes to them so late",
  async (t) => {
    const [a, b] = pair();
    const options = { path: "/cron/short", keepMs: 5000 };
    const ask = (client: Client, atMs: number): Promise<boolean> =>
      isElected(client, { name: "a", atMs }, options);
    t.true(await ask(a, 1000));
    t.true(await ask(a, 4000));
    t.true(await ask(b, 7000));
    const { children } = await a.children("/cron/short/a");
    t.deepEqual(new Set(children.map(Number)), new Set([4000, 7000]));
    t.false(await ask(a, 1000));
    t.true(await ask(a, 3000), "this tick is late, but nobody can have run it");
  },
);

test.serial("of two programs with node-cron, one runs each tick", async (t) => {
  const ran: number[] = [];
  const tasks = pair().map((client) =>
    schedule("* * * * * *", ({ date }) => ran.push(date.getTime()), {
      ...{ name: "pair", distributed: true },
      runCoordinator: zooidRunCoordinator(client, { path: "/cron/node" }),
    }),
  );
  const skipped: unknown[] = [];
  const both = Promise.withResolvers<void>();
  for (const task of tasks) {
    task.on("execution:skipped", ({ date, reason }) => {
      skipped.push(reason);
      if (ran.length > 1 && date.getTime() >= (ran[1] ?? 0)) both.resolve();
    });
  }
  await both.promise;
  for (const task of tasks) await task.destroy();
  t.is(new Set(ran).size, ran.length);
  t.deepEqual([...new Set(skipped)], ["not-elected"]);
});

test.serial("the run coordinator refuses keys of another shape", async (t) => {
  const coordinator = zooidRunCoordinator(pair()[0]);
  await t.throwsAsync(async () => coordinator.shouldRun("nightly", 1000), {
    instanceOf: BadArgumentsError,
  });
});

test.serial(
  "a Fastify instance has a client, tells whether it is ready, and closes what it opened",
  async (t) => {
    const app = Fastify();
    await app.register(zooid, { url, readyPath: "/ready" });
    await app.register(async (child) => {
      child.get("/names", async () => (await child.zooid.children("/")).children);
    });
    const ready = await app.inject("/ready");
    t.deepEqual([ready.statusCode, ready.json()], [200, { zooid: "connected" }]);
    t.true((await app.inject("/names")).json<string[]>().includes("zookeeper"));
    const client = app.zooid;
    await app.close();
    t.is(client.state.kind, "closed");
  },
);

test.serial(
  "a Fastify instance leaves a client that it was given open, and is not ready once that is closed",
  async (t) => {
    const own = await open();
    const app = Fastify();
    await app.register(zooid, { client: own, readyPath: "/ready" });
    await app.ready();
    await own.close();
    t.deepEqual((await app.inject("/ready")).json(), { zooid: "closed" });
    await app.close();
    const given = Fastify();
    await given.register(zooid, { client: pair()[0] });
    await given.close();
    t.is(pair()[0].state.kind, "connected");
    await t.throwsAsync(async () => Fastify().register(zooid, {}), {
      instanceOf: BadArgumentsError,
    });
  },
);

test.serial("flags of OpenFeature are znodes, and follow them", async (t) => {
  const [a] = pair();
  const own = await open();
  await a.put("/flags/dark", "true");
  await a.put("/flags/limit", "10");
  await a.put("/flags/broken", "{");
  const refused: string[] = [];
  const schemas = { limit: v.pipe(v.number(), v.maxValue(100)) };
  const onRefused = ({ path }: { readonly path: string }): unknown => refused.push(path);
  const after: unknown[] = [];
  const hooks = [
    {
      after: (_context: unknown, { value }: { readonly value: unknown }): void =>
        void after.push(value),
    },
  ];
  const flags = new ZooidFlags(own, { path: "/flags", schemas, onRefused, hooks });
  await OpenFeature.setProviderAndWait("zooid", flags);
  const features = OpenFeature.getClient("zooid");
  t.true(await features.getBooleanValue("dark", false));
  t.like(await features.getNumberDetails("limit", 1), { value: 10, flagMetadata: { version: 0 } });
  t.deepEqual(after, [true, 10]);
  t.deepEqual(refused, ["/flags/broken"]);
  t.is((await features.getStringDetails("dark", "no")).errorCode, ErrorCode.TYPE_MISMATCH);
  t.is((await features.getBooleanDetails("none", true)).errorCode, ErrorCode.FLAG_NOT_FOUND);

  const changed = changes(flags);
  await a.set("/flags/limit", "1000");
  await a
    .transaction((tx) => [tx.set("/flags/dark", "false"), tx.create("/flags/who", '{"a":1}')])
    .commit();
  await changed((keys) => keys.includes("who"));
  t.deepEqual(refused, ["/flags/broken", "/flags/limit"]);
  t.is(await features.getNumberValue("limit", 1), 10, "the last good value stays");
  t.false(await features.getBooleanValue("dark", true));
  t.deepEqual(await features.getObjectValue("who", {}), { a: 1 });
  await a.delete("/flags/dark");
  await changed((keys) => keys.includes("dark"));
  t.is((await features.getBooleanDetails("dark", true)).errorCode, ErrorCode.FLAG_NOT_FOUND);

  const failed = Promise.withResolvers<unknown>();
  features.addHandler(ProviderEvents.Error, (details) => failed.resolve(details?.message));
  await own.close();
  t.is(await failed.promise, "the session is over: closed");
  t.is((await features.getNumberDetails("limit", 1)).reason, "STALE");
  await OpenFeature.close();
});

/** Returns a function that waits until flags have changed as it is asked. */
function changes(
  flags: ZooidFlags,
): (isMeant: (keys: readonly string[]) => boolean) => Promise<void> {
  const seen: (readonly string[])[] = [];
  const arrivals = new EventTarget();
  flags.events.addHandler(ProviderEvents.ConfigurationChanged, (details) => {
    seen.push((details as { readonly flagsChanged?: readonly string[] }).flagsChanged ?? []);
    arrivals.dispatchEvent(new Event("arrival"));
  });
  return async (isMeant) => {
    while (!seen.some(isMeant)) await once(arrivals, "arrival");
    seen.splice(0);
  };
}

/** How many ticks `Jobs` has run. */
let ran = 0;
const ranTwice = Promise.withResolvers<void>();

class Jobs {
  tick(): void {
    ran += 1;
    if (ran === 2) ranTwice.resolve();
  }
}

test.serial(
  "of two NestJS applications, one runs each tick; their health is that of their clients",
  async (t) => {
    const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, "tick") ?? {};
    // As TypeScript applies `@OnlyOne("pair") @Cron("* * * * * *")`.
    Cron("* * * * * *")(Jobs.prototype, "tick", descriptor);
    OnlyOne("pair", { path: "/cron/nest" })(Jobs.prototype, "tick", descriptor);
    Object.defineProperty(Jobs.prototype, "tick", descriptor);
    const apps = await Promise.all(
      [{ url }, { client: pair()[1] }].map(async (options) => {
        class Root {}
        const imports = [ScheduleModule.forRoot(), TerminusModule, ZooidModule.forRoot(options)];
        return NestFactory.createApplicationContext(
          { module: Root, imports, providers: [Jobs] },
          { logger: false },
        );
      }),
    );
    await ranTwice.promise;
    const [opened, given] = apps.map((app) => app.get(Client));
    const health = apps[0]?.get(HealthCheckService);
    const indicator = apps[0]?.get(ZooidHealthIndicator);
    const check = async (): Promise<unknown> => health?.check([() => indicator?.isHealthy() ?? {}]);
    t.like(await check(), { status: "ok", info: { zooid: { status: "up", state: "connected" } } });
    for (const app of apps) await app.close();
    // Each tick has a znode. One that somebody has won may not have run before the end.
    const ticks = (await pair()[1].children("/cron/nest/pair")).children.length;
    t.true(ran <= ticks, `${ran} runs of ${ticks} ticks`);
    t.is(opened?.state.kind, "closed");
    t.is(given?.state.kind, "connected");
    await t.throwsAsync(check);
  },
);
