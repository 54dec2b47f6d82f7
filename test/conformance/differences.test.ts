/** Where zooid means to differ from ZooKeeper 3.8, both sides are held to what they do, so that the reason stays true. */
import anyTest, { type TestFn } from "ava";
import { startAlone, withPair, type Pair } from "../support/pair.ts";
import { ZkClient } from "../support/zk-client.ts";
import {
  type AclEntry,
  addWatch,
  auth,
  check,
  create,
  exists,
  getAcl,
  getData,
  Mode,
  multi,
  type Operation,
  ping,
  remove,
  setAcl,
  setData,
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

test("several kinds of watches of a connection on one path are kept, as in ZooKeeper since 3.9", async (t) => {
  const { zookeeper, zooid } = pair();
  const told = async (port: number): Promise<readonly number[]> => {
    const client = await ZkClient.connect({ port });
    await client.request(create("/kinds"));
    await client.request(addWatch("/kinds", 1));
    await client.request(getData("/kinds", true));
    await client.request(create("/kinds/below"));
    await client.request(setData("/kinds", "x"));
    await client.barrier();
    const events = await client.events(1);
    await client.close();
    return events.map(({ type }) => type);
  };
  t.deepEqual(await told(zooid.port), [1, 3]);
  t.deepEqual(await told(zookeeper.port), [3]);
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
  // A node of its own: a check that fails is answered there too, and other tests write to `/zookeeper`.
  await theirs.request(create("/checked"));
  await t.throwsAsync(theirs.request(check("/checked", 0)));
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

async function codesOf(port: number, ...requests: readonly Operation[]): Promise<number[]> {
  const client = await ZkClient.connect({ port });
  const codes: number[] = [];
  for (const request of requests) codes.push((await client.request(request)).code);
  await client.close();
  return codes;
}

test("an access control list that would have to be enforced is not valid; ZooKeeper stores it", async (t) => {
  const { zookeeper, zooid } = pair();
  const lists: readonly (readonly AclEntry[])[] = [
    [{ perms: 1, scheme: "world", id: "anyone" }],
    [{ perms: 31, scheme: "digest", id: "user:hash" }],
    [{ perms: 31, scheme: "ip", id: "127.0.0.1" }],
    [
      { perms: 31, scheme: "world", id: "anyone" },
      { perms: 31, scheme: "ip", id: "127.0.0.1" },
    ],
  ];
  for (const [index, acl] of lists.entries()) {
    const path = `/acl-${index}`;
    const asked = [create(path, "", { acl }), create(path), setAcl(path, acl), getAcl(path)];
    t.deepEqual(await codesOf(zooid.port, ...asked), [-114, 0, -114, 0]);
    const [created, again, set] = await codesOf(zookeeper.port, ...asked);
    t.is(created, 0);
    t.is(again, -110);
    // With the first two this client is no administrator of the node any more.
    t.is(set, index < 2 ? -102 : 0);
  }
});

test("what is below /zookeeper cannot be written; in ZooKeeper all but its configuration can", async (t) => {
  const { zookeeper, zooid } = pair();
  const asked = [
    setData("/zookeeper", "x"),
    setData("/zookeeper/quota", "x"),
    create("/zookeeper/a"),
    setAcl("/zookeeper/quota", [{ perms: 31, scheme: "world", id: "anyone" }]),
    remove("/zookeeper/a"),
    multi(setData("/zookeeper", "y")),
    setData("/zookeeper/config", "x"),
    remove("/zookeeper/config"),
    getData("/zookeeper/config"),
  ];
  const noAuth = -102;
  t.deepEqual(await codesOf(zooid.port, ...asked), [
    ...asked.slice(0, 5).map(() => noAuth),
    0,
    noAuth,
    -8,
    0,
  ]);
  t.deepEqual(await codesOf(zookeeper.port, ...asked), [0, 0, 0, 0, 0, 0, noAuth, -8, 0]);
});

test("authentication always fails and ends the connection; ZooKeeper takes on a digest", async (t) => {
  const { zookeeper, zooid } = pair();
  const ours = await ZkClient.connect(zooid);
  t.is((await ours.request(auth("digest", "user:secret"))).code, -115);
  await ours.closed;
  const theirs = await ZkClient.connect(zookeeper);
  t.is((await theirs.request(auth("digest", "user:secret"))).code, 0);
  t.is((await theirs.request(ping())).code, 0);
  await theirs.close();
});

test("a path of more than 8192 characters cannot be created; ZooKeeper's may be as long as a packet", async (t) => {
  const { zookeeper, zooid } = pair();
  const long = `/${"a".repeat(8192)}`;
  const asked = [create(long), exists(long), create(long.slice(1, -1)), create(long.slice(0, -1))];
  t.deepEqual(await codesOf(zooid.port, ...asked), [-8, -101, -8, 0]);
  t.deepEqual(await codesOf(zookeeper.port, ...asked), [0, 0, -8, 0]);
});
