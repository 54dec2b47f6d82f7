/** What clients may ask of a gateway at once: the length of a request, requests that wait, sessions that are asked for. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import { OVERSIZED_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  GatewayDriver,
  type GatewayOptions,
  replyHeaders,
  requestFrame,
  STAT,
} from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { getData, ping, setData } from "../../support/zookeeper-client/operations.ts";

const FRAME = connectFrame({ port: 0 });

function serving(options: Partial<GatewayOptions>): GatewayDriver {
  const gateway = new GatewayDriver(options);
  gateway.leadership("following");
  return gateway;
}

/** The sockets that are not read. */
function paused(gateway: GatewayDriver): readonly number[] {
  const now = new Set<number>();
  for (const effect of gateway.effects) {
    if (effect.kind === "pauseReading") now.add(effect.connection);
    if (effect.kind === "resumeReading") now.delete(effect.connection);
  }
  return [...now];
}

function asked(gateway: GatewayDriver): number {
  return gateway.told.filter(({ message }) => message.kind === "write").length;
}

const LARGE = requestFrame(2, setData("/large", "x".repeat(3000)));

test("a request that is too long is answered once it has come whole, behind those before it, and then its connection is closed", (t) => {
  const gateway = serving({ packetBytesMax: 1024 });
  gateway.attach(1);
  const bytes = Buffer.concat([requestFrame(1, setData("/a", "x")), LARGE]);
  gateway.bytes(1, bytes.subarray(0, -1));
  gateway.serve();
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [1],
    "clients know no answer to what they have not sent whole",
  );
  t.false(gateway.closed(1));
  gateway.bytes(1, Buffer.concat([bytes.subarray(-1), requestFrame(3, ping())]));
  t.like(replyHeaders(gateway.written(1)), [{ xid: 2, code: Code.badArguments }]);
  t.true(gateway.closed(1));
  t.is(asked(gateway), 0, "nothing of it is done, nor of what is behind it");
  const reason = `a frame of ${LARGE.length - 4} bytes; at most 1024 are taken`;
  t.deepEqual(gateway.logged(), [`connectionRefused ${reason}`]);
});

test("a request of the length that is allowed is served, however its bytes come", (t) => {
  const gateway = serving({ packetBytesMax: LARGE.length - 4 });
  gateway.attach(1);
  for (let at = 0; at < LARGE.length; at += 7) gateway.bytes(1, LARGE.subarray(at, at + 7));
  gateway.serve();
  t.like(replyHeaders(gateway.written(1)), [{ xid: 2, code: 0 }]);
  const other = serving({ packetBytesMax: LARGE.length - 5 });
  other.attach(1);
  for (let at = 0; at < LARGE.length; at += 7) other.bytes(1, LARGE.subarray(at, at + 7));
  t.like(replyHeaders(other.written(1)), [{ xid: 2, code: Code.badArguments }]);
});

test("what is far too long, and what is no length, is not received: its connection is closed at once", (t) => {
  for (const length of [OVERSIZED_BYTES_MAX + 1, 2 ** 31 - 1, -1]) {
    const gateway = serving({});
    gateway.attach(1);
    const header = Buffer.alloc(4);
    header.writeInt32BE(length);
    gateway.bytes(1, header);
    t.true(gateway.closed(1), `${length}`);
    t.is(gateway.written(1).length, 0);
  }
});

test("with as many requests waiting as are allowed, only those are read who have none waiting", (t) => {
  const gateway = serving({ requestsMax: 10 });
  for (const client of [1, 2, 3]) gateway.attach(client);
  const flood = Buffer.concat(
    Array.from({ length: 500 }, (_, index) => requestFrame(index + 1, setData("/a", "x"))),
  );
  gateway.bytes(1, flood);
  gateway.bytes(2, flood);
  t.deepEqual(paused(gateway), [1, 2]);
  gateway.bytes(3, requestFrame(1, getData("/b")));
  const waiting = gateway.told.map(({ message }) =>
    message.kind === "write" ? message.operations.length : 1,
  );
  t.deepEqual(
    waiting,
    [10, 1, 1],
    "the second flood has one under way, and so has the third client",
  );
  gateway.serve();
  t.like(replyHeaders(gateway.written(3)), [{ xid: 1, code: 0 }]);
  for (const flooding of [1, 2]) {
    const xids = replyHeaders(gateway.written(flooding)).map(({ xid }) => xid);
    t.deepEqual(
      xids,
      Array.from({ length: 500 }, (_, index) => index + 1),
      "all, in order",
    );
  }
  t.deepEqual(paused(gateway), []);
});

