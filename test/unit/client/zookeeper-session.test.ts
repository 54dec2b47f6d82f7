/** A client's session over ZooKeeper's protocol, against servers made of plain calls, under virtual time. */
import test from "ava";
import { ownerNumber } from "../../../client/zookeeper/session/state.ts";
import type { ZooKeeperWire } from "../../../client/zookeeper/wire.ts";
import { Code } from "../../../protocol/codes.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { FakeChannel } from "../../support/zookeeper-client/fake-channel.ts";
import { created, ended, GET, started, write } from "../../support/zookeeper-client/wire.ts";

function kinds(channel: FakeChannel): readonly string[] {
  return channel.asked.map(({ request }) => {
    if (request.kind === "read") return request.read.kind;
    return request.kind === "write" ? request.operation.kind : request.kind;
  });
}

test("what is asked in one turn goes out in one write, and is answered in its order", async (t) => {
  const { wire, channel, pass } = await started();
  channel.sends.length = 0;
  const order: number[] = [];
  const asked = [GET, GET, write({ kind: "setData", path: "/a", data: null, version: -1 }), GET];
  const all = asked.map((request, index) => wire.request(request).then(() => order.push(index)));
  await pass();
  await Promise.all(all);
  t.deepEqual(
    channel.sends.map(({ frames }) => frames),
    [4],
  );
  t.deepEqual(order, [0, 1, 2, 3]);
});

test("a create is answered with its path and Stat", async (t) => {
  const { wire, ensemble, pass } = await started();
  const answer = wire.request(
    write(created("/a/n-", "abc", { sequential: true, ephemeral: true })),
  );
  await pass();
  const { zxid, result } = await answer;
  t.is(zxid, ensemble.zxid);
  t.like(result, { kind: "created", path: "/a/n-0000000000" });
  t.like(result.kind === "created" && result.stat, {
    czxid: zxid,
    dataLength: 3,
    ephemeralOwner: 1,
  });
});

test("a server that knows no create2 is asked the older way, and the Stat is made of what it says", async (t) => {
  const old = [OpCode.create2, OpCode.addWatch, OpCode.whoAmI, OpCode.getEphemerals];
  const { wire, channel, pass, states, ensemble } = await started({
    prepare: ({ unknownCodes }) => old.forEach((code) => unknownCodes.add(code)),
  });
  const first = wire.request(write(created("/a/1", "abc")));
  const second = wire.request(write({ kind: "setData", path: "/a", data: null, version: -1 }));
  await pass(10);
  const { zxid, result } = await first;
  t.like(result, { kind: "created", path: "/a/1" });
  const stat = ensemble.znodes.get("/a/1")?.stat;
  t.deepEqual(result.kind === "created" && result.stat, stat);
  t.is(stat?.czxid, zxid);
  t.like((await second).result, { kind: "stat" });
  t.deepEqual(
    states.map(({ kind }) => kind),
    ["connecting", "connected", "reconnecting", "connected"],
  );
  // It is not asked again, nor for what came later than create2.
  const third = wire.request(write(created("/a/2")));
  const fourth = ended(wire.request({ kind: "whoAmI" }));
  await pass(200);
  t.like((await third).result, { kind: "created" });
  t.like(await fourth, { kind: "error", code: Code.unimplemented });
  t.is(channel.handshakes.length, 2);
});

test("no write is under way beside a request that a server may not know", async (t) => {
  const { wire, channel, pass } = await started({
    prepare: ({ unknownCodes }) => unknownCodes.add(OpCode.whoAmI),
  });
  const set = write({ kind: "setData", path: "/a", data: null, version: -1 });
  const answers = [set, { kind: "whoAmI" } as const, set, GET].map((each) =>
    ended(wire.request(each)),
  );
  await pass(10);
  t.deepEqual(
    (await Promise.all(answers)).map((each) => "kind" in each && each.kind),
    ["stat", "error", "stat", "data"],
  );
  t.is(channel.handshakes.length, 2);
});

test("a multi is answered with the Stats of what it created", async (t) => {
  const { wire, ensemble, pass } = await started();
  const operations = [
    created("/a/1", "abc"),
    created("/a/n-", "", { sequential: true }),
    { kind: "check", path: "/a", version: 0 } as const,
  ];
  const answer = wire.request({ kind: "write", operation: { kind: "multi", operations } });
  await pass();
  const { zxid, result } = await answer;
  t.is(zxid, ensemble.zxid);
  if (result.kind !== ("multi" as string)) return t.fail();
  const { results } = result as unknown as { results: readonly { path: string; stat: unknown }[] };
  t.deepEqual(results[0]?.stat, ensemble.znodes.get("/a/1")?.stat);
  t.deepEqual(results[1]?.stat, ensemble.znodes.get("/a/n-0000000001")?.stat);
  t.deepEqual(results[2] as unknown, { kind: "done" });
});

