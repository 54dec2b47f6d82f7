/** The transport over real NATS servers. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import { filter, firstValueFrom } from "rxjs";
import { peerSubjects } from "../../protocol/subjects.ts";
import type { Incoming, Transport, TransportOutcome } from "../../runtime/transport.ts";
import { NatsError } from "../../runtime/nats/nats-error.ts";
import { connectNats, type NatsTransportOptions } from "../../runtime/nats/transport.ts";
import { server as numbered } from "../support/plain-calls.ts";
import {
  type NatsServer,
  type NatsServerOptions,
  projectNatsConfig,
  startNatsCluster,
  startNatsServer,
} from "../support/nats-server.ts";

const as = (id: number): Pick<NatsTransportOptions, "name" | "subjects" | "id"> => ({
  name: `node ${id}`,
  subjects: peerSubjects("test"),
  id: numbered(id),
});
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

type Peer = {
  readonly transport: Transport;
  readonly heard: string[];
  /** Resolves once this has been heard. */
  readonly hears: (line: string) => Promise<void>;
  readonly request: (to: number, message: string, timeoutMs?: number) => Promise<TransportOutcome>;
};

async function server(t: ExecutionContext, options: NatsServerOptions = {}): Promise<NatsServer> {
  const started = await startNatsServer(options);
  t.teardown(started.stop);
  return started;
}

async function peer(
  t: ExecutionContext,
  url: string,
  id: number,
  options: Partial<NatsTransportOptions> = {},
): Promise<Peer> {
  const transport = await connectNats({ servers: [url], ...as(id), ...options });
  t.teardown(() => transport.close());
  const heard: string[] = [];
  const waiting = new Map<string, () => void>();
  transport.onReceive(({ from, actor, bytes, answer }: Incoming) => {
    const line = `${from} ${actor} ${read(bytes)}`;
    heard.push(line);
    waiting.get(line)?.();
    answer?.(text(`${id} heard ${read(bytes)}`));
  });
  return {
    transport,
    heard,
    hears: (line) =>
      heard.includes(line)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(line, resolve)),
    request: (to, message, timeoutMs = 10_000) =>
      new Promise((resolve) =>
        transport.request(numbered(to), "heartbeat", text(message), timeoutMs, resolve),
      ),
  };
}

test.serial(
  "a direct message reaches its node only, a broadcast all others and not its sender",
  async (t) => {
    const { url } = await server(t);
    const [one, two, three] = [await peer(t, url, 1), await peer(t, url, 2), await peer(t, url, 3)];
    one.transport.send(numbered(2), "log-sync", text("direct"));
    one.transport.broadcast("election", text("vote"));
    one.transport.send(numbered(3), "log-sync", text("last"));
    two.transport.send(numbered(1), "log-sync", text("back"));
    await Promise.all([
      two.hears("1 election vote"),
      three.hears("1 log-sync last"),
      one.hears("2 log-sync back"),
    ]);
    t.deepEqual(two.heard, ["1 log-sync direct", "1 election vote"]);
    t.deepEqual(three.heard, ["1 election vote", "1 log-sync last"]);
    t.deepEqual(one.heard, ["2 log-sync back"]);
  },
);

test.serial("ensembles of one server do not hear each other", async (t) => {
  const { url } = await server(t);
  const one = await peer(t, url, 1);
  const other = await peer(t, url, 2, { subjects: peerSubjects("other") });
  t.deepEqual(await one.request(2, "ping"), { kind: "noResponders" });
  one.transport.broadcast("election", text("vote"));
  await one.request(2, "after the broadcast has passed the server");
  t.deepEqual(other.heard, []);
});

test.serial("a request is answered, has no responders at once, or times out", async (t) => {
  const { url } = await server(t);
  const one = await peer(t, url, 1);
  const two = await peer(t, url, 2);
  const answered = await one.request(2, "ping");
  t.is(answered.kind === "answered" ? read(answered.bytes) : answered.kind, "2 heard ping");
  t.deepEqual(await one.request(3, "ping", 3_600_000), { kind: "noResponders" });
  two.transport.onReceive(() => undefined);
  t.deepEqual(await one.request(2, "ping", 20), { kind: "timedOut" });
});

