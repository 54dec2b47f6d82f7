/** What a client can ask of the HTTP server, and make it keep, is bounded. Real sockets. */
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { mock } from "node:test";
import { Server as TlsServer } from "node:tls";
import test, { type ExecutionContext } from "ava";
import {
  ADMIN_CONNECTIONS_MAX,
  ADMIN_HEAD_BYTES_MAX,
  ADMIN_PIPELINED_MAX,
} from "../../../../protocol/limits.ts";
import type { TlsTerms } from "../../../../runtime/connections/tls/terms.ts";
import {
  type HttpReply,
  type HttpRequest,
  HttpServer,
  isLoopback,
} from "../../../../server/admin/http-server.ts";
import { CertificateFolder } from "../../../support/certificates.ts";
import { until } from "../../../support/until.ts";

type Started = {
  readonly port: number;
  readonly asked: HttpRequest[];
  readonly server: HttpServer;
};

async function start(t: ExecutionContext, host = "127.0.0.1"): Promise<Started> {
  const asked: HttpRequest[] = [];
  const answer = (request: HttpRequest): Promise<{ status: number; body: string }> => {
    asked.push(request);
    return Promise.resolve({ status: 200, body: `${request.path}\n` });
  };
  const server = await HttpServer.listen({ host, port: 0, answer });
  t.teardown(() => server.close());
  return { port: Number(new URL(server.url).port), asked, server };
}