test("a create unless it exists is answered with what is there", async (t) => {
  const { wire, ensemble, pass } = await started();
  const answer = ended(wire.request(write({ ...created("/a"), unlessExists: true })));
  await pass();
  t.deepEqual(await answer, {
    kind: "created",
    path: "/a",
    stat: ensemble.znodes.get("/a")?.stat,
  } as never);
});

test("a chroot stands before every path, and is taken off every answer", async (t) => {
  const { wire, ensemble, pass } = await started({ chroot: "/a" });
  const made = wire.request(write(created("/b", "1", { sequential: true })));
  await pass();
  t.like((await made).result, { path: "/b0000000000" });
  t.true(ensemble.znodes.has("/a/b0000000000"));
  const nameless = wire.request(write(created("/", "", { sequential: true })));
  await pass();
  t.like((await nameless).result, { path: "/0000000001" });
  t.true(ensemble.znodes.has("/a/0000000001"));
  const operations = [
    created("/c"),
    { kind: "delete", path: "/b0000000000", version: -1 } as const,
  ];
  const multi = wire.request({ kind: "write", operation: { kind: "multi", operations } });
  const root = wire.request({
    kind: "read",
    read: { kind: "getChildren", path: "/", watch: false },
  });
  await pass();
  t.like((await multi).result, { results: { 0: { path: "/c" } } });
  t.deepEqual(((await root).result as { children: readonly string[] }).children.toSorted(), [
    "0000000001",
    "c",
  ]);
});

test("reads are asked again on the next connection, and a write whose connection is lost may have been done", async (t) => {
  const { wire, channel, ensemble, pass, states } = await started();
  await askOne(wire, pass);
  channel.automatic = false;
  const read = wire.request(GET);
  const sync = wire.request({ kind: "write", operation: { kind: "sync", path: "/a" } });
  const set = ended(wire.request(write({ kind: "setData", path: "/a", data: null, version: -1 })));
  await pass();
  channel.automatic = true;
  channel.cut("the cable");
  const later = wire.request(GET);
  await pass();
  t.like(await read, { zxid: ensemble.zxid, result: { kind: "data" } });
  t.like(await sync, { result: { kind: "done" } });
  t.like(await later, { result: { kind: "data" } });
  t.like(await set, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "unknown" });
  t.like(states.at(-2), { kind: "reconnecting", reason: "the cable", failures: 1 });
  t.is(channel.handshakes[1]?.session, 1);
  t.is(channel.handshakes[1]?.lastZxidSeen, wire.lastZxid);
});

for (const sequential of [false, true]) {
  const what = sequential ? "a sequential ephemeral" : "an ephemeral";
  test(`the create of ${what} whose answer is lost is found and answered`, async (t) => {
    const { wire, channel, ensemble, pass } = await started();
    await askOne(wire, pass);
    channel.automatic = false;
    const create = wire.request(write(created("/a/e-", "abc", { ephemeral: true, sequential })));
    await pass();
    channel.handleOne();
    const path = sequential ? "/a/e-0000000000" : "/a/e-";
    const stat = ensemble.znodes.get(path)?.stat;
    ensemble.write({ kind: "setData", path, data: null, version: -1 });
    channel.automatic = true;
    channel.cut();
    await pass();
    t.deepEqual(await create, {
      zxid: stat?.czxid as Zxid,
      result: { kind: "created", path, stat } as never,
    });
  });

  test(`the create of ${what} that never came is not taken for an older one`, async (t) => {
    const { wire, channel, pass } = await started();
    const older = wire.request(write(created("/a/e-", "", { ephemeral: true, sequential })));
    await pass();
    await older;
    channel.automatic = false;
    const create = ended(
      wire.request(write(created("/a/e-", "", { ephemeral: true, sequential }))),
    );
    await pass();
    channel.automatic = true;
    channel.cut();
    await pass();
    t.like(await create, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "unknown" });
  });

  test(`of two creates of ${what} neither is proved by one znode`, async (t) => {
    const { wire, channel, pass } = await started();
    await askOne(wire, pass);
    channel.automatic = false;
    const request = write(created("/a/e-", "", { ephemeral: true, sequential }));
    const creates = [request, request].map((each) => ended(wire.request(each)));
    await pass();
    channel.handleOne();
    channel.automatic = true;
    channel.cut();
    await pass();
    for (const each of await Promise.all(creates)) t.like(each, { maybeApplied: "unknown" });
  });
}

