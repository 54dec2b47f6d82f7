/** Three nodes and a native client over a nats-server that speaks TLS and asks everybody for a certificate, which are renewed on the way. */
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import type { Client } from "../../client/client.ts";
import { connect } from "../../client/connect.ts";
import { loadConfig } from "../../server/config/load.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { Child } from "../support/child.ts";
import { makeCertificates } from "../support/development-certificates.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { reservePorts } from "../support/ports.ts";
import { stopAll } from "../support/running-nodes.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

type Shared = { readonly events: InspectionEvent[]; readonly client: Client };
const test = anyTest as TestFn<Shared>;

const folder = mkdtempSync(join(tmpdir(), "zooid-nats-tls-"));
/** What all are configured with. */
const certs = join(folder, "certs");
/** The one that runs, on the same port as those before. */
let nats: NatsServer | undefined;
/** Stops whatever was started, the last first. */
const started = new AsyncDisposableStack();
started.defer(() => rmSync(folder, { recursive: true, force: true }));

/** It is trusted by `ca.crt` of the folder alone, and trusts that alone. */
function natsWith(of: string, port?: number): Promise<NatsServer> {
  const file = (name: string): string => JSON.stringify(join(of, name));
  const tls = `cert_file: ${file("nats.crt")}, key_file: ${file("nats.key")}, ca_file: ${file("ca.crt")}`;
  const config = `tls { ${tls}, verify: true, timeout: 20 }\n`;
  return startNatsServer({ config, ...(port !== undefined && { port }) });
}

function urlOf(server: NatsServer | undefined): string {
  return `tls://127.0.0.1:${server?.port}`;
}

function clientFiles(of: string): { caFile: string; certFile: string; keyFile: string } {
  const file = (name: string): string => join(of, name);
  return { caFile: file("ca.crt"), certFile: file("client.crt"), keyFile: file("client.key") };
}

async function launch(
  id: number,
  nats: NatsServer,
  events: InspectionEvent[],
): Promise<RunningNode> {
  const flags = {
    ...{ id: `${id}`, members: "1,2,3", "data-dir": join(folder, `${id}`), lanes: "0" },
    ...{ "client-port": "0", "client-port-address": "127.0.0.1", nats: urlOf(nats) },
    "nats-tls-ca": join(certs, "ca.crt"),
    "nats-tls-cert": join(certs, "node.crt"),
    "nats-tls-key": join(certs, "node.key"),
  };
  const loaded = loadConfig({ transport: "nats", flags: new Map(Object.entries(flags)) });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return launchNode(loaded.config, { onInspection: (event) => events.push(event) });
}

test.before(async (t) => {
  await makeCertificates(certs);
  // No system gives it to a connection of its own while there is no server.
  const port = await reservePorts();
  started.defer(port.release);
  const first = await natsWith(certs, port.first);
  nats = first;
  started.defer(async () => nats?.stop());
  const events: InspectionEvent[] = [];
  const launching = [1, 2, 3].map((id) => launch(id, first, events));
  started.defer(() => stopAll(launching));
  const nodes = await Promise.all(launching);
  await Promise.all(nodes.map((node) => node.ready));
  const client = await connect(urlOf(first), { tls: clientFiles(certs) });
  started.defer(() => client.close());
  t.context = { events, client };
});

test.after.always(() => started.disposeAsync());

/** Everybody is cut off, and finds a server that only trusts, and is only trusted by, what is in the files now. */
async function changeServer(of: string): Promise<void> {
  const port = nats?.port;
  await nats?.kill();
  nats = await natsWith(of, port);
}

/** What a NATS server says first to whoever connects. */
async function infoOf(port: number): Promise<object> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    const [line] = (await once(socket, "data")) as [Buffer];
    return JSON.parse(line.toString().replace(/^INFO /, "")) as object;
  } finally {
    socket.destroy();
  }
}

async function textAt(client: Client): Promise<string> {
  const { data } = await client.get("/written");
  return Buffer.from(data ?? []).toString();
}

test.serial("what is written over TLS is read over TLS", async (t) => {
  await t.context.client.create("/written", Buffer.from("over TLS"));
  t.is(await textAt(t.context.client), "over TLS");
});

