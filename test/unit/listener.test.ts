/** The listener with real sockets, alone and under the ZooKeeper gateway. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import test from "ava";
import type { Effect } from "../../runtime/effects.ts";
import { ConnectionCounts } from "../../runtime/connections/connection-counts.ts";
import { Listener } from "../../runtime/connections/listener.ts";
import type { ConnectionEffect } from "../../runtime/effects.ts";
import { GatewayDriver, replyHeaders, requestFrame } from "../support/gateway-driver.ts";
import { host } from "../support/listener-host.ts";
import { connectFrame } from "../support/zookeeper-client/client.ts";
import { getData } from "../support/zookeeper-client/operations.ts";

/** The gateway behind a listener, with a tree and a submitter that answer in form. */
async function served(
  options: ConstructorParameters<typeof GatewayDriver>[0] = {},
  counts?: ConnectionCounts,
): Promise<{
  readonly gateway: GatewayDriver;
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const gateway = new GatewayDriver(options);
  const logged: Effect[] = [];
  gateway.leadership("leading");
  const { listener, port } = await host(counts === undefined ? {} : { counts }, (message) => {
    gateway.tell(message);
    gateway.serve();
    for (const effect of gateway.effects.splice(0)) {
      if (isConnectionEffect(effect)) listener.perform(effect);
      else if (effect.kind === "log") logged.push(effect);
    }
    gateway.effects.push(...logged);
    logged.length = 0;
  });
  return { gateway, port, close: () => listener.close() };
}

function isConnectionEffect(effect: Effect): effect is ConnectionEffect {
  return "connection" in effect;
}

async function client(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {}); // being cut off is what some of these tests look for
  await once(socket, "connect");
  return socket;
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** All bytes up to a length. */
async function receive(socket: Socket, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes;
}

test("bytes come in, bytes go out, and the end of a client is told", async (t) => {
  const { listener, port, until } = await host();
  const socket = await client(port);
  const opened = await until(({ kind }) => kind === "opened");
  t.is(opened.kind === "opened" ? opened.remoteAddress : "", `127.0.0.1:${socket.localPort}`);
  socket.write("hello");
  const bytes = await until(({ kind }) => kind === "bytes");
  t.is(bytes.kind === "bytes" ? Buffer.from(bytes.bytes).toString() : "", "hello");
  const { connection } = opened;
  listener.perform({ kind: "write", connection, bytes: Buffer.from("wor") });
  listener.perform({ kind: "write", connection, bytes: Buffer.from("ld") });
  listener.perform({ kind: "close", connection });
  t.is((await received(socket)).toString(), "world");
  await until(({ kind }) => kind === "closed");
  await listener.close();
});

test("a client that has sent all it will is told, and still gets what is written to it", async (t) => {
  const { listener, port, messages, until } = await host();
  const socket = await client(port);
  socket.end("word");
  const { connection } = (await until(({ kind }) => kind === "ended")) as {
    readonly connection: number;
  };
  t.deepEqual(
    messages.map(({ kind }) => kind),
    ["opened", "bytes", "ended"],
  );
  listener.perform({ kind: "write", connection, bytes: Buffer.from("answer") });
  listener.perform({ kind: "close", connection });
  t.is((await received(socket)).toString(), "answer");
  await until(({ kind }) => kind === "closed");
  await listener.close();
});

test("by default clients of both families come in, those of IPv4 under their own address", async (t) => {
  const { listener, port, messages, until } = await host({ door: { host: "::" } });
  for (const [index, address] of ["127.0.0.1", "::1"].entries()) {
    const socket = connect({ host: address, port });
    await until((message) => message.kind === "opened" && message.connection === index + 1);
    const shown = address === "::1" ? "[::1]" : address;
    const opened = messages.filter(({ kind }) => kind === "opened").at(-1);
    t.is(opened?.kind === "opened" ? opened.remoteAddress : "", `${shown}:${socket.localPort}`);
    socket.destroy();
  }
  await listener.close();
});

test("a client counts as one at the doors of one family and of both", async (t) => {
  const counts = new ConnectionCounts(
    ConnectionCounts.share({ connectionsMax: 10, perAddressMax: 1 }),
  );
  const opened: string[] = [];
  const refused: string[] = [];
  const listener = new Listener({
    doors: ["::", "127.0.0.1"].map((address) => ({ host: address, port: 0 })),
    counts,
    onMessage: (message) => {
      if (message.kind === "opened") opened.push(message.remoteAddress);
      if (message.kind === "refused") refused.push(message.reason);
    },
  });
  const ports = (await listener.listen()).map(({ port }) => port);
  for (const port of ports) {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => {});
    await once(socket, port === ports[0] ? "connect" : "close");
  }
  t.is(opened.length, 1);
  t.deepEqual(refused, ["more than 1 connections of this address"]);
  await listener.close();
  t.is(counts.total, 0);
});

test("a port in use is said so, with what to do", async (t) => {
  const { listener, port } = await host();
  const second = new Listener({ doors: [{ host: "127.0.0.1", port }], onMessage: () => {} });
  const error = await t.throwsAsync(second.listen());
  t.is(
    error.message,
    `127.0.0.1:${port} is in use by another program: stop it, or choose another client port (0 takes any free one)`,
  );
  await listener.close();
});

test("two listeners share a port when both ask for it", async (t) => {
  const first = await host({ door: { reusePort: true } });
  const second = new Listener({
    doors: [{ host: "127.0.0.1", port: first.port, reusePort: true }],
    onMessage: () => {},
  });
  t.is((await second.listen())[0]?.port, first.port);
  await Promise.all([first.listener.close(), second.close()]);
});

