/**
 * Clients that others wrote speak TLS with Apache ZooKeeper and with a node, both started by the same lines of a zoo.cfg, and must see the
 * same: on a port for TLS alone, and on the client port that takes both.
 */
import test from "ava";
import { CertificateFolder } from "../../support/certificates.ts";
import { reservePorts } from "../../support/ports.ts";
import { startZooid } from "../../support/zooid.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import { type ClientTls, runJavaClient, runKazoo } from "./clients.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const server = authority.issue("server", "/CN=server");
const app = authority.issue("app", "/O=example/CN=app");
const tls: ClientTls = { ...app, authority: authority.certificate };

const SERVERS = { zookeeper: startZookeeper, zooid: startZooid };
type Name = keyof typeof SERVERS;
type Started = {
  readonly port: number;
  readonly securePort: number;
  readonly stop: () => Promise<void>;
};

const started = new Map<Name, Started>();

async function start(name: Name): Promise<void> {
  const block = await reservePorts();
  const lines = [
    // Its own sockets of Java NIO have no TLS.
    "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
    `secureClientPort=${block.first}`,
    "secureClientPortAddress=127.0.0.1",
    "client.portUnification=true",
    `ssl.keyStore.location=${folder.pkcs12(server, "secret")}`,
    "ssl.keyStore.password=secret",
    "ssl.keyStore.type=PKCS12",
    `ssl.trustStore.location=${authority.certificate}`,
    "ssl.trustStore.type=PEM",
  ];
  const { port, stop } = await SERVERS[name]({ lines });
  const release = async (): Promise<void> => {
    await stop();
    block.release();
  };
  started.set(name, { port, securePort: block.first, stop: release });
}

test.before(async () => {
  for (const name of ["zookeeper", "zooid"] as const) await start(name);
});

test.after.always(async () => {
  for (const { stop } of started.values()) await stop();
  folder.remove();
});

function serverOf(name: Name): Started {
  const server = started.get(name);
  if (server === undefined) throw new Error(`${name} is not there`);
  return server;
}

test.serial(
  "kazoo sees what it sees over TLS in ZooKeeper, over TLS and not, on one port",
  async (t) => {
    const reference = await runKazoo(`127.0.0.1:${serverOf("zookeeper").securePort}`, tls);
    t.is(reference.at(-1), "deleted None");
    const { port, securePort } = serverOf("zooid");
    t.deepEqual(await runKazoo(`127.0.0.1:${securePort}`, tls), reference);
    t.deepEqual(await runKazoo(`127.0.0.1:${port}`, tls), reference);
    t.deepEqual(await runKazoo(`127.0.0.1:${port}`), reference);
  },
);

test.serial("ZooKeeper's Java client over TLS sees what it sees in ZooKeeper", async (t) => {
  const run = (name: Name): Promise<string[]> =>
    runJavaClient(`localhost:${serverOf(name).securePort}`, tls);
  const reference = await run("zookeeper");
  t.true(reference.includes("hello"));
  t.true(reference.includes("x509: CN=app,O=example"));
  t.false(reference.includes("Insufficient permission : /cli/certified"));
  t.deepEqual(await run("zooid"), reference);
});