test.serial(
  "a message to a node without a process is said to be unheard, also one in fragments",
  async (t) => {
    const { url } = await server(t);
    const one = await peer(t, url, 1);
    const two = await peer(t, url, 2);
    const unheard: number[] = [];
    let wake = (): void => undefined;
    one.transport.onUnheard((to) => {
      unheard.push(to);
      wake();
    });
    const next = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      });
    one.transport.send(numbered(2), "log-sync", text("heard"));
    one.transport.send(numbered(3), "log-sync", text("unheard"));
    await next();
    t.deepEqual(unheard, [3]);
    await two.hears("1 log-sync heard");
    await two.transport.close();
    one.transport.send(numbered(2), "log-sync", text("0123456789abcdef".repeat(2 * 65_536)));
    await next();
    t.is(unheard[1], 2);
  },
);

test.serial("a message to one node asks for no answer", async (t) => {
  const { url } = await server(t);
  const one = await peer(t, url, 1);
  const two = await peer(t, url, 2);
  const heard = new Promise<Incoming>((resolve) => two.transport.onReceive(resolve));
  one.transport.send(numbered(2), "log-sync", text("direct"));
  t.like(await heard, { from: 1, actor: "log-sync", answer: undefined });
});

test.serial("a node that closed has no responders any more", async (t) => {
  const { url } = await server(t);
  const one = await peer(t, url, 1);
  const two = await peer(t, url, 2);
  two.transport.send(numbered(1), "log-sync", text("last words"));
  await two.transport.close();
  await one.hears("2 log-sync last words");
  t.deepEqual(await one.request(2, "ping", 3_600_000), { kind: "noResponders" });
});

test.serial(
  "messages of 3 MB pass a server that takes 1 MB: sent, broadcast, asked and answered",
  async (t) => {
    const { url } = await server(t);
    const one = await peer(t, url, 1);
    const two = await peer(t, url, 2);
    const large = "0123456789abcdef".repeat(3 * 65_536);
    one.transport.send(numbered(2), "log-sync", text(`direct ${large}`));
    one.transport.broadcast("log-sync", text(`all ${large}`));
    const answered = await one.request(2, large);
    t.true(answered.kind === "answered" && read(answered.bytes) === `2 heard ${large}`);
    t.true(two.heard[0] === `1 log-sync direct ${large}`);
    t.true(two.heard[1] === `1 log-sync all ${large}`);
  },
);

test.serial(
  "nothing that was sent while the server was away arrives after it is back",
  async (t) => {
    const first = await server(t);
    const one = await peer(t, first.url, 1);
    const two = await peer(t, first.url, 2);
    let incarnation = "before";
    const sending = setInterval(() => {
      one.transport.send(numbered(2), "log-sync", text(incarnation));
      one.transport.broadcast("log-sync", text(incarnation));
    }, 1);
    t.teardown(() => clearInterval(sending));
    await two.hears("1 log-sync before");
    await first.kill();
    incarnation = "away";
    const back = (node: Peer): Promise<unknown> =>
      firstValueFrom(node.transport.status$.pipe(filter((status) => status === "connected")));
    const gone = (node: Peer): Promise<unknown> =>
      firstValueFrom(node.transport.status$.pipe(filter((status) => status === "disconnected")));
    await Promise.all([gone(one), gone(two)]);
    t.deepEqual(await one.request(2, "ping", 20), { kind: "timedOut" });
    incarnation = "starting";
    await server(t, { port: first.port });
    await Promise.all([back(one), back(two)]);
    incarnation = "after";
    await two.hears("1 log-sync after");
    t.false(two.heard.includes("1 log-sync away"));
  },
);

