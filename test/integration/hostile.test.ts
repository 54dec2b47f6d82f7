/**
 * Clients that mean harm, or are broken: the node closes or bounds them, says so in one clear line, and serves others all along.
 * Each comes from a loopback address of its own, so that its lines in the log can be told from those of the others.
 */
import test, { type ExecutionContext } from "ava";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { fourLetters } from "../support/four-letters.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";
import { connectFrame, ZkClient } from "../support/zookeeper-client/client.ts";
import { frame, JuteWriter } from "../support/jute.ts";
import { create, getData, remove, setData } from "../support/zookeeper-client/operations.ts";

const GOOD = "127.0.0.1";
const MEGABYTE = 1024 * 1024;
/** What a node may grow by under any of this; one that kept what it is sent, or what is not read, would pass it at once. */
const GROWTH_BYTES_MAX = 400 * MEGABYTE;

let node: ZooidNode | undefined;
let good: ZkClient | undefined;

test.before(async () => {
  node = await startZooid({ tickTimeMs: 3000 });
  good = await ZkClient.connect({ port: node.port, timeoutMs: 60_000 });
});

test.after.always(async () => {
  await good?.close();
  await node?.stop();
});

function serving(): { readonly node: ZooidNode; readonly good: ZkClient } {
  if (node === undefined || good === undefined) throw new Error("the node has not started");
  return { node, good };
}

/** Writes and reads on the connection that was there before, and on a new one. */
async function served(t: ExecutionContext): Promise<void> {
  const { node, good } = serving();
  const path = `/served-${Math.random()}`;
  t.is((await good.request(create(path, "x"))).code, 0);
  const other = await ZkClient.connect({ port: node.port, host: GOOD });
  t.is((await other.request(getData(path))).code, 0);
  t.is((await other.request(remove(path))).code, 0);
  await other.close();
}

