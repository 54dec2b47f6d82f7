/** The relay between real sockets: what it passes on, when it is drained, and where clients come to after the switch. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import test from "ava";
import { Relay } from "../../../cli/migrate/relay/relay.ts";
import { JuteWriter } from "../../../protocol/jute.ts";
import { writeConnectRequest } from "../../../protocol/zookeeper/client-requests.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";

/** Takes frames, and answers what the test says. */
class Peer {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** The next frame; undefined: there is none, and the connection is over. */
  async frame(): Promise<Buffer | undefined> {
    for (;;) {
      const { length } = this.#bytes;
      const end = length < 4 ? Infinity : 4 + this.#bytes.readInt32BE();
      if (length >= end) {
        const frame = this.#bytes.subarray(4, end);
        this.#bytes = this.#bytes.subarray(end);
        return frame;
      }
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  get hasBytes(): boolean {
    return this.#bytes.length > 0;
  }

  send(write: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter();
    const mark = writer.beginFrame();
    write(writer);
    writer.endFrame(mark);
    this.socket.write(writer.take());
  }

  /** Grants a session. */
  grant(session: bigint): void {
    this.send((w) => w.int32(0).int32(10_000).int64Exact(session).buffer(new Uint8Array(16)));
  }

  reply(xid: number): void {
    this.send((w) => w.int32(xid).int64(5).int32(0));
  }

  set(xid: number, path: string): void {
    this.send((w) => w.int32(xid).int32(OpCode.setData).string(path).buffer(null).int32(-1));
  }
}

/** A server, and the connections that come to it. */
class Listener {
  readonly #server: Server;
  readonly #came: Peer[] = [];
  #wake: () => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#came.push(new Peer(socket));
      this.#wake();
    });
  }

  static async start(): Promise<Listener> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Listener(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async next(): Promise<Peer> {
    for (;;) {
      const peer = this.#came.shift();
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop(): void {
    this.#server.close();
  }
}

function client(port: number, session: bigint): Peer {
  const socket = connect(port, "127.0.0.1");
  const writer = new JuteWriter();
  const password = new Uint8Array(16);
  writeConnectRequest(writer, { lastZxidSeen: 77, timeoutMs: 10_000, session, password });
  socket.write(writer.take());
  return new Peer(socket);
}

test("a switch waits for what is under way, lets nothing else through, and ends the sessions", async (t) => {
  const [source, target] = [await Listener.start(), await Listener.start()];
  const created: unknown[] = [];
  const relay = new Relay({
    listen: { host: "127.0.0.1", port: 0 },
    servers: {
      source: [{ host: "127.0.0.1", port: source.port }],
      target: [{ host: "127.0.0.1", port: target.port }],
    },
    onCreated: (each) => created.push(each),
    onNotice: (text) => t.fail(text),
  });
  await relay.start();
  t.teardown(async () => {
    await relay.stop();
    source.stop();
    target.stop();
  });

  const one = client(relay.port, 0n);
  const atSource = await source.next();
  await atSource.frame();
  atSource.grant(5n);
  t.is((await one.frame())?.readBigInt64BE(8), 5n);
  one.set(1, "/a");
  await atSource.frame();
  relay.pause();
  t.false(await relay.drained(0), "a request is under way");
  one.set(2, "/b");
  const late = client(relay.port, 0n);
  atSource.reply(1);
  t.true(await relay.drained(10_000));
  t.is((await one.frame())?.readInt32BE(), 1, "its answer comes through the pause");
  t.deepEqual(relay.takeWritten(), ["/a"]);
  t.false(atSource.hasBytes, "nothing is passed on in a pause");

  relay.resume();
  t.is((await atSource.frame())?.readInt32BE(), 2, "what waited goes on where it was");
  const lateAtSource = await source.next();
  await lateAtSource.frame();
  lateAtSource.grant(6n);
  await late.frame();
  atSource.reply(2);
  await one.frame();

  relay.pause();
  t.true(await relay.drained(10_000));
  one.set(3, "/never");
  let answers = 0;
  relay.switch(() => {
    answers += 1;
  });
  t.is(await one.frame(), undefined, "its connection is closed");
  t.is(await atSource.frame(), undefined, "the source has not been given the request");
  const again = client(relay.port, 5n);
  const refusal = await again.frame();
  t.is(refusal?.readInt32BE(4), 0, "a timeout of 0: the session has expired");
  t.is(await again.frame(), undefined);

  const fresh = client(relay.port, 0n);
  const atTarget = await target.next();
  t.is((await atTarget.frame())?.readBigInt64BE(4), 0n, "it has seen no zxid of the target");
  atTarget.grant(5n);
  await fresh.frame();
  fresh.set(1, "/c");
  await atTarget.frame();
  atTarget.reply(1);
  await fresh.frame();
  t.is(answers, 1);
  t.deepEqual(relay.takeWritten(), ["/b"], "only what was written at the source counts");
  t.deepEqual(created, []);
  fresh.socket.destroy();
});

test("what a lost connection leaves unanswered stays in doubt", async (t) => {
  const source = await Listener.start();
  const servers = [{ host: "127.0.0.1", port: source.port }];
  const relay = new Relay({
    listen: { host: "127.0.0.1", port: 0 },
    servers: { source: servers, target: servers },
    onCreated: () => undefined,
    onNotice: (text) => t.fail(text),
  });
  await relay.start();
  t.teardown(async () => {
    await relay.stop();
    source.stop();
  });
  const one = client(relay.port, 0n);
  const atSource = await source.next();
  await atSource.frame();
  atSource.grant(5n);
  await one.frame();
  one.set(1, "/a");
  await atSource.frame();
  atSource.socket.destroy();
  t.is(await one.frame(), undefined, "the client loses its connection, too");
  t.deepEqual([...relay.doubted], ["/a"]);
  t.deepEqual(relay.takeWritten(), []);
});
