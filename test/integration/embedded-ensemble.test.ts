/** An ensemble in the process of its user: over memory, over memory and files, and over NATS. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { filter, firstValueFrom } from "rxjs";
import { connect } from "../../client/connect.ts";
import {
  type EnsembleOptions,
  type Leadership,
  NodeStartError,
  type RunningEnsemble,
  type RunningNode,
  startEnsemble,
} from "../../server/start.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create } from "../support/zookeeper-client/operations.ts";

async function ensembleOf(
  t: ExecutionContext,
  options: EnsembleOptions = {},
): Promise<RunningEnsemble> {
  const ensemble = await startEnsemble(options);
  t.teardown(() => ensemble.stop());
  return ensemble;
}

function portOf(ensemble: RunningEnsemble): number {
  return Number(ensemble.clientAddresses.split(",").at(-1)?.split(":").at(-1));
}

test.serial("three nodes in memory serve clients of both protocols", async (t) => {
  const ensemble = await ensembleOf(t, { nodes: 3 });
  t.is(ensemble.nodes.length, 3);
  t.is(ensemble.clientAddresses.split(",").length, 3);
  const client = await ensemble.connect({ name: "one" });
  await client.create("/a", "of the native client");
  const old = await ZkClient.connect({ port: portOf(ensemble) });
  t.teardown(() => old.socket.destroy());
  t.is((await old.request(create("/a/b"))).code, 0);
  await client.sync();
  t.deepEqual((await client.children("/a")).children, ["b"]);
  const created = await client.create("/e-", null, { ephemeral: true, sequential: true });
  t.is(created.path, "/e-0000000001");
  await ensemble.stop();
  await t.throwsAsync(client.get("/a"), { name: "ClosedError" });
  await t.throwsAsync(ensemble.connect(), { message: "the ensemble is stopped" });
});

test.serial(
  "a node hands leadership over, and retires before it stops: its clients go on elsewhere",
  async (t) => {
    const ensemble = await ensembleOf(t, { nodes: 3 });
    const [first] = ensemble.nodes;
    const client = await ensemble.connect();
    await client.create("/count", "0");
    const { leader = 0 } = await leadershipOf(first);
    const target = (leader % 3) + 1;
    const from = ensemble.nodes[leader - 1];
    t.like(await from?.transferLeadership(9), { kind: "failed", leader });
    t.like(await from?.transferLeadership(target), { kind: "done", from: leader, to: target });
    t.like(await from?.transferLeadership(leader), { kind: "failed", leader: target });
    const next = ensemble.nodes[target - 1];
    const writes = Array.from({ length: 20 }, (_, version) =>
      client.set("/count", String(version + 1), { version }),
    );
    await next?.retire();
    await next?.stop();
    const versions = (await Promise.all(writes)).map(({ version }) => version);
    t.deepEqual(
      versions,
      [...writes.keys()].map((index) => index + 1),
    );
    t.not((await leadershipOf(from)).leader, target);
  },
);

function leadershipOf(node: RunningNode | undefined): Promise<Leadership> {
  if (node === undefined) throw new Error("no such node");
  const settled = ({ role }: Leadership): boolean => role === "leading" || role === "following";
  return firstValueFrom(node.leadership$.pipe(filter(settled)));
}

test.serial("with a folder the data is there again at the next start", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "zooid-ensemble-"));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const first = await ensembleOf(t, { dataDir });
  const client = await first.connect();
  await client.create("/a", "kept");
  await first.stop();
  t.deepEqual(await readdir(dataDir), ["node-1"]);
  const second = await ensembleOf(t, { dataDir });
  t.is((await (await second.connect()).get("/a")).data?.length, 4);
});

test.serial("over NATS it is the same, and clients of other processes are served", async (t) => {
  const nats = await startNatsServer();
  t.teardown(nats.stop);
  const ensemble = await ensembleOf(t, {
    nodes: 3,
    natsUrls: [nats.url],
    settings: { ensemble: "other" },
  });
  await (await ensemble.connect()).create("/a");
  const other = await connect(nats.url, { ensemble: "other" });
  t.teardown(() => other.close());
  await other.sync();
  t.deepEqual((await other.children("/a")).children, []);
});

test.serial("what cannot start is told, and all that was begun is released", async (t) => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, "127.0.0.1", () => {
      const address = taken.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const options = { nodes: 3, clientPorts: [0, port, 0] };
  const error = await t.throwsAsync(startEnsemble(options), { instanceOf: NodeStartError });
  t.true(error.message.includes(String(port)), error.message);
  taken.close();
  await ensembleOf(t, options);
});

test.serial("wrong options are refused in words", async (t) => {
  const refused = { name: "BadArgumentsError" };
  await t.throwsAsync(startEnsemble({ nodes: 8 }), { ...refused, message: /`nodes`.*1 to 7/ });
  await t.throwsAsync(startEnsemble({ clientPorts: [1, 2] }), {
    ...refused,
    message: /2 for 1 nodes/,
  });
  await t.throwsAsync(startEnsemble({ settings: { lanes: 2 } }), { ...refused, message: /lanes/ });
  await t.throwsAsync(startEnsemble({ settings: { tickTimeMs: -1 } }), {
    code: "ZOOID_CONFIGURATION",
  });
  const reason = new Error("not any more");
  await t.throwsAsync(startEnsemble({ signal: AbortSignal.abort(reason) }), { is: reason });
});
