/** Nodes in the process of their user: zooid/server, with a real nats-server. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { filter, firstValueFrom, map, type Observable, take, toArray } from "rxjs";
import { type Client, connect } from "../../client/connect.ts";
import type { ZooidError } from "../../protocol/errors.ts";
import {
  type ChangeEvent,
  ConfigurationError,
  type InspectionEvent,
  type NodeSettings,
  type RunningNode,
  startNode,
  type StartOptions,
} from "../../server/start.ts";
import { Child } from "../support/child.ts";
import { fourLetters } from "../support/four-letters.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create } from "../support/zookeeper-client/operations.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-embedded-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function node(
  t: ExecutionContext,
  settings: NodeSettings = {},
  options: StartOptions = {},
): Promise<RunningNode> {
  const dataDir = settings.dataDir ?? (await folderOf(t));
  const address = { clientPort: 0, clientPortAddress: "127.0.0.1" };
  const started = await startNode({ ...address, ...settings, dataDir }, options);
  t.teardown(() => started.stop());
  return started;
}

async function clientOf(t: ExecutionContext, url: string): Promise<Client> {
  const client = await connect(url, { connectTimeoutMs: 30_000 });
  t.teardown(() => client.close());
  return client;
}

function until<Value>(stream: Observable<Value>, is: (value: Value) => boolean): Promise<Value> {
  return firstValueFrom(stream.pipe(filter(is)));
}

function briefOf(event: ChangeEvent): string {
  return event.kind === "progress" || event.kind === "compacted"
    ? event.kind
    : `${event.kind} ${event.path}`;
}

/** The numbers of mntr. */
async function metricsOf({ clientPort }: RunningNode): Promise<ReadonlyMap<string, string>> {
  const text = await fourLetters({ port: clientPort }, "mntr");
  return new Map(text.split("\n").map((line) => line.split("\t") as [string, string]));
}

test.serial(
  "what a client writes over NATS is seen in the node's own process, in order",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const one = await node(t, { natsUrls: [nats.url] });
    await one.ready;
    t.like(await firstValueFrom(one.leadership$), { role: "leading", leader: 1 });
    const client = await clientOf(t, nats.url);
    const { zxid } = await client.exists("/");
    const seen = firstValueFrom(
      one.changes("/a", { recursive: true, from: zxid }).pipe(map(briefOf), take(4), toArray()),
    );
    await client.create("/a");
    await client.create("/other");
    await client.create("/a/b", "1");
    await client.set("/a/b", "2");
    await client.delete("/a/b");
    t.deepEqual(await seen, ["created /a", "created /a/b", "data /a/b", "deleted /a/b"]);
    const iterated: string[] = [];
    for await (const change of one.changes("/a", { recursive: true, from: zxid })) {
      iterated.push(briefOf(change));
      if (iterated.length === 4) break;
    }
    t.deepEqual(iterated, await seen);
  },
);

test.serial(
  "a node tells which of its connections to NATS are there, in its process and to mntr",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const one = await node(t, { natsUrls: [nats.url], lanes: 2 });
    await one.ready;
    const all = await until(
      one.nats$,
      ({ peers, lanes }) => peers !== undefined && lanes.size === 2,
    );
    t.deepEqual([...all.lanes.values(), all.peers], ["connected", "connected", "connected"]);
    t.is((await metricsOf(one)).get("zk_zooid_nats_connected"), "3");
    const lost = until(one.nats$, ({ peers, lanes }) =>
      [peers, ...lanes.values()].every((status) => status === "disconnected"),
    );
    await nats.stop();
    await lost;
    const metrics = await metricsOf(one);
    t.is(metrics.get("zk_zooid_nats_connected"), "0");
    t.is(metrics.get("zk_zooid_nats_connections"), "3");
  },
);

test.serial(
  "three nodes of one process are an ensemble, and know whom they are in contact with",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const members = [1, 2, 3];
    const nodes = await Promise.all(
      members.map((id) => node(t, { id, members, natsUrls: [nats.url], peerTimeoutMs: 15_000 })),
    );
    await Promise.all(nodes.map(({ ready }) => ready));
    const states = await Promise.all(nodes.map(({ leadership$ }) => firstValueFrom(leadership$)));
    const leader = states.find(({ role }) => role === "leading")?.leader ?? 0;
    for (const [index, { peers$ }] of nodes.entries()) {
      const id = index + 1;
      const expected = id === leader ? members.filter((member) => member !== id) : [leader];
      t.deepEqual(
        await until(peers$, ({ length }) => length === expected.length),
        expected as never,
      );
    }
  },
);

