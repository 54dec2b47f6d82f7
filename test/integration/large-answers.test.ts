/** Answers that are large, or many: all of them arrive, and what waits for a client is bounded in bytes of answers. */
import test from "ava";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { connect as connectClient } from "../../client/connect.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { frame, JuteWriter } from "../support/jute.ts";
import { startZooid, type ZooidNode } from "../support/zooid.ts";
import { connectFrame, ZkClient } from "../support/zookeeper-client/client.ts";
import {
  create,
  getChildren,
  getData,
  type Operation,
} from "../support/zookeeper-client/operations.ts";

const MEGABYTE = 1024 * 1024;
/** What a node may grow by for one client that asks for much. */
const GROWTH_BYTES_MAX = 300 * MEGABYTE;
/** How long a slow client pauses between reads: far below its session timeout, also where a busy machine adds some seconds. */
const REST_MS = 2_000;
const SESSION_TIMEOUT_MS = 10_000;

let started: ZooidNode | undefined;

test.before(async () => {
  started = await startZooid({ tickTimeMs: 500 });
});

test.after.always(async () => {
  await started?.stop();
});

async function serving(): Promise<{ readonly node: ZooidNode; readonly good: ZkClient }> {
  if (started === undefined) throw new Error("the node has not started");
  return { node: started, good: await ZkClient.connect({ port: started.port }) };
}

async function createAll(client: ZkClient, paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += 1000) {
    await client.pipeline(paths.slice(at, at + 1000).map((path) => create(path)));
  }
}

async function open(port: number, timeoutMs: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined); // a reset is one way to be closed
  await once(socket, "connect");
  socket.write(connectFrame({ port, timeoutMs }));
  await once(socket, "data");
  return socket;
}

function requests(count: number, { type, body }: Operation): Buffer {
  const frames: Buffer[] = [];
  for (let xid = 1; xid <= count; xid += 1) {
    frames.push(frame(new JuteWriter().int(xid).int(type).raw(body).bytes()));
  }
  return Buffer.concat(frames);
}

/** Whole frames that came until there are so many, or the connection ends. After each `restEvery` of them it rests. */
function countFrames(socket: Socket, count: number, restEvery = count): Promise<number> {
  return new Promise((resolve) => {
    let frames = 0;
    /** How many bytes of the current frame, or of its length, are still to come. */
    let left = 0;
    let length = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      for (let at = 0; at < chunk.length; ) {
        if (left === 0) {
          const needed = 4 - length.length;
          length = Buffer.concat([length, chunk.subarray(at, at + needed)]);
          at += needed;
          if (length.length < 4) return;
          left = length.readInt32BE();
          length = Buffer.alloc(0);
        }
        const taken = Math.min(left, chunk.length - at);
        left -= taken;
        at += taken;
        if (left > 0) continue;
        frames += 1;
        if (frames === count) resolve(frames);
        if (frames % restEvery === 0) rest(socket);
      }
    };
    socket.on("data", take);
    socket.once("close", () => resolve(frames));
    socket.resume();
  });
}

function rest(socket: Socket): void {
  socket.pause();
  setTimeout(() => socket.resume(), REST_MS);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test.serial("an answer of more than 16 MiB arrives whole", async (t) => {
  const { good } = await serving();
  const names = Array.from({ length: 18_000 }, (_, index) => `${index}-`.padEnd(1000, "n"));
  await createAll(good, ["/long", ...names.map((name) => `/long/${name}`)]);
  const reply = await good.request(getChildren("/long"));
  t.is(reply.code, 0);
  t.true(JSON.stringify(reply.text).length > 17 * MEGABYTE);
  await good.close();
});

test.serial(
  "1,000 reads of 900 KB sent at once are all answered, though they take longer than the session's timeout",
  async (t) => {
    const { node, good } = await serving();
    t.is((await good.request(create("/large", Buffer.alloc(900_000, "x")))).code, 0);
    // Ten rests are twice the timeout, whatever the machine.
    const socket = await open(node.port, SESSION_TIMEOUT_MS);
    socket.pause();
    socket.write(requests(1_000, getData("/large")));
    t.is(await countFrames(socket, 1_000, 100), 1_000);
    socket.destroy();
    await good.close();
  },
);

test.serial("reads of long lists sent at once cost little while they are not taken", async (t) => {
  const { node, good } = await serving();
  const paths = Array.from({ length: 50_000 }, (_, index) => `/wide/child-${index}`);
  await createAll(good, ["/wide", ...paths]);
  const before = await residentBytes(node.pid);
  const socket = await open(node.port, 60_000);
  socket.pause();
  socket.write(requests(3_000, getChildren("/wide")));
  let most = before;
  const begun = Date.now();
  while (Date.now() - begun < 5_000) {
    t.is((await good.request(getData("/wide"))).code, 0);
    most = Math.max(most, await residentBytes(node.pid));
  }
  t.true(most - before < GROWTH_BYTES_MAX, `${Math.round((most - before) / MEGABYTE)} MiB`);
  // It reads after all: nothing was lost, and nothing else waits for it.
  t.is(await countFrames(socket, 20), 20);
  socket.destroy();
  await good.close();
});

test.serial(
  "a native client is given large answers, and many of them, as it takes them",
  async (t) => {
    const nats = await startNatsServer();
    const node = await startZooid({ lines: [`zooid.nats=${nats.url}`] });
    // All of it is 450 MB: where cores are busy that takes its time.
    const client = await connectClient(nats.url, { operationTimeoutMs: 120_000 });
    try {
      const zk = await ZkClient.connect({ port: node.port });
      const names = Array.from({ length: 18_000 }, (_, index) => `${index}-`.padEnd(1000, "n"));
      await createAll(zk, ["/long", ...names.map((name) => `/long/${name}`)]);
      t.is((await zk.request(create("/large", Buffer.alloc(900_000, "x")))).code, 0);
      await zk.close();
      const before = await residentBytes(node.pid);
      const reads = Array.from({ length: 500 }, () => client.get("/large"));
      const lengths = new Set((await Promise.all(reads)).map(({ data }) => data?.length));
      t.deepEqual([...lengths], [900_000]);
      t.is((await client.children("/long")).children.length, names.length);
      const grown = (await residentBytes(node.pid)) - before;
      t.true(grown < GROWTH_BYTES_MAX, `${Math.round(grown / MEGABYTE)} MiB`);
    } finally {
      await client.close();
      await node.stop();
      await nats.stop();
    }
  },
);