test("what a client sends is left in the network while it is not read", async (t) => {
  const { listener, port, messages, until } = await host({}, (message) => {
    if (message.kind === "opened") listener.perform({ ...message, kind: "pauseReading" });
  });
  const socket = await client(port);
  const { connection } = await until(({ kind }) => kind === "opened");
  socket.write("waits");
  listener.perform({ kind: "write", connection, bytes: Buffer.from("go") });
  await receive(socket, 2);
  t.false(messages.some(({ kind }) => kind === "bytes"));
  listener.perform({ kind: "resumeReading", connection });
  const bytes = await until(({ kind }) => kind === "bytes");
  t.is(bytes.kind === "bytes" ? Buffer.from(bytes.bytes).toString() : "", "waits");
  socket.destroy();
  await listener.close();
});

test("after more than 256 KiB the actor hears when all of it has been taken", async (t) => {
  const { listener, port, messages, until } = await host();
  const socket = await client(port);
  const { connection } = await until(({ kind }) => kind === "opened");
  listener.perform({ kind: "write", connection, bytes: Buffer.alloc(100_000) });
  await receive(socket, 100_000);
  t.false(messages.some(({ kind }) => kind === "drained"));
  listener.perform({ kind: "write", connection, bytes: Buffer.alloc(8_000_000) });
  await receive(socket, 8_000_000);
  await until(({ kind }) => kind === "drained");
  socket.destroy();
  await listener.close();
});

test("a client that takes nothing is cut off at the limit, and the actor hears why", async (t) => {
  const { listener, port, until } = await host({ unsentBytesMax: 1_000_000 });
  const socket = await client(port);
  socket.pause();
  const { connection } = await until(({ kind }) => kind === "opened");
  for (let write = 0; write < 20; write += 1) {
    listener.perform({ kind: "write", connection, bytes: Buffer.alloc(500_000) });
  }
  const closed = await until(({ kind }) => kind === "closed");
  const reason = closed.kind === "closed" ? closed.reason : undefined;
  t.regex(reason ?? "", /^it does not read: \d{7} bytes are unsent$/);
  socket.destroy();
  await listener.close();
});

test("closing ends connections whose clients do not read, and idle ones", async (t) => {
  const { listener, port, messages, until } = await host();
  const sockets = [await client(port), await client(port)];
  for (const socket of sockets) socket.pause();
  await until((message) => message.kind === "opened" && message.connection === 2);
  listener.perform({ kind: "write", connection: 1, bytes: Buffer.alloc(8_000_000) });
  await listener.close();
  t.is(messages.filter(({ kind }) => kind === "closed").length, 2);
  for (const socket of sockets) socket.destroy();
});

test("garbage, a length of 2 GB and half a handshake do not disturb another client", async (t) => {
  const { port, close, gateway } = await served({ handshakeTimeoutMs: 10_000 });
  const half = await client(port);
  half.write(connectFrame({ port }).subarray(0, 20));
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    Buffer.from("7fffffff", "hex"),
    Buffer.alloc(64, 255),
  ]) {
    const bad = await client(port);
    bad.write(bytes);
    t.is((await received(bad)).length, 0);
  }
  const good = await client(port);
  good.write(connectFrame({ port }));
  await receive(good, 41);
  good.write(requestFrame(1, getData("/a")));
  const reply = await receive(good, 4 + 16 + 6 + 68);
  t.deepEqual(
    replyHeaders(reply).map(({ xid }) => xid),
    [1],
  );
  t.is(gateway.logged().length, 1);
  gateway.nowMs += 10_000;
  gateway.timer("handshake");
  gateway.timer("notes");
  const line = gateway.effects.findLast((effect) => effect.kind === "log");
  t.like(line, {
    detail: { remoteAddress: "127.0.0.1", reason: "no handshake in time", count: 3 },
  });
  good.destroy();
  half.destroy();
  await close();
});

test("idle connections beyond the limit of an address are closed, the others stay", async (t) => {
  const shared = ConnectionCounts.share({ connectionsMax: 1_000, perAddressMax: 20 });
  const { port, close, gateway } = await served({}, new ConnectionCounts(shared));
  const sockets = await Promise.all(Array.from({ length: 200 }, () => client(port)));
  const closed = sockets.slice(20).map((socket) => received(socket));
  await Promise.all(closed);
  t.is(gateway.logged().length, 1);
  t.is(sockets.filter((socket) => !socket.readableEnded && !socket.destroyed).length, 20);
  for (const socket of sockets) socket.destroy();
  await close();
});

test("a client that asks for more than it reads is not read, and gets all once it reads", async (t) => {
  const { port, close } = await served();
  const socket = await client(port);
  socket.write(connectFrame({ port }));
  await receive(socket, 41);
  const path = `/${"p".repeat(2_000)}`;
  const requests = 4_000;
  const replyBytes = 4 + 16 + 4 + path.length + 68;
  socket.pause();
  for (let xid = 1; xid <= requests; xid += 1) socket.write(requestFrame(xid, getData(path)));
  const reading = receive(socket, requests * replyBytes);
  socket.resume();
  const headers = replyHeaders(await reading);
  t.deepEqual(
    headers.map(({ xid }) => xid),
    Array.from({ length: requests }, (_, index) => index + 1),
  );
  socket.destroy();
  await close();
});