test.serial("steps of every thread are told while somebody observes them", async (t) => {
  const one = await node(t, { lanes: 2 });
  await one.ready;
  const threads = ["log", "log-sync", "tree/1", "tree/2"];
  const seen = new Set<string>();
  const steps = until(one.steps$, ({ actor }) => {
    seen.add(actor);
    return threads.every((thread) => seen.has(thread));
  });
  // Opens a session, which every tree hears of.
  const client = await ZkClient.connect({ port: one.clientPort });
  t.teardown(() => client.socket.destroy());
  t.is((await steps).kind, "step");
});

test.serial("with --actor-metrics-ms mntr has what each actor did", async (t) => {
  const one = await node(t, { actorMetricsMs: 100 });
  await one.ready;
  await until(one.steps$, ({ message }) => message === "actorReport");
  const metrics = await metricsOf(one);
  const names = [...metrics.keys()].filter((name) => name.startsWith("zk_zooid_actor_"));
  t.true(
    names.some((name) => /^zk_zooid_actor_\w+_busy_ms$/.test(name)),
    names.join(" "),
  );
});

test.serial("the example shows who leads and each change, and ends in order", async (t) => {
  const child = new Child({
    command: process.execPath,
    args: ["--conditions=source", "examples/embed-node.ts", await folderOf(t)],
    cwd: CHECKOUT,
  });
  t.teardown(() => child.stop());
  const port = Number((await child.line(/^clients: 127\.0\.0\.1:\d+$/)).split(":").at(-1));
  await child.line(/^leading: epoch 1, leader 1$/);
  const client = await ZkClient.connect({ port });
  t.teardown(() => client.socket.destroy());
  await client.request(create("/seen", "x"));
  await child.line(/^created \/seen$/);
  child.process.kill("SIGINT");
  await child.exited;
  t.is(child.process.exitCode, 0, child.output());
});

test.serial(
  "a node that is stopped completes its streams, and a new one has its folder",
  async (t) => {
    const dataDir = await folderOf(t);
    const one = await node(t, { dataDir });
    await one.ready;
    const ends: string[] = [];
    const streams: Record<string, Observable<unknown>> = {
      leadership: one.leadership$,
      peers: one.peers$,
      nats: one.nats$,
      inspection: one.inspection$,
      steps: one.steps$,
      changes: one.changes("/"),
    };
    for (const [name, stream] of Object.entries(streams)) {
      stream.subscribe({ complete: () => ends.push(name) });
    }
    await one.stop();
    await one.stop();
    t.deepEqual(await one.stopped, { kind: "asked" });
    t.deepEqual(ends.toSorted(), Object.keys(streams).toSorted());
    await (await node(t, { dataDir })).ready;
  },
);

test.serial("settings that are wrong reject with all that is wrong", async (t) => {
  const settings: NodeSettings = { clientPort: -1, lanes: 99, members: [1, 2] };
  const error = await t.throwsAsync(startNode(settings), { instanceOf: ConfigurationError });
  t.deepEqual(error?.problems.map(({ field }) => field).toSorted(), [
    "clientPort",
    "id",
    "lanes",
    "natsUrls",
  ]);
});

test.serial(
  "a start that fails rejects, with what is in the way, and releases what it had",
  async (t) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    t.teardown(() => taken.close());
    const address = taken.address();
    const clientPort = typeof address === "object" && address !== null ? address.port : 0;
    const dataDir = await folderOf(t);
    const error = await t.throwsAsync<ZooidError>(node(t, { dataDir, clientPort }));
    t.is(error?.code, "ZOOID_NODE_START");
    t.regex(error?.message ?? "", new RegExp(String(clientPort)));
    await (await node(t, { dataDir })).ready;
  },
);

test.serial("a start that waits for NATS can be given up", async (t) => {
  const controller = new AbortController();
  const events: InspectionEvent[] = [];
  const dataDir = await folderOf(t);
  const starting = node(
    t,
    { dataDir, natsUrls: ["nats://127.0.0.1:1"] },
    {
      signal: controller.signal,
      onInspection: (event) => {
        events.push(event);
        if (event.kind === "log" && event.event === "waitingForNats") controller.abort();
      },
    },
  );
  await t.throwsAsync(starting, { name: "AbortError" });
  t.true(events.length > 0);
  await (await node(t, { dataDir })).ready;
});
