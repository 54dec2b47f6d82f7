/** A server without a quorum, in read-only mode: ZooKeeper and zooid serve the same clients, and refuse the same. */
import anyTest, { type TestFn } from "ava";
import { fourLetters } from "../support/four-letters.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { type Pair, type Server, withPair } from "../support/pair.ts";
import { found } from "../support/until.ts";
import { startZooid } from "../support/zooid.ts";
import { type Received, ZkClient } from "../support/zookeeper-client/client.ts";
import {
  closeSession,
  create,
  exists,
  getChildren,
  getData,
  Mode,
  multi,
  type Operation,
  ping,
  remove,
  setData,
  sync,
} from "../support/zookeeper-client/operations.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";

const test = anyTest as TestFn<Pair>;

/** Node 1 of three, alone. */
async function startZooidWithoutQuorum(): Promise<Server> {
  const nats = await startNatsServer();
  const servers = [1, 2, 3].map((id) => `server.${id}=127.0.0.1:2888:3888`);
  const node = await startZooid({
    lines: [...servers, `zooid.nats=${nats.url}`, "readonlymode.enabled=true"],
    mode: "read-only",
  });
  const stop = async (): Promise<void> => {
    await node.stop();
    await nats.stop();
  };
  return { host: "127.0.0.1", port: node.port, stop };
}

const pair = withPair(test, startZooidWithoutQuorum, () => startZookeeper({ readOnly: true }));

/** A server that has just lost its quorum may turn the first away. */
function settled(port: number): Promise<ZkClient> {
  const connect = (): Promise<ZkClient | undefined> =>
    ZkClient.connect({ port, readOnly: true }).catch(() => undefined);
  return found(connect, `${port} takes a client that may only read`);
}

async function answers(port: number, operations: readonly Operation[]): Promise<readonly string[]> {
  const client = await settled(port);
  const lines = [`read-only: ${client.grant.readOnly}`];
  for (const operation of operations) {
    const { label, code } = await client.request(operation);
    lines.push(`${label}: ${code}`);
  }
  await client.close();
  return [...lines, ...client.received.filter(isEnd).map(({ kind }) => kind)];
}

function isEnd({ kind }: Received): boolean {
  return kind === "closed";
}

test("reads and watches are served, every write is refused, and the session can be closed", async (t) => {
  const { zookeeper, zooid } = pair();
  const operations = [
    getChildren("/"),
    exists("/", true),
    exists("/missing", true),
    getData("/zookeeper"),
    getData("/missing"),
    ping(),
    create("/a"),
    create("/a", null, { mode: Mode.ephemeral }),
    setData("/", "x"),
    setData("/missing", "x"),
    remove("/missing"),
    multi(create("/a"), create("/b")),
    sync("/"),
    getData("/"),
  ];
  const expected = await answers(zookeeper.port, operations);
  t.deepEqual(await answers(zooid.port, operations), expected);
  t.is(expected[0], "read-only: true");
  t.is(expected.filter((line) => line.endsWith(": -119")).length, 7);
});

test("who does not ask for it is turned away", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const { port } of [zookeeper, zooid]) {
    await (await settled(port)).close();
    await t.throwsAsync(ZkClient.connect({ port, readOnly: false }));
    await t.throwsAsync(ZkClient.connect({ port, readOnly: "absent" }));
  }
});

test("who has seen more than the server has is turned away", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const { port } of [zookeeper, zooid]) {
    await (await settled(port)).close();
    const lastZxidSeen = 0x5_0000_0000n;
    await t.throwsAsync(ZkClient.connect({ port, readOnly: true, lastZxidSeen }));
  }
});

test("the words tell the mode", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const { port } of [zookeeper, zooid]) {
    await (await settled(port)).close();
    t.is(await fourLetters({ port }, "isro"), "ro");
    t.regex(await fourLetters({ port }, "srvr"), /^Mode: read-only$/m);
  }
});

test("the end of a session is its connection's end", async (t) => {
  const { zooid } = pair();
  const client = await settled(zooid.port);
  t.is((await client.request(closeSession())).code, 0);
  await client.closed;
});
