/** The load generator against a server that does nothing, and one that stops: real sockets, free ports. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import test from "ava";
import { LoadConnection, type RequestFrame } from "../../../bench/load/zookeeper/connection.ts";
import { Recorder } from "../../../bench/load/recorder.ts";
import { createFrame, getDataFrame } from "../../../bench/load/zookeeper/wire.ts";
import { until } from "../../support/until.ts";

type Answer = (request: Buffer, socket: Socket) => void;

/** Takes the handshake, and hands every request frame after it on. */
async function listening(answer: Answer): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    let connected = false;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(0, 4 + rest.readInt32BE(0));
        rest = rest.subarray(frame.length);
        if (connected) answer(frame, socket);
        else socket.write(handshakeReply());
        connected = true;
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

function handshakeReply(): Buffer {
  const frame = Buffer.alloc(41);
  frame.writeInt32BE(37, 0);
  frame.writeBigInt64BE(7n, 12);
  return frame;
}

function reply(xid: number, error: number): Buffer {
  const frame = Buffer.alloc(20);
  frame.writeInt32BE(16, 0);
  frame.writeInt32BE(xid, 4);
  frame.writeInt32BE(error, 16);
  return frame;
}

function read(path: string): RequestFrame {
  return { bytes: getDataFrame(path), sequenceEnds: [], isRead: true };
}

async function connected(
  answer: Answer,
  outstanding: number,
): Promise<{ connection: LoadConnection; recorder: Recorder; server: Server }> {
  const { server, port } = await listening(answer);
  const recorder = new Recorder();
  const connection = new LoadConnection({ host: "127.0.0.1", port }, recorder, outstanding);
  await connection.open();
  return { connection, recorder, server };
}

test("a stream sends its requests once each, in order, and never more than the window at a time", async (t) => {
  const paths: string[] = [];
  const waiting: Buffer[] = [];
  let mostWaiting = 0;
  const { connection, recorder, server } = await connected((frame, socket) => {
    paths.push(frame.toString("latin1", 16, 16 + 13));
    waiting.push(reply(frame.readInt32BE(4), 0));
    mostWaiting = Math.max(mostWaiting, waiting.length);
    if (waiting.length === 3 || paths.length === 100) {
      socket.write(Buffer.concat(waiting.splice(0)));
    }
  }, 3);
  recorder.startMs = 0;
  const frame = createFrame("/n-0000000000", Buffer.from("v"));
  await connection.run({
    frames: [{ bytes: frame, sequenceEnds: [16 + 13], isRead: false }],
    count: 100,
  });
  t.deepEqual(
    paths,
    Array.from({ length: 100 }, (_, number) => `/n-${String(number).padStart(10, "0")}`),
  );
  t.is(mostWaiting, 3);
  t.is(recorder.operations, 100);
  connection.close();
  server.close();
});

test("an error reply is counted by its code and not as an operation", async (t) => {
  const { connection, recorder, server } = await connected((frame, socket) => {
    const xid = frame.readInt32BE(4);
    socket.write(reply(xid, xid % 2 === 0 ? -101 : 0));
  }, 2);
  recorder.startMs = 0;
  await connection.run({ frames: [read("/a")], count: 10 });
  t.is(recorder.operations, 5);
  t.deepEqual([...recorder.errors], [[-101, 5]]);
  connection.close();
  server.close();
});

test("a server that goes away ends the stream and leaves its requests under way", async (t) => {
  let answered = 0;
  const { connection, server } = await connected((frame, socket) => {
    if (answered === 5) return void socket.destroy();
    answered += 1;
    socket.write(reply(frame.readInt32BE(4), 0));
  }, 4);
  let lost = 0;
  connection.onLost = () => {
    lost += 1;
  };
  await connection.run({ frames: [read("/a")], count: 100 });
  t.regex(connection.lost?.message ?? "", /closed/);
  t.is(lost, 1);
  t.true(connection.underWay > 0);
  server.close();
});

test("a reply out of order ends the connection", async (t) => {
  const { connection, server } = await connected((frame, socket) => {
    socket.write(reply(frame.readInt32BE(4) + 1, 0));
  }, 1);
  await connection.run({ frames: [read("/a")], count: 2 });
  t.regex(connection.lost?.message ?? "", /xid 2 where 1 was due/);
  server.close();
});

test("a port where nobody listens is named in the error", async (t) => {
  const { server, port } = await listening(() => {});
  server.close();
  await once(server, "close");
  const connection = new LoadConnection({ host: "127.0.0.1", port }, new Recorder(), 1);
  await t.throwsAsync(connection.open(), {
    message: new RegExp(`127.0.0.1:${port}.*ECONNREFUSED`),
  });
});

test("a stream repeats its frames in order, and the number in a path is that of the repetition", async (t) => {
  const seen: string[] = [];
  const { connection, recorder, server } = await connected((frame, socket) => {
    seen.push(frame.readInt32BE(8) === 4 ? "get" : frame.toString("latin1", 16, 16 + 13));
    socket.write(reply(frame.readInt32BE(4), 0));
  }, 7);
  recorder.startMs = 0;
  const bytes = createFrame("/n-0000000000", Buffer.alloc(0));
  const create = { bytes, sequenceEnds: [16 + 13], isRead: false };
  await connection.run({ frames: [read("/a"), create, read("/bb")], count: 30 });
  const expected = Array.from({ length: 10 }, (_, cycle) => [
    "get",
    `/n-${String(cycle).padStart(10, "0")}`,
    "get",
  ]);
  t.deepEqual(seen, expected.flat());
  t.is(recorder.reads.total, 20);
  t.is(recorder.writes.total, 10);
  connection.close();
  server.close();
});

test("in an open loop a request is sent when it is due, whatever the answers do, and its latency counts from then", async (t) => {
  const waiting: Buffer[] = [];
  let socketOf: Socket | undefined;
  const { connection, server } = await connected((frame, socket) => {
    waiting.push(reply(frame.readInt32BE(4), 0));
    socketOf = socket;
  }, 100);
  const startMs = performance.now() - 95; // So ten requests of one each 10 ms are due already.
  const done = connection.run({
    frames: [read("/a")],
    count: 10,
    pacing: { startMs, everyMs: 10 },
  });
  connection.tick();
  t.is(connection.sent, 10);
  await until(() => waiting.length >= 10, "the server has all ten");
  socketOf?.write(Buffer.concat(waiting));
  await done;
  t.is(connection.underWay, 0);
  connection.close();
  server.close();
});

test("an open loop with a full window owes what is due and not sent", async (t) => {
  const { connection, server } = await connected(() => {}, 4);
  const nowMs = performance.now();
  void connection.run({
    frames: [read("/a")],
    count: 100,
    pacing: { startMs: nowMs - 95, everyMs: 10 },
  });
  t.is(connection.sent, 4);
  t.is(connection.overdue(nowMs), 6);
  connection.close();
  server.close();
});
