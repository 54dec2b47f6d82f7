/** Nodes and their NATS servers: which one is taken, one that is not there yet, hangs, or dies, and TLS as documented. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { peerSubjects } from "../../protocol/subjects.ts";
import { NatsError } from "../../runtime/nats/nats-error.ts";
import { connectNats, type NatsTransportOptions } from "../../runtime/nats/transport.ts";
import type { Transport } from "../../runtime/transport.ts";
import { Child } from "../support/child.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { server } from "../support/plain-calls.ts";
import { reservePorts } from "../support/ports.ts";
import { CHECKOUT, COMMAND_LINE } from "../support/zooid-command.ts";

const SILENCE_MS = 1_000;
const NODE = { name: "node 1", subjects: peerSubjects("test"), id: server(1) };

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-nats-start-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function serve(t: ExecutionContext, folder: string, ...args: readonly string[]): Child {
  const child = new Child({
    command: process.execPath,
    args: [
      COMMAND_LINE,
      ...["serve", "--client-port", "0", "--client-port-address", "127.0.0.1"],
      ...["--data-dir", join(folder, "data"), ...args],
    ],
    cwd: CHECKOUT,
  });
  t.teardown(() => child.stop());
  return child;
}

test.serial(
  "a node that starts before its NATS server says so, waits, and serves once it is there",
  async (t) => {
    const folder = await temporaryFolder(t);
    const ports = await reservePorts();
    t.teardown(() => ports.release());
    const child = serve(t, folder, "--nats", `nats://node:s3cret@127.0.0.1:${ports.first}`);
    await child.line(/nats waitingForNats .*no NATS server at nats:\/\/127\.0\.0\.1/);
    const nats = await startNatsServer({ port: ports.first });
    t.teardown(nats.stop);
    await child.line(/^node 1 {2}pid/);
    t.false(child.output().includes("s3cret"));
  },
);

test.serial("a node that waits for its NATS server stops when it is asked to", async (t) => {
  const folder = await temporaryFolder(t);
  const child = serve(t, folder, "--nats", "nats://127.0.0.1:1");
  await child.line(/waitingForNats/);
  child.process.kill("SIGINT");
  await child.exited;
  t.is(child.process.exitCode, 0, child.output());
});

async function transport(
  t: ExecutionContext,
  options: Pick<NatsTransportOptions, "servers"> & Partial<NatsTransportOptions>,
): Promise<Transport> {
  const made = await connectNats({ ...NODE, silenceMs: SILENCE_MS, ...options });
  t.teardown(() => made.close());
  return made;
}

test.serial(
  "the first server of the list is taken while it is there, and one that says nothing is passed over",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const hung = new NatsProxy(undefined);
    const hungUrl = await hung.listen(t.teardown);
    for (let times = 0; times < 8; times += 1) await transport(t, { servers: [nats.url, hungUrl] });
    t.is(hung.accepted, 0);
    await transport(t, { servers: [hungUrl, nats.url] });
    t.is(hung.accepted, 1);
  },
);

test.serial(
  "a server that dies before it has confirmed the subscriptions is no failed start",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const dying = new NatsProxy(nats.port);
    dying.endAt = "SUB ";
    await transport(t, { servers: [await dying.listen(t.teardown), nats.url] });
    t.true(dying.accepted >= 1);
  },
);

test.serial(
  "a server that falls silent is left for another, and is not dialled first",
  async (t) => {
    const nats = await startNatsServer();
    t.teardown(nats.stop);
    const proxy = new NatsProxy(nats.port);
    const url = await proxy.listen(t.teardown);
    const { promise: moved, resolve } = Promise.withResolvers<string>();
    await transport(t, {
      servers: [url, nats.url],
      log: (_level, event, detail) => {
        if (event === "natsConnected") resolve(String(detail["server"]));
      },
    });
    proxy.silent = true;
    t.true((await moved).endsWith(`:${nats.port}`));
    t.is(proxy.accepted, 1);
  },
);

test.serial(
  "a node that only its NATS server protects warns when that one lets everybody in",
  async (t) => {
    const users = 'authorization { users: [{ user: "node", password: "x" }] }';
    for (const [config, isUnprotected, warnings] of [
      [undefined, true, 1],
      [undefined, false, 0],
      [users, true, 0],
    ] as const) {
      const nats = await startNatsServer(config === undefined ? {} : { config });
      t.teardown(nats.stop);
      const events: string[] = [];
      const servers = [nats.url];
      const log = (_level: string, event: string): void => void events.push(event);
      await transport(t, { servers, user: "node", password: "x", isUnprotected, log });
      t.is(events.filter((event) => event === "natsOpenToStrangers").length, warnings);
    }
  },
);

/** What the TLS part of nats.conf says to do, with `localhost` in place of `host1`. */
async function tlsRecipe(): Promise<{ readonly commands: string; readonly block: string }> {
  const text = await readFile(join(CHECKOUT, "nats.conf"), "utf8");
  const part = text.slice(text.indexOf("# TLS."));
  const commands = /(?:^# {3}.*\n)+/m.exec(part.slice(part.indexOf("#   openssl")))?.[0] ?? "";
  const block = part.slice(part.indexOf("# tls {"));
  const uncommented = (of: string): string =>
    of.replace(/^# ?/gm, "").replaceAll("host1", "localhost");
  return { commands: uncommented(commands), block: uncommented(block) };
}

test.serial(
  "TLS as nats.conf documents it: a node with the authority's certificate is served, one without is told why not",
  async (t) => {
    const folder = await temporaryFolder(t);
    const { commands, block } = await tlsRecipe();
    t.regex(commands, /openssl req -x509[^]*openssl x509 -req/);
    await promisify(execFile)("bash", ["-ec", commands], { cwd: folder });
    for (const verify of [false, true]) {
      const config = block
        .replaceAll("/etc/zooid/", `${folder}/`)
        .replace("verify: false", `verify: ${verify}`);
      const nats = await startNatsServer({ config });
      t.teardown(nats.stop);
      const servers = [`tls://localhost:${nats.port}`];
      const untrusted = await t.throwsAsync(connectNats({ servers, ...NODE }), {
        instanceOf: NatsError,
      });
      t.is(untrusted?.code, "ZOOID_NATS_TLS", untrusted?.message);
      const caFile = join(folder, "ca.pem");
      const [certFile, keyFile] = [
        join(folder, "localhost.pem"),
        join(folder, "localhost-key.pem"),
      ];
      if (verify) {
        await t.throwsAsync(connectNats({ servers, ...NODE, tls: { caFile } }));
      }
      const node = serve(
        t,
        join(folder, String(verify)),
        ...["--nats", servers[0] ?? "", "--nats-tls-ca", caFile],
        ...(verify ? ["--nats-tls-cert", certFile, "--nats-tls-key", keyFile] : []),
      );
      await node.line(/^node 1 {2}pid/);
    }
  },
);