/** What comes back until the server closes the connection. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    text += part;
  });
  socket.write(bytes);
  await closed(socket);
  return text;
}

/** However it came about. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

function request(line: string, ...headers: readonly string[]): string {
  return [line, "Host: 127.0.0.1", "Connection: close", ...headers, "", ""].join("\r\n");
}

test("GET has a body and HEAD has none", async (t) => {
  const { port } = await start(t);
  t.regex(
    await send(port, request("GET /a%20b?x=1 HTTP/1.1")),
    /^HTTP\/1.1 200 .*\r\n\r\n\/a b\n$/s,
  );
  const head = await send(port, request("HEAD /abc HTTP/1.1"));
  t.regex(head, /^HTTP\/1.1 200 .*Content-Length: 5\r\n.*\r\n\r\n$/s);
});

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]) {
  test(`${method} is answered 405 and handed to nobody`, async (t) => {
    const { port, asked } = await start(t);
    t.regex(
      await send(port, request(`${method} / HTTP/1.1`)),
      /^HTTP\/1.1 405 .*\nAllow: GET, HEAD/s,
    );
    t.deepEqual(asked, []);
  });
}

test("a method that a path does not take is answered with those that it takes", async (t) => {
  const answer = (): Promise<never> => Promise.reject(new Error("asked"));
  const takesPost = (path: string): boolean => path === "/form";
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0, answer, takesPost });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  const allowed = async (path: string): Promise<string | undefined> =>
    /\nAllow: (.*)\r/.exec(await send(port, request(`DELETE ${path} HTTP/1.1`)))?.[1];
  t.is(await allowed("/form"), "GET, HEAD, POST");
  t.is(await allowed("/"), "GET, HEAD");
});

for (const header of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
  test(`a request with ${header} is answered 413 without its body being read`, async (t) => {
    const { port, asked } = await start(t);
    const head = request("GET / HTTP/1.1", header).replace("Connection: close\r\n", "");
    t.regex(await send(port, head), /^HTTP\/1.1 413 .*\nConnection: close/s);
    t.deepEqual(asked, []);
  });
}

test("a client that asks whether it may send is not told to go on", async (t) => {
  const { port } = await start(t);
  const head = request("GET / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue");
  t.regex(await send(port, head), /^HTTP\/1.1 413 /);
});

test("a head that is too long is answered 431", async (t) => {
  const { port, asked } = await start(t);
  const long = `X-Long: ${"x".repeat(ADMIN_HEAD_BYTES_MAX)}`;
  t.regex(await send(port, request("GET / HTTP/1.1", long)), /^HTTP\/1.1 431 /);
  t.regex(
    await send(port, request(`GET /${"x".repeat(ADMIN_HEAD_BYTES_MAX)} HTTP/1.1`)),
    /^HTTP\/1.1 431 /,
  );
  t.deepEqual(asked, []);
});

test("many headers are too long together, and the most that fit are taken", async (t) => {
  const { port, asked } = await start(t);
  const many = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `X-${index}: ${"x".repeat(10)}`);
  t.regex(await send(port, request("GET / HTTP/1.1", ...many(1000))), /^HTTP\/1.1 431 /);
  t.deepEqual(asked, []);
  t.regex(await send(port, request("GET / HTTP/1.1", ...many(300))), /^HTTP\/1.1 200 /);
});

test("two lengths of one body, or a length beside pieces, are no request: nobody reads it in two ways", async (t) => {
  const { port, asked } = await start(t);
  const wrong = [
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Content-Length: 5x"],
    ["Content-Length: -1"],
    ["Transfer-Encoding: chunked, identity"],
  ];
  for (const headers of wrong) {
    const head = request("POST / HTTP/1.1", ...headers);
    t.regex(await send(port, `${head}GET /smuggled HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 400 /);
  }
  t.deepEqual(asked, []);
});

test("a head or a body that does not come is given up, and its connection with it", async (t) => {
  const bodies: string[] = [];
  const answer = async (asked: HttpRequest): Promise<HttpReply> => {
    const body = await asked.body();
    bodies.push(body.kind);
    return { status: 200, body: "" };
  };
  const server = await HttpServer.listen({
    ...{ host: "127.0.0.1", port: 0, answer, takesPost: () => true, requestMsMax: 200 },
  });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  const head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
  t.regex(await send(port, head), /^HTTP\/1.1 408 /);
  // On a busy machine the time may be over before the head is looked at.
  await until(async () => {
    const body = `${request("POST / HTTP/1.1", "Content-Length: 100")}{`;
    t.regex(await send(port, body), /^HTTP\/1.1 408 /);
    return bodies.length > 0;
  }, "whoever waits for the body hears of it");
  t.deepEqual(new Set(bodies), new Set(["refused"]));
});

test("of a body with more bytes than it says no more are read than that", async (t) => {
  const bodies: string[] = [];
  const answer = async (asked: HttpRequest): Promise<HttpReply> => {
    const body = await asked.body();
    bodies.push(body.kind === "read" ? body.bytes.toString() : body.kind);
    return { status: 200, body: "" };
  };
  const takesPost = (): boolean => true;
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0, answer, takesPost });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  const head = request("POST /a HTTP/1.1", "Content-Length: 2");
  const more = request("POST /b HTTP/1.1", "Content-Length: 1");
  // What is not read may cost the answer: the connection is reset.
  await send(port, `${head}{}${more}x`);
  t.deepEqual(bodies, ["{}"]);
});

test("bytes that are not HTTP end their connection alone", async (t) => {
  const { port } = await start(t);
  t.regex(await send(port, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n"), /^HTTP\/1.1 400 /);
  t.regex(await send(port, "mntr\r\n\r\n"), /^HTTP\/1.1 400 /);
  t.regex(await send(port, request("GET / HTTP/1.1")), /^HTTP\/1.1 200 /);
});

test("a path that cannot be decoded is taken as it is", async (t) => {
  const { port, asked } = await start(t);
  await send(port, request("GET /%zz HTTP/1.1"));
  t.deepEqual(
    asked.map(({ path }) => path),
    ["/%zz"],
  );
});

test("a page whose name points to this machine is not answered", async (t) => {
  const { port } = await start(t);
  const from = (host: string): Promise<string> =>
    send(port, request("GET / HTTP/1.1").replace("127.0.0.1", host));
  t.regex(await from("evil.example:80"), /^HTTP\/1.1 421 /);
  for (const host of ["localhost", "[::1]:8080", "10.0.0.1", "node.localhost:1"]) {
    t.regex(await from(host), /^HTTP\/1.1 200 /, host);
  }
});

test("where others reach it, it has names that nobody here knows", async (t) => {
  const { port } = await start(t, "0.0.0.0");
  const named = request("GET / HTTP/1.1").replace("127.0.0.1", "zoo-1.zoo.svc");
  t.regex(await send(port, named), /^HTTP\/1.1 200 /);
});

test("one connection more than there may be is closed, and one that ends makes way", async (t) => {
  const { port, asked } = await start(t);
  const open: Socket[] = [];
  for (let index = 0; index < ADMIN_CONNECTIONS_MAX; index += 1) {
    const socket = connect({ port, host: "127.0.0.1" });
    open.push(socket);
    socket.write("GET /kept HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "data");
  }
  t.is(await send(port, request("GET /more HTTP/1.1")), "");
  const [first] = open;
  first?.destroy();
  let text = "";
  while (text === "") text = await send(port, request("GET /later HTTP/1.1"));
  t.regex(text, /^HTTP\/1.1 200 /);
  t.is(asked.filter(({ path }) => path === "/kept").length, ADMIN_CONNECTIONS_MAX);
  for (const socket of open) socket.destroy();
});

test("a connection that has been open for long is closed behind an answer", async (t) => {
  const asked = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const answer = (): Promise<{ status: number; body: string }> =>
    Promise.resolve({ status: 200, body: "late\n" });
  const options = { host: "127.0.0.1", port: 0, answer, connectionMsMax: 0 };
  const server = await HttpServer.listen(options);
  t.teardown(() => server.close());
  const text = await send(Number(new URL(server.url).port), asked);
  t.regex(text, /^HTTP\/1.1 200 .*\nConnection: close\r\n.*late\n$/s);
});

test("a client that asks on and on without an answer loses its connection, and nobody works for what it asked", async (t) => {
  let asked = 0;
  const answer = (): Promise<never> => {
    asked += 1;
    return new Promise(() => undefined);
  };
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0, answer });
  t.teardown(() => server.close());
  const one = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const port = Number(new URL(server.url).port);
  t.is(await send(port, one.repeat(1000)), "");
  t.is(asked, ADMIN_PIPELINED_MAX);
});

test("it closes while connections are open and while one is being asked", async (t) => {
  const { port, server } = await start(t);
  const idle = connect({ port, host: "127.0.0.1" });
  const half = connect({ port, host: "127.0.0.1" });
  for (const socket of [idle, half]) socket.on("error", () => undefined);
  half.write("GET / HTT");
  await Promise.all([once(idle, "connect"), once(half, "connect")]);
  const ended = Promise.all([idle, half].map((socket) => closed(socket)));
  await server.close();
  await ended;
  t.pass();
});

test("an answer is over when it is sent, and also when its client is gone before it begins", async (t) => {
  const [asked, ready, over] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let begins = 0;
  let overs = 0;
  const answer = async ({ path }: HttpRequest): Promise<HttpReply> => {
    const reply = { status: 200, body: "", over: () => (overs += 1) };
    if (path !== "/slow") return reply;
    asked?.resolve();
    await ready?.promise;
    return {
      ...reply,
      events: async function* () {
        begins += 1;
        yield await Promise.resolve("data: 1\n\n");
      },
      over: () => over?.resolve(),
    };
  };
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0, answer });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  const close = "Host: localhost\r\nConnection: close\r\n\r\n";
  t.regex(await send(port, `GET /quick HTTP/1.1\r\n${close}`), /^HTTP\/1.1 200/);
  t.regex(await send(port, `HEAD /quick HTTP/1.1\r\n${close}`), /^HTTP\/1.1 200/);
  t.is(overs, 2);
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await asked?.promise;
  const ended = closed(socket);
  await server.close();
  await ended;
  ready?.resolve();
  await over?.promise;
  t.is(begins, 0);
});

test("it closes while a handshake of TLS is under way", async (t) => {
  const folder = new CertificateFolder();
  t.teardown(() => folder.remove());
  const node = folder.authority("node");
  const terms: TlsTerms = {
    certificates: readFileSync(node.certificate, "utf8"),
    key: readFileSync(node.key, "utf8"),
    ...{
      authorities: undefined,
      withdrawn: undefined,
      clientCertificates: "none",
      ciphers: undefined,
    },
    ...{ versionMin: "TLSv1.2", versionMax: "TLSv1.3" },
  };
  const answer = (): Promise<never> => Promise.reject(new Error("asked"));
  /** Why Node says that handshakes ended: given up after the time of a request, or with their connection. */
  const codes: (string | undefined)[] = [];
  const events = mock.method(
    TlsServer.prototype,
    "emit",
    function (this: TlsServer, ...event: Parameters<EventEmitter["emit"]>) {
      const [name, error] = event;
      if (name === "tlsClientError") codes.push((error as NodeJS.ErrnoException).code);
      return EventEmitter.prototype.emit.apply(this, event);
    },
  );
  t.teardown(() => events.mock.restore());
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0, answer, tls: terms });
  t.teardown(() => server.close());
  const socket = connect({ port: Number(new URL(server.url).port), host: "127.0.0.1" });
  t.teardown(() => socket.destroy());
  socket.on("error", () => undefined);
  const ended = closed(socket);
  await once(socket, "connect");
  await server.close();
  await ended;
  t.false(codes.includes("ERR_TLS_HANDSHAKE_TIMEOUT"), codes.join());
});

test("a port in use is the system's error", async (t) => {
  const { port } = await start(t);
  const answer = (): Promise<never> => Promise.reject(new Error("asked"));
  await t.throwsAsync(HttpServer.listen({ host: "127.0.0.1", port, answer }), {
    code: "EADDRINUSE",
  });
});

test("loopback is told from what others reach", (t) => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) t.true(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example"]) t.false(isLoopback(host));
});