test("the create of an ephemeral is not proved by one that was given up before the connection was lost", async (t) => {
  const { wire, channel, pass } = await started();
  await askOne(wire, pass);
  channel.automatic = false;
  const request = write(created("/a/e-", "", { ephemeral: true, sequential: true }));
  const controller = new AbortController();
  const left = ended(wire.request(request, { signal: controller.signal }));
  await pass();
  controller.abort();
  const create = ended(wire.request(request));
  await pass();
  // The first is done, and the second one does not come.
  channel.handleOne();
  channel.automatic = true;
  channel.cut();
  await pass();
  t.like(await left, { code: "ZOOID_ABORTED", maybeApplied: "unknown" });
  t.like(await create, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "unknown" });
});

test("a transaction is known to be done if it created an ephemeral znode", async (t) => {
  const { wire, channel, pass } = await started();
  await askOne(wire, pass);
  channel.automatic = false;
  const operations = [
    created("/a/e", "", { ephemeral: true }),
    { kind: "setData", path: "/a", data: null, version: -1 } as const,
  ];
  const multi = ended(wire.request({ kind: "write", operation: { kind: "multi", operations } }));
  await pass();
  channel.handleOne();
  channel.automatic = true;
  channel.cut();
  await pass();
  t.like(await multi, { code: "ZOOID_CONNECTION_LOSS", maybeApplied: "yes" });
});

/** The server of this connection is known to know create2. */
async function askOne(wire: ZooKeeperWire, pass: () => Promise<void>): Promise<void> {
  const answer = wire.request(write(created("/first")));
  await pass();
  await answer;
}

test("a call that has no time left fails, and what it may have done is told", async (t) => {
  const { wire, channel, pass } = await started();
  channel.automatic = false;
  const late = ended(wire.request(GET, { timeoutMs: 100 }));
  const set = ended(
    wire.request(write({ kind: "setData", path: "/a", data: null, version: -1 }), {
      timeoutMs: 200,
    }),
  );
  await pass(150);
  t.like(await late, { code: "ZOOID_OPERATION_TIMEOUT", maybeApplied: "no" });
  await pass(100);
  t.like(await set, { code: "ZOOID_OPERATION_TIMEOUT", maybeApplied: "unknown" });
  // The answers come all the same, and are for nobody.
  const next = wire.request(GET);
  channel.automatic = true;
  while (channel.handleOne()) await pass();
  t.like(await next, { result: { kind: "data" } });
  t.is(channel.handshakes.length, 1);
});

test("a ping tells nothing of what the session has seen: its zxid may be of writes that are answered later", async (t) => {
  const { wire, ensemble, pass } = await started();
  await askOne(wire, pass);
  const before = wire.lastZxid;
  ensemble.write(created("/other"));
  await pass(10_000);
  t.is(wire.lastZxid, before);
});

test("a call that is aborted is rejected with the reason, sent or not", async (t) => {
  const { wire, channel, pass } = await started();
  channel.automatic = false;
  const before = new AbortController();
  const after = new AbortController();
  const set = write({ kind: "setData", path: "/a", data: null, version: -1 });
  const first = ended(wire.request(set, { signal: before.signal }));
  before.abort("why");
  await pass();
  t.like(await first, {
    name: "AbortError",
    code: "ZOOID_ABORTED",
    cause: "why",
    maybeApplied: "no",
  });
  t.deepEqual(kinds(channel), []);
  const second = ended(wire.request(set, { signal: after.signal }));
  await pass();
  after.abort();
  t.like(await second, { code: "ZOOID_ABORTED", maybeApplied: "unknown" });
  t.like(await ended(wire.request(set, { signal: after.signal })), { maybeApplied: "no" });
});

test("a session that nobody uses is kept alive by a ping in each third of its timeout", async (t) => {
  const { wire, channel, pass, clock } = await started();
  await pass(60_000);
  t.is(wire.state.kind, "connected");
  t.is(channel.handshakes.length, 1);
  t.true(channel.pings >= 30 && channel.pings <= 31, `${channel.pings}`);
  t.true(wire.validUntilMs - clock.nowMs() > 6_000 * 0.2);
});

test("a server that is silent for two thirds of the timeout is left for another one", async (t) => {
  const hosts = ["one", "two", "three"].map((host) => ({ host, port: 1 }));
  const { wire, channel, pass, states } = await started({ hosts });
  const [first] = channel.dialed;
  channel.automatic = false;
  await pass(3_990);
  t.is(wire.state.kind, "connected");
  channel.automatic = true;
  await pass(20);
  t.like(states.at(-2), { kind: "reconnecting", reason: "the server is silent" });
  t.is(wire.state.kind, "connected");
  t.not(channel.dialed.at(-1)?.address.host, first?.address.host);
});

test("validity counts from when what was answered had been sent", async (t) => {
  const { wire, channel, pass, clock } = await started();
  channel.automatic = false;
  const answer = wire.request(GET);
  await pass();
  const sentMs = clock.nowMs();
  await pass(1_000);
  const before = wire.validUntilMs;
  channel.handleOne();
  channel.deliverOne();
  await answer;
  t.true(wire.validUntilMs > before);
  // A server may answer for a third of the timeout without its leader.
  t.true(wire.validUntilMs <= sentMs + (6_000 * 2) / 3);
});