test.serial(
  "who shows no certificate, and a server that shows another's, are turned away",
  async (t) => {
    const { caFile } = clientFiles(certs);
    const noCertificate = connect(urlOf(nats), { tls: { caFile }, connectTimeoutMs: 5000 });
    await t.throwsAsync(noCertificate, { code: "ZOOID_UNREACHABLE" });
    // By TLS 1.3 a client learns only later that it was not let in: the server tells why.
    t.regex(nats?.output() ?? "", /client didn't provide a certificate/);
    const other = join(folder, "other");
    await makeCertificates(other, { names: "localhost" });
    const stranger = await natsWith(other);
    t.teardown(() => stranger.stop());
    // It is one for localhost, and the address is not.
    const wrongName = connect(urlOf(stranger), { tls: clientFiles(other) });
    await t.throwsAsync(wrongName, { message: /altnames: IP: 127\.0\.0\.1 is not in the cert/ });
    const untrusted = connect(urlOf(stranger), { tls: { ...clientFiles(other), caFile } });
    await t.throwsAsync(untrusted, { message: /TLS with the NATS server .* failed/ });
  },
);

test.serial(
  "certificates that were renewed, of a new authority even, are those of the next connection",
  async (t) => {
    const { client } = t.context;
    const states: string[] = [];
    const watching = client.state$.subscribe(({ kind }) => states.push(kind));
    const renewed = join(folder, "renewed");
    await makeCertificates(renewed);
    cpSync(renewed, certs, { recursive: true });
    // The connections that there are go on.
    await client.set("/written", Buffer.from("before the next connection"));
    await changeServer(renewed);
    await client.set("/written", Buffer.from("renewed"));
    t.is(await textAt(client), "renewed");
    t.false(states.includes("expired"), states.join(" "));
    watching.unsubscribe();
  },
);

test.serial(
  "files that cannot be used are said, and a node goes on with what it had",
  async (t) => {
    const { client, events } = t.context;
    const before = join(folder, "before");
    cpSync(certs, before, { recursive: true });
    writeFileSync(join(certs, "node.key"), "half a k");
    await changeServer(before);
    await client.set("/written", Buffer.from("with what they had"));
    const refused = events.filter(
      (event) => event.kind === "log" && event.event === "certificatesRefused",
    );
    t.true(refused.length > 0);
    for (const event of refused) {
      if (event.kind === "log") t.regex(String(event.detail["problems"]), /^natsTlsKeyFile must/);
    }
  },
);

test.serial("all that is wrong with the files is said before anything starts", (t) => {
  const other = join(folder, "other");
  const flags = {
    ...{ id: "1", members: "1,2,3", nats: "tls://127.0.0.1:4222" },
    "nats-tls-ca": join(folder, "renewed", "ca.key"),
    "nats-tls-cert": join(folder, "renewed", "node.crt"),
    "nats-tls-key": join(other, "node.key"),
  };
  const loaded = loadConfig({ transport: "nats", flags: new Map(Object.entries(flags)) });
  t.deepEqual(loaded.kind === "invalid" && loaded.problems.map(({ field }) => field), [
    "natsTlsCaFile",
    "natsTlsKeyFile",
  ]);
});

test.serial(
  "zooid ensemble has its own nats-server speak TLS, with what zooid certs has made",
  async (t) => {
    const data = join(folder, "ensemble");
    const own = join(folder, "renewed");
    const args = [
      COMMAND_LINE,
      "ensemble",
      "--nodes",
      "1",
      "--data-dir",
      data,
      "--client-port",
      "0",
    ];
    const command = process.execPath;
    const missing = new Child({ command, args: [...args, "--nats-certs", folder] });
    await missing.line(/must have ca\.crt, nats\.crt, nats\.key, node\.crt, node\.key; make them/);
    await missing.exited;
    const child = new Child({ command, args: [...args, "--nats-certs", own] });
    t.teardown(async () => {
      child.process.kill("SIGTERM");
      await child.exited;
    });
    await child.line(/^ready: node 1 leads/);
    const url = readFileSync(join(data, "nats-client.url"), "utf8").trim();
    t.regex(url, /^tls:\/\/client:/);
    const named = url.replace("127.0.0.1", "localhost");
    const client = await connect(named, { tls: clientFiles(own) });
    await client.create("/over-tls");
    await client.close();
    t.like(await infoOf(Number(new URL(url).port)), { tls_required: true, tls_verify: true });
  },
);
