/** The lanes of a node are one server for its clients: what one of them was told, all of them find. */
import test from "ava";
import { startZooid } from "../support/zooid.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData, setData } from "../support/zookeeper-client/operations.ts";

const LANES = 4;
const CLIENTS = 12;
const ROUNDS = 400;

test.serial("a write whose reply one client has is seen by the clients of all lanes", async (t) => {
  const node = await startZooid({ lines: [`zooid.lanes=${LANES}`] });
  try {
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        ZkClient.connect({ port: node.port, timeoutMs: 10_000 }),
      ),
    );
    const [first] = clients;
    t.is((await first?.request(create("/seen", "")))?.code, 0);
    const older: unknown[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const writer = clients[round % CLIENTS];
      await writer?.request(setData("/seen", String(round)));
      const reads = await Promise.all(clients.map((each) => each.request(getData("/seen"))));
      for (const { text } of reads) {
        if (text[0] !== `"${round}"`) older.push({ read: text[0], after: round });
      }
    }
    t.deepEqual(older, []);
    await Promise.all(clients.map((each) => each.close()));
  } finally {
    await node.stop();
  }
});
