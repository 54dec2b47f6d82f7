/** Clients that speak TLS, with real sockets: who comes in, who does not, and that what they send and get is the same as without. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import test from "ava";
import { ConnectionCounts } from "../../../runtime/connections/connection-counts.ts";
import type { ConnectionMessage } from "../../../runtime/effects.ts";
import type { ClientCertificates, TlsTerms } from "../../../runtime/connections/tls/terms.ts";
import { type Certificate, CertificateFolder } from "../../support/certificates.ts";
import { type Host, host } from "../../support/listener-host.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const stranger = folder.authority("stranger");
const server = authority.issue("server", "/CN=server");
const app = authority.issue("app", "/O=example/CN=app");
const unknown = stranger.issue("unknown", "/CN=unknown");
const late = authority.issue("late", "/CN=late", { expired: true });
const gone = authority.issue("gone", "/CN=gone");
test.after.always(() => folder.remove());

const text = (file: string): string => readFileSync(file, "utf8");

function termsOf(clientCertificates: ClientCertificates, own: Certificate = server): TlsTerms {
  return {
    certificates: text(own.certificate),
    key: text(own.key),
    authorities: text(authority.certificate),
    withdrawn: undefined,
    clientCertificates,
    versionMin: "TLSv1.2",
    versionMax: "TLSv1.3",
    ciphers: undefined,
  };
}

type Secure = Host & { readonly refused: string[]; readonly counts: ConnectionCounts };

async function secureHost(
  terms: TlsTerms,
  more: { readonly orPlain?: boolean; readonly handshakeMs?: number } = {},
): Promise<Secure> {
  const refused: string[] = [];
  const counts = new ConnectionCounts(
    ConnectionCounts.share({ connectionsMax: 50, perAddressMax: 0 }),
  );
  const heard = (message: ConnectionMessage): void => {
    if (message.kind === "refused") refused.push(message.reason);
  };
  const made = await host({ door: { tls: { terms, ...more } }, counts }, heard);
  return { ...made, refused, counts };
}

function secureClient(port: number, own?: Certificate, options: ConnectionOptions = {}): TLSSocket {
  const shown = own === undefined ? {} : { key: text(own.key), cert: text(own.certificate) };
  const ca = text(authority.certificate);
  const wanted: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    ...{ host: "127.0.0.1", port, ca, allowHalfOpen: true },
    ...shown,
    ...options,
  };
  const socket = connect(wanted);
  socket.on("error", () => {}); // being turned away is what some of these tests look for
  return socket;
}

function plainClient(port: number): Socket {
  const socket = connectTcp({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  socket.once("end", () => socket.end());
  await new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a client of ${version} with a certificate is known by its name, and bytes go both ways`, async (t) => {
    const { listener, port, until } = await secureHost(termsOf("need"));
    const socket = secureClient(port, app, { minVersion: version, maxVersion: version });
    const opened = await until(({ kind }) => kind === "opened");
    t.like(opened, { secure: { subject: "CN=app,O=example" } });
    t.is(opened.kind === "opened" ? opened.remoteAddress : "", `127.0.0.1:${socket.localPort}`);
    socket.write("hello");
    const bytes = await until(({ kind }) => kind === "bytes");
    t.is(bytes.kind === "bytes" ? Buffer.from(bytes.bytes).toString() : "", "hello");
    const { connection } = opened;
    listener.perform({ kind: "write", connection, bytes: Buffer.from("wor") });
    listener.perform({ kind: "write", connection, bytes: Buffer.from("ld") });
    listener.perform({ kind: "close", connection });
    t.is((await received(socket)).toString(), "world");
    socket.end();
    await until(({ kind }) => kind === "closed");
    await listener.close();
  });
}

test("a client that is asked for no certificate, or may have none, has no name", async (t) => {
  for (const asked of ["none", "want"] as const) {
    const { listener, port, until } = await secureHost(termsOf(asked));
    const socket = secureClient(port);
    const opened = await until(({ kind }) => kind === "opened");
    t.deepEqual(opened.kind === "opened" ? opened.secure : undefined, { subject: undefined });
    socket.destroy();
    await listener.close();
  }
});

const TURNED_AWAY: readonly [string, ClientCertificates, Certificate | undefined, RegExp][] = [
  [
    "without the certificate that it needs",
    "need",
    undefined,
    /^TLS: it has shown no certificate$/,
  ],
  ["of an authority that is not known", "need", unknown, /^TLS: its certificate is not trusted: /],
  [
    "of an unknown authority, though it may have none",
    "want",
    unknown,
    /^TLS: its certificate is not trusted: /,
  ],
  [
    "whose certificate has expired",
    "need",
    late,
    /^TLS: its certificate is not trusted: CERT_HAS_EXPIRED$/,
  ],
];

for (const [who, asked, own, reason] of TURNED_AWAY) {
  test(`a client ${who} is turned away and counts no more`, async (t) => {
    const { listener, port, messages, refused, counts } = await secureHost(termsOf(asked));
    await closed(secureClient(port, own));
    await listener.close();
    t.is(refused.length, 1);
    t.regex(refused[0] ?? "", reason);
    t.deepEqual(messages, []);
    t.is(counts.total, 0);
  });
}

test("a client whose certificate was withdrawn is turned away, and another of its authority is not", async (t) => {
  // Each authority has a list of its own.
  const withdrawn = [
    text(folder.withdrawn(stranger, [])),
    text(folder.withdrawn(authority, [gone])),
  ];
  const { listener, port, refused, until } = await secureHost({ ...termsOf("need"), withdrawn });
  await closed(secureClient(port, gone));
  t.deepEqual(refused, ["TLS: its certificate is not trusted: CERT_REVOKED"]);
  const socket = secureClient(port, app);
  const opened = await until(({ kind }) => kind === "opened");
  t.like(opened, { secure: { subject: "CN=app,O=example" } });
  socket.destroy();
  listener.renew({ ...termsOf("need"), withdrawn: withdrawn.slice(0, 1) });
  await closed(secureClient(port, app));
  t.is(refused[1], "TLS: its certificate is not trusted: UNABLE_TO_GET_CRL");
  await listener.close();
});

test("a client that does not trust the node is told in the log", async (t) => {
  const { listener, port, refused } = await secureHost(termsOf("none"));
  // Node's own client looks at the certificate when the handshake is done; others say in it that they do not go on.
  const to = ["-connect", `127.0.0.1:${port}`, "-CAfile", stranger.certificate];
  const program = spawn("openssl", ["s_client", ...to, "-verify_return_error"]);
  await once(program, "close");
  await listener.close();
  t.deepEqual(refused, ["TLS: it does not trust this node's certificate"]);
});

const GARBAGE: readonly [string, Buffer][] = [
  ["a handshake of ZooKeeper", Buffer.from("0000002c000000000000000000000000", "hex")],
  ["a four-letter word", Buffer.from("ruok")],
  ["a request of HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a record of TLS with nonsense in it", Buffer.from("16030100050100000000", "hex")],
  ["64 KiB of noise", Buffer.alloc(65_536, "\x16\x03\x01\xff\xff noise")],
];

for (const [what, bytes] of GARBAGE) {
  test(`${what} on the port for TLS ends the connection, and the next client is served`, async (t) => {
    const { listener, port, until, refused, counts } = await secureHost(termsOf("none"));
    const socket = plainClient(port);
    socket.end(bytes);
    await closed(socket);
    secureClient(port).write("hello");
    await until(({ kind }) => kind === "bytes");
    t.is(refused.length, 1);
    t.regex(refused[0] ?? "", /^TLS: (it does not speak TLS|its handshake failed|it went away)/);
    await listener.close();
    t.is(counts.total, 0);
  });
}

test("a client that stops in the middle of its handshake is closed after a time, and counts until then", async (t) => {
  const { listener, port, refused, counts } = await secureHost(termsOf("none"), {
    handshakeMs: 300,
  });
  const socket = plainClient(port);
  socket.write(Buffer.from("16030100", "hex"));
  await once(socket, "connect");
  while (counts.total === 0) await new Promise((resolve) => setImmediate(resolve));
  await closed(socket);
  await listener.close();
  t.deepEqual(refused, ["TLS: it did not finish its handshake in time"]);
  t.is(counts.total, 0);
});

test("closing the listener closes those in their handshake too, without a word", async (t) => {
  const { listener, port, refused, counts } = await secureHost(termsOf("none"));
  const socket = plainClient(port);
  while (counts.total === 0) await new Promise((resolve) => setImmediate(resolve));
  await listener.close();
  await closed(socket);
  t.deepEqual(refused, []);
});

test("clients that come after a renewal are shown the new certificate, and those before stay", async (t) => {
  const other = authority.issue("other", "/CN=other");
  const { listener, port, messages, until } = await secureHost(termsOf("none"));
  const before = secureClient(port);
  await once(before, "secureConnect");
  t.is(before.getPeerCertificate().subject.CN, "server");
  listener.renew(termsOf("none", other));
  const after = secureClient(port);
  await once(after, "secureConnect");
  t.is(after.getPeerCertificate().subject.CN, "other");
  before.write("still here");
  await until(({ kind }) => kind === "bytes");
  t.false(messages.some(({ kind }) => kind === "closed"));
  before.destroy();
  after.destroy();
  await listener.close();
});

test("a renewal with a key that does not fit is refused, and changes nothing", async (t) => {
  const { listener, port } = await secureHost(termsOf("none"));
  t.throws(() => listener.renew({ ...termsOf("none"), key: text(app.key) }));
  const socket = secureClient(port);
  await once(socket, "secureConnect");
  socket.destroy();
  await listener.close();
});

test("on one port those who speak TLS and those who do not are told apart", async (t) => {
  const { listener, port, messages, until } = await secureHost(termsOf("need"), { orPlain: true });
  const plain = plainClient(port);
  const secure = secureClient(port, app);
  plain.write("plain");
  secure.write("secure");
  const says = async (what: string): Promise<number> => {
    const said = await until(
      (message) => message.kind === "bytes" && Buffer.from(message.bytes).toString() === what,
    );
    return said.connection;
  };
  const plainNumber = await says("plain");
  const secureNumber = await says("secure");
  const openedAs = (number: number): unknown =>
    messages.find(({ kind, connection }) => kind === "opened" && connection === number);
  t.is((openedAs(plainNumber) as { secure?: unknown }).secure, undefined);
  t.like(openedAs(secureNumber), { secure: { subject: "CN=app,O=example" } });
  plain.destroy();
  secure.destroy();
  await listener.close();
});

test("on such a port who sends nothing is closed after a time", async (t) => {
  const { listener, port, refused } = await secureHost(termsOf("none"), {
    orPlain: true,
    handshakeMs: 200,
  });
  await closed(plainClient(port));
  await listener.close();
  t.deepEqual(refused, ["it sent nothing in time"]);
});

test("a client of TLS that has sent all it will is told, and still gets what is written to it", async (t) => {
  const { listener, port, until } = await secureHost(termsOf("none"));
  const socket = secureClient(port);
  socket.end("last");
  const { connection } = await until(({ kind }) => kind === "ended");
  listener.perform({ kind: "write", connection, bytes: Buffer.from("answer") });
  listener.perform({ kind: "close", connection });
  t.is((await received(socket)).toString(), "answer");
  await listener.close();
});

test("a client of TLS that takes nothing is cut off at the limit", async (t) => {
  const refused: string[] = [];
  const { listener, port, until } = await host(
    { door: { tls: { terms: termsOf("none") } }, unsentBytesMax: 1_000_000 },
    (message) => void (message.kind === "refused" && refused.push(message.reason)),
  );
  const socket = secureClient(port);
  const { connection } = await until(({ kind }) => kind === "opened");
  socket.pause();
  for (let count = 0; count < 200; count += 1) {
    listener.perform({ kind: "write", connection, bytes: Buffer.alloc(100_000) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = await until(({ kind }) => kind === "closed");
  t.regex(end.kind === "closed" ? (end.reason ?? "") : "", /^it does not read: /);
  socket.destroy();
  await listener.close();
});

test("what a client of TLS sends is left in the network while it is not read", async (t) => {
  const { listener, port, messages, until } = await secureHost(termsOf("none"));
  const socket = secureClient(port);
  const { connection } = await until(({ kind }) => kind === "opened");
  listener.perform({ kind: "pauseReading", connection });
  socket.write(Buffer.alloc(64 * 1024 * 1024));
  for (let count = 0; count < 50; count += 1) await new Promise((resolve) => setImmediate(resolve));
  t.false(messages.some(({ kind }) => kind === "bytes"));
  t.true(socket.writableLength > 0);
  listener.perform({ kind: "resumeReading", connection });
  await until(({ kind }) => kind === "bytes");
  socket.destroy();
  await listener.close();
});

test("after more than 256 KiB over TLS the actor hears when all of it has been taken", async (t) => {
  const { listener, port, until } = await secureHost(termsOf("none"));
  const socket = secureClient(port);
  const { connection } = await until(({ kind }) => kind === "opened");
  listener.perform({ kind: "write", connection, bytes: Buffer.alloc(3_000_000) });
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await until(({ kind }) => kind === "drained");
  listener.perform({ kind: "close", connection });
  await once(socket, "end");
  t.is(bytes, 3_000_000);
  socket.end();
  await listener.close();
});
