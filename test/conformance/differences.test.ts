/** Where zooid means to differ from ZooKeeper 3.8, both sides are held to what they do, so that the reason stays true. */
import anyTest, { type TestFn } from "ava";
import { startAlone, withPair, type Pair } from "../support/pair.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  addWatch,
  auth,
  check,
  create,
  exists,
  getData,
  Mode,
  type Operation,
  remove,
  setData,
  setWatches2,
} from "../support/zookeeper-client/operations.ts";

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

test("watches that stay are told of what their client has missed; ZooKeeper tells them nothing", async (t) => {
  const { zookeeper, zooid } = pair();
  const missed = async (port: number): Promise<readonly string[]> => {
    const client = await ZkClient.connect({ port });
    const { zxid } = await client.request(create("/missed"));
    await client.request(create("/missed/child"));
    await client.request(setData("/missed/child", "x"));
    const lists = { persistent: ["/missed"], recursive: ["/missed/child"] };
    await client.request(setWatches2(zxid, lists));
    await client.request(setData("/missed", "x"));
    const events: string[] = [];
    while (events.at(-1) !== "3 /missed") {
      events.push(...(await client.events(1)).map(({ type, path }) => `${type} ${path}`));
    }
    await client.close();
    return events;
  };
  const changes = ["1 /missed/child", "4 /missed", "3 /missed/child", "3 /missed"];
  t.deepEqual(await missed(zooid.port), changes);
  t.deepEqual(await missed(zookeeper.port), changes.slice(-1));
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

test("a list of more than 64 entries, or with a long id, is not valid; ZooKeeper stores it", async (t) => {
  const { zookeeper, zooid } = pair();
  const address = (count: number): string => `10.0.0.${count}`;
  const many = Array.from({ length: 65 }, (_, count) => ({
    perms: 31,
    scheme: "ip",
    id: address(count),
  }));
  const long = [{ perms: 31, scheme: "digest", id: `user:${"h".repeat(1020)}` }];
  const asked = [
    create("/many", "", { acl: many }),
    create("/long-id", "", { acl: long }),
    create("/most", "", { acl: many.slice(1) }),
  ];
  t.deepEqual(await codesOf(zooid.port, ...asked), [-114, -114, 0]);
  t.deepEqual(await codesOf(zookeeper.port, ...asked), [0, 0, 0]);
});

test("a connection proves 32 identities at most; in ZooKeeper as many as it likes", async (t) => {
  const { zookeeper, zooid } = pair();
  const proofs = Array.from({ length: 33 }, (_, count) => auth("digest", `user${count}:secret`));
  const ours = await ZkClient.connect(zooid);
  for (const [index, proof] of proofs.entries()) {
    t.is((await ours.request(proof)).code, index < 32 ? 0 : -115);
  }
  await ours.closed;
  t.deepEqual(new Set(await codesOf(zookeeper.port, ...proofs)), new Set([0]));
});

test("a path of more than 8192 characters cannot be created; ZooKeeper's may be as long as a packet", async (t) => {
  const { zookeeper, zooid } = pair();
  const long = `/${"a".repeat(8192)}`;
  const asked = [create(long), exists(long), create(long.slice(1, -1)), create(long.slice(0, -1))];
  t.deepEqual(await codesOf(zooid.port, ...asked), [-8, -101, -8, 0]);
  t.deepEqual(await codesOf(zookeeper.port, ...asked), [0, 0, -8, 0]);
});

test("a request that is too long is answered, and then its connection is closed; ZooKeeper closes it without an answer", async (t) => {
  const { zookeeper, zooid } = pair();
  const told = async (port: number): Promise<readonly unknown[]> => {
    const client = await ZkClient.connect({ port });
    await client.request(create("/oversized"));
    const asked = [
      setData("/oversized", "x"),
      setData("/oversized", "x".repeat(2 ** 20)),
      exists("/oversized"),
    ];
    const answers = await Promise.allSettled(asked.map((each) => client.request(each)));
    await client.closed;
    return answers.map((answer) => (answer.status === "fulfilled" ? answer.value.code : "closed"));
  };
  t.deepEqual(await told(zooid.port), [0, -8, "closed"]);
  t.deepEqual((await told(zookeeper.port)).slice(1), ["closed", "closed"]);
});
