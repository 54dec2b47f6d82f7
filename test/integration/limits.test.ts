/** What clients may ask of a node at once, and a log in a folder of its own, with a real node. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type NodeSettings, type RunningNode, startNode } from "../../server/start.ts";
import { fourLetters } from "../support/four-letters.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData, setData } from "../support/zookeeper-client/operations.ts";

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-limits-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(t: ExecutionContext, settings: NodeSettings): Promise<RunningNode> {
  const address = { clientPort: 0, clientPortAddress: "127.0.0.1", lanes: 0 };
  const node = await startNode({ ...address, ...settings });
  t.teardown(() => node.stop());
  await node.ready;
  return node;
}

async function outstanding(port: number): Promise<number> {
  const text = await fourLetters({ port }, "mntr");
  return Number(/zk_outstanding_requests\t(\d+)/.exec(text)?.[1]);
}

test.serial(
  "clients that flood a node wait for each other, and one that asks one by one is served meanwhile",
  async (t) => {
    const limits = { maxOutstandingRequests: 32, sessionTokens: 3, sessionTokenFillMs: 20 };
    const { clientPort: port } = await start(t, { dataDir: folderOf(t), ...limits });
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => ZkClient.connect({ port, timeoutMs: 40_000 })),
    );
    t.true(
      clients.every(({ grant }) => grant.sessionId !== 0n),
      "who found no token had to wait",
    );
    const [polite, ...flooding] = clients as [ZkClient, ...ZkClient[]];
    await polite.request(create("/flooded"));
    const floods = flooding.flatMap((client) =>
      Array.from({ length: 200 }, () => client.request(setData("/flooded", "x"))),
    );
    let most = 0;
    for (let count = 0; count < 20; count += 1) {
      const { code } = await polite.request(getData("/flooded"));
      t.is(code, 0);
      if (count % 5 === 0) most = Math.max(most, await outstanding(port));
    }
    const replies = await Promise.all(floods);
    t.true(replies.every(({ code }) => code === 0));
    t.is(replies.length, 2200);
    t.true(most <= 32 + clients.length, `${most} requests were under way`);
    await Promise.all(clients.map((client) => client.close()));
  },
);

test.serial(
  "the log lies in its own folder, from where a start goes on, and which no older copy replaces",
  async (t) => {
    const root = folderOf(t);
    const dataDir = join(root, "data");
    const dataLogDir = join(root, "log");
    const write = async (settings: NodeSettings, path: string): Promise<void> => {
      const node = await start(t, settings);
      const client = await ZkClient.connect({ port: node.clientPort });
      t.is((await client.request(create(path))).code, 0);
      await client.close();
      await node.stop();
    };
    await write({ dataDir }, "/before");
    await write({ dataDir, dataLogDir }, "/first");
    const isOfLog = (name: string): boolean => name.startsWith("log.");
    t.false(readdirSync(dataDir).some(isOfLog), "what lay there was moved");
    t.true(readdirSync(dataLogDir).some(isOfLog));
    await t.throwsAsync(start(t, { dataDir }), { message: /give dataLogDir=/ });
    const old = join(root, "old");
    cpSync(dataLogDir, old, { recursive: true });
    await write({ dataDir, dataLogDir }, "/second");
    // Every start writes down where the log ends.
    await (await start(t, { dataDir, dataLogDir })).stop();
    rmSync(dataLogDir, { recursive: true });
    await t.throwsAsync(start(t, { dataDir, dataLogDir }), { message: /does not hold the log/ });
    await t.throwsAsync(start(t, { dataDir, dataLogDir: old }), { message: /log-end|lost/ });
  },
);