test.serial("two clustered servers carry messages between their nodes", async (t) => {
  const servers = await startNatsCluster();
  for (const each of servers) t.teardown(each.stop);
  const one = await peer(t, servers[0].url, 1);
  const two = await peer(t, servers[1].url, 2);
  // Interest crosses a route a moment after the subscription.
  let answered = await one.request(2, "ping");
  while (answered.kind === "noResponders") answered = await one.request(2, "ping");
  t.is(answered.kind === "answered" ? read(answered.bytes) : answered.kind, "2 heard ping");
  two.transport.broadcast("election", text("vote"));
  await one.hears("2 election vote");
  t.pass();
});

test.serial(
  "what another process under the same id says is heard, so that it can be refused",
  async (t) => {
    const { url } = await server(t);
    const one = await peer(t, url, 1);
    const twin = await peer(t, url, 1);
    twin.transport.broadcast("election", text("vote"));
    await one.hears("1 election vote");
    one.transport.send(numbered(1), "gate", text("refused"));
    await twin.hears("1 gate refused");
    t.pass();
  },
);

async function problemOf(options: Partial<NatsTransportOptions>): Promise<NatsError> {
  try {
    const transport = await connectNats({ servers: [], ...as(1), ...options });
    await transport.close();
  } catch (error) {
    if (error instanceof NatsError) return error;
    throw error;
  }
  throw new Error("it connected");
}

test.serial("without a server the error names the URL and says what to start", async (t) => {
  const { url, stop } = await startNatsServer();
  await stop();
  const problem = await problemOf({ servers: [url.replace("nats://", "nats://node:secret@")] });
  t.is(problem.code, "ZOOID_NATS_UNREACHABLE");
  t.true(problem.message.includes(url), problem.message);
  t.true(problem.message.includes("nats-server -c nats.conf"), problem.message);
  t.false(problem.message.includes("secret"), problem.message);
});

test.serial(
  "a server that is stopping, and ends the connection before it has said who it is, may be there later",
  async (t) => {
    const stopping = createServer((socket) => socket.end());
    stopping.listen(0, "127.0.0.1");
    await once(stopping, "listening");
    const { port } = stopping.address() as AddressInfo;
    try {
      const problem = await problemOf({ servers: [`nats://127.0.0.1:${port}`] });
      t.is(problem.code, "ZOOID_NATS_UNREACHABLE", problem.message);
      t.regex(problem.message, /starting or stopping/);
    } finally {
      stopping.close();
    }
  },
);

test.serial("bad options are refused with the rule they break", async (t) => {
  const noServer = await problemOf({ servers: [] });
  t.is(noServer.code, "ZOOID_NATS_OPTIONS");
  const badUrl = await problemOf({ servers: ["http://localhost:4222"] });
  t.true(badUrl.message.includes("nats://host:port"), badUrl.message);
});

test.serial("the project's nats.conf lets nodes talk and refuses a wrong password", async (t) => {
  const { url } = await server(t, { config: await projectNatsConfig() });
  const named = url.replace("nats://", "nats://node:change-me-node@");
  const one = await peer(t, named, 1);
  await peer(t, url, 2, { user: "node", password: "change-me-node" });
  t.is((await one.request(2, "ping")).kind, "answered");
  t.is((await one.request(3, "ping")).kind, "noResponders");
  const problem = await problemOf({ servers: [url], user: "node", password: "guessed" });
  t.is(problem.code, "ZOOID_NATS_CREDENTIALS");
  t.true(problem.message.includes(url), problem.message);
});

test.serial("the project's nats.conf keeps its client user out of the talk of nodes", async (t) => {
  const { url } = await server(t, { config: await projectNatsConfig() });
  const client = { servers: [url], user: "client", password: "change-me-client" };
  const problem = await problemOf(client);
  t.is(problem.code, "ZOOID_NATS_PERMISSION");
  t.true(problem.message.includes("zooid.test."), problem.message);
});