test("every host is tried, and all addresses of each, before the client waits; names are resolved each time", async (t) => {
  const hosts = ["one", "two"].map((host) => ({ host, port: 1 }));
  const { channel, pass, wire } = await started({
    hosts,
    prepare: (fake) => {
      fake.addresses = (host) => [`${host}-a`, `${host}-b`];
      fake.listens = ({ address }) => address === "two-b" && fake.dialed.length > 8;
    },
  });
  await pass(5_000);
  t.is(wire.state.kind, "connected");
  const tried = channel.dialed.slice(0, 4).map(({ address }) => address.address);
  t.deepEqual(tried.toSorted(), ["one-a", "one-b", "two-a", "two-b"]);
  t.is(
    channel.resolved.filter((host) => host === "one").length,
    channel.dialed.length > 10 ? 3 : 2,
  );
});

test("an address that does not answer is given up in time", async (t) => {
  const { channel, pass, wire, clock } = await started({
    prepare: (fake) => {
      fake.silent = true;
    },
  });
  await pass(2_100);
  t.true(channel.dialed.length >= 2);
  channel.silent = false;
  await pass(4_000);
  t.is(wire.state.kind, "connected");
  t.true(clock.nowMs() < 7_000);
});

test("a server that only reads is not taken", async (t) => {
  const { channel, pass, wire } = await started({
    prepare: (fake) => {
      fake.readOnly = true;
    },
  });
  t.is(wire.state.kind, "connecting");
  t.regex(wire.lastProblem, /only reads/);
  channel.readOnly = false;
  await pass(1_000);
  t.is(wire.state.kind, "connected");
});

test("a session that has expired fails all that waits, and is over", async (t) => {
  const { wire, channel, pass, states } = await started();
  channel.automatic = false;
  const set = ended(wire.request(write({ kind: "setData", path: "/a", data: null, version: -1 })));
  await pass();
  channel.expire();
  channel.automatic = true;
  channel.cut();
  const read = ended(wire.request(GET));
  await pass();
  t.like(await set, { code: "ZOOID_CONNECTION_LOSS" });
  t.like(await read, { code: "ZOOID_SESSION_EXPIRED", maybeApplied: "no" });
  t.like(states.at(-1), { kind: "expired" });
  t.like(await ended(wire.request(GET)), { code: "ZOOID_SESSION_EXPIRED" });
  t.is(wire.validUntilMs, -Infinity);
  t.true(channel.closed);
});

test("closing ends the session at its server, and whatever waits fails", async (t) => {
  const { wire, channel, ensemble, pass } = await started();
  const create = wire.request(write(created("/a/e", "", { ephemeral: true })));
  await pass();
  await create;
  const closing = wire.close();
  await pass();
  await closing;
  t.false(ensemble.znodes.has("/a/e"));
  t.is(wire.state.kind, "closed");
  t.true(channel.closed);
  t.like(await ended(wire.request(GET)), { code: "ZOOID_CLOSED" });
});

test("identities are proved on each connection before anything else", async (t) => {
  const proofs = [Buffer.from("u:p"), Buffer.from("v:q")];
  const { wire, channel, pass } = await started({ proofs });
  const first = wire.request(GET);
  await pass();
  await first;
  channel.cut();
  const second = wire.request(GET);
  await pass();
  await second;
  const once = ["auth", "auth", "getData"];
  t.deepEqual(kinds(channel), [...once, ...once]);
});

test("connections that are lost soon after each other are replaced ever later", async (t) => {
  const { channel, pass, states } = await started();
  for (let round = 0; round < 6; round += 1) {
    channel.cut();
    await pass(2_000);
  }
  const failures = states.flatMap((state) =>
    state.kind === "reconnecting" ? [state.failures] : [],
  );
  t.deepEqual(failures, [1, 2, 3, 4, 5, 6]);
});

test("a request that no server takes is refused before it is sent", async (t) => {
  const { wire, channel, pass } = await started();
  const data = Buffer.alloc(1_048_576);
  const set = ended(wire.request(write({ kind: "setData", path: "/a", data, version: -1 })));
  await pass();
  t.like(await set, { code: "ZOOID_BAD_ARGUMENTS" });
  t.deepEqual(kinds(channel), []);
});

test("a session of Apache ZooKeeper is not taken for another one that has the same number", (t) => {
  const own = 0x1000_1234_5678_0001n;
  t.is(ownerNumber(own, own), Number(own));
  t.is(Number(own + 1n), Number(own));
  t.not(ownerNumber(own, own + 1n), Number(own));
  t.is(ownerNumber(own, 0n), 0);
});