function open(port: number, from: string): Promise<Socket> {
  const socket = connect({ port, host: GOOD, localAddress: from });
  socket.on("error", () => undefined); // a reset is one way to be closed
  socket.resume();
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    socket.once("close", () => resolve(socket));
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** The lines about an address, once there is one. */
async function linesAbout(node: ZooidNode, address: string): Promise<readonly string[]> {
  const about = new RegExp(`remoteAddress=${address.replaceAll(".", "\\.")}[: ]`);
  await node.line(about);
  return node
    .output()
    .split("\n")
    .filter((line) => about.test(line));
}

const SESSION = connectFrame({ port: 0 });

const FIRST_BYTES: readonly (readonly [string, string, Buffer])[] = [
  ["an HTTP request", "127.0.1.1", Buffer.from("GET / HTTP/1.1\r\nHost: zooid\r\n\r\n")],
  ["a TLS hello", "127.0.1.2", Buffer.from("16030100c8010000c40303aabbccddeeff", "hex")],
  ["a frame length of 2 GB", "127.0.1.3", Buffer.from("7fffffff00000000", "hex")],
  ["a negative frame length", "127.0.1.4", Buffer.from("ffffffff00000000", "hex")],
  ["a handshake of no bytes", "127.0.1.5", Buffer.alloc(4)],
  ["a frame that is no handshake", "127.0.1.6", frame(Buffer.alloc(11, 0xff))],
  [
    "a 2 GB frame after the handshake",
    "127.0.1.7",
    Buffer.concat([SESSION, Buffer.from("7fffffff", "hex"), Buffer.alloc(64 * 1024)]),
  ],
  [
    "a frame too short for a request after the handshake",
    "127.0.1.8",
    Buffer.concat([SESSION, frame(Buffer.alloc(3))]),
  ],
  [
    "a packet of more than a megabyte",
    "127.0.1.9",
    Buffer.concat([SESSION, frame(Buffer.alloc(MEGABYTE + 1))]),
  ],
];

for (const [what, address, bytes] of FIRST_BYTES) {
  test.serial(`${what} closes its connection, with one line in the log`, async (t) => {
    const { node } = serving();
    const socket = await open(node.port, address);
    socket.write(bytes);
    await closed(socket);
    const lines = await linesAbout(node, address);
    t.is(lines.length, 1, lines.join("\n"));
    t.regex(lines[0] ?? "", /reason=/);
    await served(t);
  });
}

test.serial("nonsense on many connections disturb nobody", async (t) => {
  const { node } = serving();
  const sockets = await Promise.all(
    Array.from({ length: 100 }, () => open(node.port, "127.0.2.1")),
  );
  for (const [index, socket] of sockets.entries()) {
    const bytes = Buffer.alloc(4096, `${index * 7919}`);
    bytes.writeInt32BE(-1 - index);
    socket.end(bytes);
  }
  await served(t);
  await Promise.all(sockets.map(closed));
  await served(t);
});

test.serial("half a handshake is closed after a while, with one line in the log", async (t) => {
  const { node } = serving();
  const socket = await open(node.port, "127.0.3.1");
  socket.write(connectFrame({ port: 0 }).subarray(0, 20));
  await closed(socket);
  const lines = await linesAbout(node, "127.0.3.1");
  t.is(lines.length, 1, lines.join("\n"));
});

test.serial(
  "a client that does not read its replies is bounded, then closed with a clear line",
  async (t) => {
    const { node, good } = serving();
    await good.request(create("/unread", Buffer.alloc(512 * 1024, "unread")));
    const before = await residentBytes(node.pid);
    const socket = await open(node.port, "127.0.4.1");
    socket.pause();
    socket.write(connectFrame({ port: 0, timeoutMs: 2_000 }));
    const { type, body } = getData("/unread");
    // Ten gigabytes of replies.
    for (let xid = 1; xid <= 20_000; xid += 1) {
      socket.write(frame(new JuteWriter().int(xid).int(type).raw(body).bytes()));
    }
    await served(t);
    const lines = await linesAbout(node, "127.0.4.1");
    t.regex(lines.join("\n"), /read/);
    t.true((await residentBytes(node.pid)) - before < GROWTH_BYTES_MAX);
    await served(t);
    socket.destroy();
    t.is((await good.request(setData("/unread", "x"))).code, 0);
  },
);

test.serial("10,000 idle connections from one address leave the node serving others", async (t) => {
  const { node } = serving();
  const before = await residentBytes(node.pid);
  const sockets = await openMany(node.port, "127.0.5.1", await idleConnections());
  await served(t);
  t.is(await fourLetters(node, "ruok"), "imok");
  t.true((await residentBytes(node.pid)) - before < GROWTH_BYTES_MAX);
  for (const socket of sockets) socket.destroy();
  await served(t);
});

test.serial(
  "connections of one address beyond the limit are closed, with few lines for many",
  async (t) => {
    const limited = await startZooid({ maxClientConnections: 60 });
    try {
      const sockets = await openMany(limited.port, "127.0.6.1", 1_000);
      // All but 60 are closed; the others stay until they are late with their handshake.
      let left = sockets.length;
      await new Promise<void>((resolve) => {
        for (const socket of sockets) {
          void closed(socket).then(() => {
            left -= 1;
            if (left === 60) resolve();
          });
        }
      });
      const client = await ZkClient.connect({ port: limited.port, host: GOOD });
      t.is((await client.request(create("/limited"))).code, 0);
      await client.close();
      const lines = await linesAbout(limited, "127.0.6.1");
      t.regex(lines[0] ?? "", /more than 60 connections/);
      t.true(lines.length < 60, `${lines.length} lines`);
      for (const socket of sockets) socket.destroy();
    } finally {
      await limited.stop();
    }
  },
);

/** As many as the limit of open files of this process allows, and no more than 10,000. */
async function idleConnections(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const filesMax = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
  return Math.min(10_000, filesMax - 500);
}

async function openMany(port: number, from: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Math.min(200, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => open(port, from)))));
  }
  return sockets;
}
