/** Three nodes tell their clients of each other, and enforce quotas as their leader is configured. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
import { realClock } from "../../runtime/real-clock.ts";
import { loadConfig } from "../../server/config/load.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import { ZkClient } from "../support/zk-client.ts";
import { create, getConfig, remove } from "../support/zk-operations.ts";

const ADDRESSES = "1=db1:2888:3888;2181,2=db2:2888:3888;2181,3=db3:2888:3888";
const SHOWN = [
  "server.1=db1:2888:3888:participant;0.0.0.0:2181",
  "server.2=db2:2888:3888:participant;0.0.0.0:2181",
  "server.3=db3:2888:3888:participant",
  "version=0",
].join("\n");

async function launch(network: MemoryNetwork, id: string, dataDir: string): Promise<RunningNode> {
  const flags = new Map([
    ["id", id],
    ["members", "1,2,3"],
    ["servers", ADDRESSES],
    ["data-dir", dataDir],
    ["client-port", "0"],
    ["client-port-address", "127.0.0.1"],
    ["lanes", "0"],
    ["enforce-quota", "true"],
  ]);
  const loaded = loadConfig({ transport: "memory", flags });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return launchNode(loaded.config, { transport: network.join(loaded.config.id) });
}

test("clients of each node read the members' addresses, and a quota holds on each", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-config-"));
  const network = new MemoryNetwork(realClock);
  const nodes = await Promise.all(
    ["1", "2", "3"].map((id) => launch(network, id, join(folder, id))),
  );
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  await Promise.all(nodes.map((node) => node.ready));
  for (const [index, { clientPort: port }] of nodes.entries()) {
    const client = await ZkClient.connect({ port });
    const { text } = await client.request(getConfig());
    t.deepEqual(text, [SHOWN]);
    const path = `/limited-${index}`;
    const quota = `/zookeeper/quota${path}`;
    await client.request(create(path));
    await client.request(create(quota));
    await client.request(
      create(`${quota}/zookeeper_limits`, "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2"),
    );
    await client.request(create(`${quota}/zookeeper_stats`, "count=0,bytes=0"));
    t.is((await client.request(create(`${path}/1`))).code, 0);
    t.is((await client.request(create(`${path}/2`))).code, -125);
    t.is((await client.request(remove(`${path}/1`))).code, 0);
    t.is((await client.request(create(`${path}/2`))).code, 0);
    await client.close();
  }
});
