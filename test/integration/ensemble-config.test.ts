/** Three nodes tell their clients of each other, and enforce quotas as their leader is configured. */
import test from "ava";
import { MemoryEnsemble } from "../support/running-nodes.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getConfig, remove } from "../support/zookeeper-client/operations.ts";

const ADDRESSES = "1=db1:2888:3888;2181,2=db2:2888:3888;2181,3=db3:2888:3888";
const SHOWN = [
  "server.1=db1:2888:3888:participant;0.0.0.0:2181",
  "server.2=db2:2888:3888:participant;0.0.0.0:2181",
  "server.3=db3:2888:3888:participant",
  "version=0",
].join("\n");

test.serial(
  "clients of each node read the members' addresses, and a quota holds on each",
  async (t) => {
    const flags = { servers: ADDRESSES, "enforce-quota": "true" };
    const ensemble = await MemoryEnsemble.launch(() => flags);
    t.teardown(() => ensemble.stop());
    const nodes = await ensemble.ready();
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
  },
);
