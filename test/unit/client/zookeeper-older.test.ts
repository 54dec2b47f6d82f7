/** A client's session over ZooKeeper's protocol with a server of ZooKeeper 3.4.14, whose answers were recorded. */
import test from "ava";
import { Client, UnsupportedError } from "../../../client/connect.ts";
import { connectedWithin } from "../../../client/session-wire.ts";
import { ZooKeeperWire } from "../../../client/zookeeper/wire.ts";
import { CONTAINER, ttlOf } from "../../../protocol/lifetime.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import { VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { RecordedServer } from "../../support/zookeeper-client/recorded-answers.ts";
import { created, ended, GET, started, write } from "../../support/zookeeper-client/wire.ts";

type Opened = {
  readonly wire: ZooKeeperWire;
  readonly server: RecordedServer;
  readonly clock: VirtualClock;
  readonly pass: () => Promise<void>;
};

function opened({ sasl = false } = {}): Opened {
  const clock = new VirtualClock();
  const soon = (run: () => void): void => clock.soon(run);
  const server = new RecordedServer(soon);
  server.closesOverLogins = sasl;
  const session = {
    ...{ hosts: [{ host: "one", port: 1 }], chroot: "", proofs: [], sasl },
    ...{ sessionTimeoutMs: 6_000, operationTimeoutMs: 30_000 },
  };
  const environment = {
    ...{ nowMs: () => clock.nowMs(), random: () => 0.5, soon },
    after: (delayMs: number, run: () => void) => clock.after(delayMs, run),
  };
  const wire = new ZooKeeperWire(server, { session }, environment);
  const pass = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      clock.advance(50);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  return { wire, server, clock, pass };
}

test("an idle client stays connected: its pings are answered", async (t) => {
  const { wire, server, pass } = opened();
  const asked = ended(wire.request(GET));
  await pass();
  t.like(await asked, { kind: "data" });
  // Four times as long as a session lasts without a ping.
  for (let second = 0; second < 24; second += 1) await pass();
  t.is(server.connections, 1);
  t.true(server.pings > 4);
});

test("a create that an older server does not know goes alone, and nothing is asked before its turn", async (t) => {
  const { wire, server, pass } = opened();
  const exists = { kind: "read", read: { kind: "exists", path: "/a", watch: false } } as const;
  const asked = [GET, GET, write(created("/a", "x")), exists, GET].map((each) =>
    ended(wire.request(each)),
  );
  await pass();
  t.deepEqual(
    (await Promise.all(asked)).map((each) => "kind" in each && each.kind),
    ["data", "data", "created", "stat", "data"],
  );
  const [first = 0] = server.asked.map(({ connection }) => connection);
  const on = (isFirst: boolean): number[] =>
    server.asked
      .filter(({ connection }) => (connection === first) === isFirst)
      .map(({ opCode }) => opCode);
  t.deepEqual(on(true), [OpCode.getData, OpCode.getData, OpCode.create2]);
  // The exists in the end tells when the znode was created.
  const { create, getData } = OpCode;
  t.deepEqual(on(false), [create, OpCode.exists, getData, OpCode.exists]);
  t.is(server.connections, 2);
});

test("creates of one turn go together once the server is known to be older, and stay in their places", async (t) => {
  const { wire, server, pass } = opened();
  const before = ended(wire.request(write(created("/a", "x"))));
  await pass();
  await before;
  server.asked.length = 0;
  const requests = [write(created("/a", "x")), GET, write(created("/a", "x")), GET];
  const all = Promise.all(requests.map((each) => ended(wire.request(each))));
  await pass();
  await all;
  const codes = server.asked.map(({ opCode }) => opCode).slice(0, 4);
  t.deepEqual(codes, [OpCode.create, OpCode.getData, OpCode.create, OpCode.getData]);
});

for (const [name, lifetime] of [
  ["a container", CONTAINER],
  ["a znode with a TTL", ttlOf(1_000)],
] as const) {
  test(`${name} is refused by an older server, once, and nothing beside it is lost`, async (t) => {
    const { wire, server, pass } = opened();
    const mode = { ephemeral: false, sequential: false, lifetime };
    const unknown = write(created("/c", "", mode));
    const multi = write({ kind: "multi", operations: [created("/m"), created("/c", "", mode)] });
    for (let round = 0; round < 2; round += 1) {
      const asked = [write(created("/a", "x")), unknown, write(created("/a", "x")), multi];
      const all = Promise.all(asked.map((each) => ended(wire.request(each))));
      await pass();
      const kinds = (await all).map((each) => ("kind" in each ? each : String(each)));
      const refused = { kind: "error", code: -6 };
      t.like(kinds, [{ kind: "created" }, refused, { kind: "created" }, refused]);
    }
    const codes = server.asked.map(({ opCode }) => opCode);
    t.is(codes.filter((code) => code === OpCode.create2).length, 1);
    t.false(codes.includes(OpCode.createContainer) || codes.includes(OpCode.createTtl));
    t.is(server.connections, 2);
  });

  test(`${name} may be the first that an older server is asked for`, async (t) => {
    const { wire, server, pass } = opened();
    const mode = { ephemeral: false, sequential: false, lifetime };
    const requests = [write(created("/c", "", mode)), write(created("/a", "x")), GET];
    const all = Promise.all(requests.map((each) => ended(wire.request(each))));
    await pass();
    t.like(await all, [{ kind: "error", code: -6 }, { kind: "created" }, { kind: "data" }]);
    t.is(server.connections, 3);
  });
}

test("parents stay where servers know no containers, and a container of one's own is refused", async (t) => {
  const { wire, ensemble, pass } = await started({
    prepare: ({ unknownCodes }) => {
      for (const code of [OpCode.create2, OpCode.createContainer]) unknownCodes.add(code);
    },
  });
  const client = new Client(wire);
  const made = client.create("/a/b/c/d", "x", { parents: "container" });
  const refused = t.throwsAsync(client.create("/a/x", null, { container: true }), {
    instanceOf: UnsupportedError,
  });
  await pass(10);
  await pass(1_000);
  t.like(await made, { path: "/a/b/c/d", created: true });
  t.like(await refused, { code: "ZOOID_UNSUPPORTED", path: "/a/x", maybeApplied: "no" });
  t.deepEqual([...ensemble.znodes.keys()], ["/", "/a", "/a/b", "/a/b/c", "/a/b/c/d"]);
});

test("a login that the server closes the connection over, without a word, is refused the third time", async (t) => {
  const { wire, server, pass } = opened({ sasl: true });
  const connected = connectedWithin(wire, 30_000, { to: "it", check: "all" });
  const refused = t.throwsAsync(connected, {
    code: "ZOOID_UNREACHABLE",
    message: /login by SASL failed: 3 connections .* user or the password is wrong/,
  });
  await pass();
  await refused;
  t.is(server.connections, 3);
});

test("a connection that is lost before the login is over does not end the attempt to connect", async (t) => {
  const { wire, channel, pass } = await started({
    proofs: [Buffer.from("u:p")],
    prepare: (fake) => {
      fake.automatic = false;
    },
  });
  const connected = connectedWithin(wire, 30_000, { to: "it", check: "all" });
  // The handshake is answered, the proof is not.
  channel.handleOne();
  channel.deliverOne();
  t.is(wire.state.kind, "connecting");
  channel.automatic = true;
  channel.cut();
  await pass();
  await connected;
  t.is(wire.state.kind, "connected");
  t.is(channel.handshakes.length, 2);
});