test("requests that wait for their own client to take answers hold no others up", (t) => {
  const gateway = serving({ requestsMax: 10 });
  for (const client of [1, 2]) gateway.attach(client);
  const reads = Array.from({ length: 10 }, (_, index) => requestFrame(index + 1, getData("/a")));
  gateway.bytes(1, Buffer.concat(reads));
  const data = Buffer.alloc(400_000);
  const zxid = (gateway.nextZxid - 1) as Zxid;
  const results = reads.map(() => ({ kind: "data", data, stat: STAT }) as const);
  gateway.told.length = 0;
  gateway.tell({ kind: "readDone", client: 1, zxid, results });
  t.is(replyHeaders(gateway.written(1)).length, 3, "the rest waits until these are taken");
  gateway.bytes(2, Buffer.concat(reads));
  const [first] = gateway.told;
  t.is(first?.message.kind === "read" ? first.message.reads.length : 0, 10);
  t.deepEqual(paused(gateway), [1, 2]);
});

test("a session that moves away from a connection that is not read takes its requests with it", (t) => {
  const gateway = serving({ requestsMax: 4 });
  const session = gateway.attach(1);
  gateway.attach(2);
  const requests = Array.from({ length: 20 }, (_, xid) => requestFrame(xid, setData("/a", "x")));
  gateway.bytes(1, Buffer.concat(requests));
  gateway.bytes(2, Buffer.concat(requests));
  t.deepEqual(paused(gateway), [1, 2]);
  const attachedAt = (gateway.nextZxid + 100) as Zxid;
  gateway.tell({
    kind: "sessionChanges",
    attached: [{ session, attachedAt, timeoutMs: 10_000 }],
    closed: [],
  });
  t.true(gateway.closed(1));
  gateway.tell({ kind: "closed", connection: 1 });
  gateway.told.splice(0, 1);
  gateway.serve();
  t.is(replyHeaders(gateway.written(2)).length, 20);
});

const TOKENS = { tokensMax: 2, fillCount: 1, fillMs: 50 };

test("sessions are asked for as there are tokens, in the order in which their clients came", (t) => {
  const gateway = serving({ tokens: TOKENS });
  for (let client = 1; client <= 5; client += 1) {
    gateway.open(client);
    gateway.bytes(client, FRAME);
  }
  t.is(asked(gateway), 2);
  const orders: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    gateway.told.length = 0;
    gateway.nowMs += 50;
    gateway.timer("tokens");
    orders.push(...gateway.told.map(({ message }) => ("client" in message ? message.client : 0)));
  }
  t.deepEqual(orders, [3, 4, 5]);
  t.false(
    gateway.timer("tokens").some(({ kind }) => kind === "startTimer"),
    "nobody waits",
  );
});

test("a bucket that nobody uses is full and not more, and a session that is attached again takes a token too", (t) => {
  const gateway = serving({ tokens: TOKENS });
  gateway.nowMs += 100_000;
  const password = Buffer.alloc(16, 5);
  for (let client = 1; client <= 3; client += 1) {
    gateway.open(client);
    gateway.bytes(client, connectFrame({ port: 0, sessionId: BigInt(70 + client), password }));
  }
  t.is(asked(gateway), 2);
});

test("who waits for a token longer than a handshake may take is turned away, and nobody waits behind who has gone", (t) => {
  const gateway = serving({ tokens: { ...TOKENS, tokensMax: 1, fillMs: 60_000 } });
  for (const client of [1, 2, 3, 4]) {
    gateway.open(client);
    gateway.bytes(client, FRAME);
  }
  gateway.tell({ kind: "closed", connection: 2 });
  gateway.nowMs += 9_000;
  gateway.open(5);
  gateway.bytes(5, FRAME);
  gateway.nowMs += 1_000;
  gateway.timer("handshake");
  t.deepEqual(
    [2, 3, 4, 5].map((client) => gateway.closed(client)),
    [false, true, true, false],
  );
  gateway.told.length = 0;
  gateway.nowMs += 60_000;
  gateway.timer("tokens");
  t.like(gateway.told[0]?.message, { kind: "write", client: 5 });
  t.true(gateway.logged().some((line) => line.startsWith("sessionDelayed ")));
});

test("clients that wait for a leader come in through the bucket when there is one, and those in line wait again when it is lost", (t) => {
  const gateway = new GatewayDriver({ tokens: TOKENS });
  for (const client of [1, 2, 3, 4]) {
    gateway.open(client);
    gateway.bytes(client, FRAME);
  }
  gateway.leadership("following");
  t.is(asked(gateway), 2);
  gateway.leadership("looking");
  gateway.told.length = 0;
  gateway.nowMs += 50;
  gateway.timer("tokens");
  t.is(asked(gateway), 0);
  gateway.nowMs += 50;
  gateway.leadership("following");
  t.is(asked(gateway), 2, "the tokens that have come meanwhile are there for both");
});

test("after a failure the line goes on", (t) => {
  const gateway = serving({ tokens: TOKENS });
  for (const client of [1, 2, 3]) {
    gateway.open(client);
    gateway.bytes(client, FRAME);
  }
  const effects = gateway.recover({ kind: "timer", timer: "tokens" });
  t.true(effects.some((effect) => effect.kind === "startTimer" && effect.timer === "tokens"));
  gateway.nowMs += 50;
  gateway.told.length = 0;
  gateway.timer("tokens");
  t.is(asked(gateway), 1);
});
