/** A node with TLS, in its own threads: who comes in is served by every lane, and certificates are renewed while it runs. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import test from "ava";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { startNode, type RunningNode } from "../../server/start.ts";
import { askAdmin } from "../support/admin.ts";
import { type Certificate, CertificateFolder } from "../support/certificates.ts";
import { Child } from "../support/child.ts";
import { requestFrame } from "../support/gateway-driver.ts";
import { until } from "../support/until.ts";
import { connectFrame } from "../support/zookeeper-client/client.ts";
import { create, getData, type Operation, whoAmI } from "../support/zookeeper-client/operations.ts";
import { Code } from "../../protocol/codes.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const first = authority.issue("first", "/CN=first");
const second = authority.issue("second", "/CN=second");
const app = authority.issue("app", "/O=example/CN=app");
const store = folder.file("node.pem");
copyFileSync(first.store, store);

const dataDir = mkdtempSync(join(tmpdir(), "zooid-tls-"));
const events: InspectionEvent[] = [];
let node: RunningNode | undefined;

test.before(async () => {
  node = await startNode(
    {
      dataDir,
      secureClientPort: 0,
      secureClientPortAddress: "::",
      tlsKeyStoreFile: store,
      tlsTrustStoreFile: authority.certificate,
      fourLetterWords: ["*"],
      lanes: 2,
      adminPort: 0,
    },
    { onInspection: (event) => events.push(event) },
  );
  await node.ready;
});

test.after.always(async () => {
  await node?.stop();
  rmSync(dataDir, { recursive: true, force: true });
  folder.remove();
});

function client(own: Certificate | undefined, host = "127.0.0.1"): TLSSocket {
  const port = node?.secureClientPort ?? 0;
  const text = (file: string): string => readFileSync(file, "utf8");
  const shown = own === undefined ? {} : { key: text(own.key), cert: text(own.certificate) };
  const socket = connect({ host, port, ca: text(authority.certificate), ...shown });
  socket.on("error", () => {});
  return socket;
}

async function ask(word: string): Promise<string> {
  const socket = client(app);
  socket.write(word);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function logged(event: string): readonly InspectionEvent[] {
  return events.filter((each) => each.kind === "log" && each.event === event);
}

test.serial("without a client port there is the port for TLS only, and conf says so", async (t) => {
  t.is(node?.clientPort, -1);
  const conf = await ask("conf");
  t.regex(conf, new RegExp(`^clientPort=-1\nsecureClientPort=${node?.secureClientPort}\n`));
  t.false(conf.includes("password"));
});

test.serial("the API of the admin server has znodes though no port is without TLS", async (t) => {
  const { status, text } = await askAdmin(node?.adminUrl ?? "", "/api/v1/children?path=/zookeeper");
  t.is(status, 200, text);
  t.true(text.includes('"name":"quota"'), text);
});

test.serial("zooid serve says where it listens, also where that is for TLS only", async (t) => {
  const own = mkdtempSync(join(tmpdir(), "zooid-tls-serve-"));
  const files = ["--tls-key-store", first.store, "--tls-client-auth", "none"];
  const ports = ["--secure-client-port", "0", "--secure-client-port-address", "127.0.0.1"];
  const serve = COMMAND_LINE;
  const args = [serve, "serve", "--data-dir", own, ...files, ...ports];
  const child = new Child({ command: process.execPath, args });
  t.teardown(async () => {
    await child.stop();
    rmSync(own, { recursive: true, force: true });
  });
  t.regex(await child.line(/^node /), /^node 1 {2}pid \d+ {2}127\.0\.0\.1:\d+ {2}TLS$/);
});

test.serial("clients of both families come in, and all lanes serve them", async (t) => {
  const sockets: TLSSocket[] = [];
  const lanes = new Set<string>();
  const steps = node?.steps$.subscribe(({ actor, message }) => {
    if (actor.startsWith("zookeeper/") && message === "opened") lanes.add(actor);
  });
  // The kernel chooses a lane for each connection.
  await until(async () => {
    const socket = client(app, sockets.length % 2 === 0 ? "127.0.0.1" : "::1");
    sockets.push(socket);
    socket.write(connectFrame({ port: 0 }));
    const [answer] = (await once(socket, "data")) as [Buffer];
    t.is(answer.length, 41);
    return sockets.length >= 4 && lanes.size === 2;
  }, "both lanes have clients");
  steps?.unsubscribe();
  const stat = await ask("stat");
  t.regex(stat, /\[::1\]:\d+/);
  for (const socket of sockets) socket.destroy();
});

test.serial(
  "the name in a client's certificate is its identity, which lists may name",
  async (t) => {
    const socket = client(app);
    socket.write(connectFrame({ port: 0 }));
    await once(socket, "data");
    const ask = async (xid: number, request: Operation): Promise<Buffer> => {
      socket.write(requestFrame(xid, request));
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer;
    };
    const subject = "CN=app,O=example";
    const who = await ask(1, whoAmI());
    t.true(who.includes("x509") && who.includes(subject), who.toString("latin1"));
    const acl = [{ perms: 31, scheme: "x509", id: subject }];
    t.is((await ask(2, create("/of-app", "", { acl }))).readInt32BE(16), 0);
    t.is((await ask(3, getData("/of-app"))).readInt32BE(16), 0);
    const other = authority.issue("other", "/CN=other");
    const stranger = client(other);
    stranger.write(connectFrame({ port: 0 }));
    await once(stranger, "data");
    stranger.write(requestFrame(1, getData("/of-app")));
    const [refused] = (await once(stranger, "data")) as [Buffer];
    t.is(refused.readInt32BE(16), Code.noAuth);
    for (const each of [socket, stranger]) each.destroy();
  },
);

test.serial(
  "a client that is not trusted is in the log with its address and the reason",
  async (t) => {
    const stranger = folder.authority("stranger").issue("unknown", "/CN=unknown");
    const socket = client(stranger);
    await new Promise((resolve) => socket.once("close", resolve));
    await until(() => logged("connectionRefused").length > 0, "a connection is refused");
    const [refused] = logged("connectionRefused");
    const detail = refused?.kind === "log" ? refused.detail : {};
    t.regex(String(detail["remoteAddress"]), /^127\.0\.0\.1:\d+$/);
    t.regex(String(detail["reason"]), /^TLS: its certificate is not trusted: /);
  },
);

test.serial(
  "a certificate that is renewed is shown by all lanes, and connections stay",
  async (t) => {
    const before = client(app);
    before.write(connectFrame({ port: 0 }));
    await once(before, "data");
    copyFileSync(second.store, store);
    await until(() => logged("certificatesRenewed").length === 2, "both lanes have the new one");
    for (let count = 0; count < 8; count += 1) {
      const socket = client(app);
      await once(socket, "secureConnect");
      t.is(socket.getPeerCertificate().subject.CN, "second");
      socket.destroy();
    }
    t.false(before.destroyed);
    before.destroy();
  },
);
