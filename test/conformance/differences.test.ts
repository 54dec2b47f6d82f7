/** Where zooid means to differ from ZooKeeper 3.8, both sides are held to what they do, so that the reason stays true. */
import anyTest, { type TestFn } from "ava";
import { startAlone, withPair, type Pair } from "../support/pair.ts";
import { ZkClient } from "../support/zk-client.ts";
import {
  check,
  create,
  exists,
  getData,
  Mode,
  ping,
  remove,
  setData,
  unknown,
} from "../support/zk-operations.ts";

const test = anyTest as TestFn<Pair>;
const pair = withPair(test, startAlone);

test("a watch event carries the zxid of its change, as ZooKeeper's do since 3.9", async (t) => {
  const { zookeeper, zooid } = pair();
  const carried = async (port: number): Promise<readonly boolean[]> => {
    const client = await ZkClient.connect({ port });
    await client.request(create("/carried"));
    await client.request(getData("/carried", true));
    const changed = await client.request(setData("/carried", "x"));
    await client.request(exists("/carried", true));
    const deleted = await client.request(remove("/carried"));
    const events = await client.events(2);
    await client.close();
    return events.map((event, index) => event.zxid === [changed, deleted][index]?.zxid);
  };
  t.deepEqual(await carried(zooid.port), [true, true]);
  t.deepEqual(await carried(zookeeper.port), [false, false]);
});

test("after an operation that does not exist the connection goes on; ZooKeeper closes it", async (t) => {
  const { zookeeper, zooid } = pair();
  const ours = await ZkClient.connect(zooid);
  t.is((await ours.request(unknown(77))).code, -6);
  t.is((await ours.request(ping())).code, 0);
  await ours.close();
  const theirs = await ZkClient.connect(zookeeper);
  t.is((await theirs.request(unknown(77))).code, -6);
  await theirs.closed;
  t.pass();
});

test("a check outside a multi is answered; ZooKeeper says nothing until the session expires", async (t) => {
  const { zookeeper, zooid } = pair();
  const ours = await ZkClient.connect(zooid);
  await ours.request(create("/checked"));
  const checks = [
    check("/checked", 0),
    check("/checked", -1),
    check("/checked", 3),
    check("/absent", 0),
  ];
  const codes = await Promise.all(checks.map(async (one) => (await ours.request(one)).code));
  t.deepEqual(codes, [0, 0, -103, -101]);
  await ours.close();
  const theirs = await ZkClient.connect({ ...zookeeper, timeoutMs: 1_000 });
  await t.throwsAsync(theirs.request(check("/zookeeper", 0)));
});

test("a wrong password leaves the session's connection alone; ZooKeeper cuts it", async (t) => {
  const { zookeeper, zooid } = pair();
  const intrude = async (port: number): Promise<ZkClient> => {
    const client = await ZkClient.connect({ port });
    await client.request(create("/intruded", "", { mode: Mode.ephemeral }));
    const { sessionId } = client.grant;
    const intruder = await ZkClient.connect({ port, sessionId, password: Buffer.alloc(16, 1) });
    t.is(intruder.grant.sessionId, 0n);
    await intruder.closed;
    return client;
  };
  const ours = await intrude(zooid.port);
  t.is((await ours.request(exists("/intruded"))).code, 0);
  await ours.close();
  const theirs = await intrude(zookeeper.port);
  await theirs.closed;
  t.pass();
});
