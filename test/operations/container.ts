/**
 * `npm run ops:check -- container`: the packed package with Node.js in a root file system of its own, as the image of
 * `ops/container/Containerfile` has them, run as a container is. It needs root, and the registry of npm.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Client, connect } from "../../client/connect.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { reservePorts } from "../support/ports.ts";
import { check } from "./check.ts";
import { removeFolder } from "./tidily.ts";
import { buildRootfs, Container, type ContainerOptions } from "./rootfs.ts";

const LOOK_EVERY_MS = 100;
const LOOKS_MAX = 600;
const ANSWER_MS_MAX = 5000;
const MEMBERS = [1, 2, 3];
const KAZOO = `
import sys
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1])
client.start()
client.create("/kazoo", b"here")
print(client.get("/kazoo")[0].decode())
client.stop()
`;

type Ports = { readonly client: number; readonly admin: number };

/** The host's network is shared, so the ports are not the usual ones. */
function portLines({ client, admin }: Ports): string {
  const address = "clientPortAddress=127.0.0.1 admin.serverAddress=127.0.0.1";
  return `clientPort=${client} admin.serverPort=${admin} ${address}`;
}

async function untilReady(container: Container, { admin }: Ports): Promise<boolean> {
  for (let look = 1; look <= LOOKS_MAX && !container.ended; look += 1) {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const url = `http://127.0.0.1:${admin}/readyz`;
    const reply = await fetch(url, { signal }).catch(() => undefined);
    if (reply?.status === 200) return true;
    await wait(LOOK_EVERY_MS);
  }
  return false;
}

type Start = (options: Omit<ContainerOptions, "rootfs">) => Promise<Container>;
type Site = {
  readonly folder: string;
  /** The container ends with the site. */
  readonly start: Start;
  readonly stack: AsyncDisposableStack;
};

async function alone({ folder, start, stack }: Site): Promise<void> {
  const block = await reservePorts();
  stack.defer(block.release);
  const ports = { client: block.first, admin: block.first + 1 };
  const volumes = join(folder, "alone");
  const env = { ZOO_MY_ID: "7", ZOO_CFG_EXTRA: portLines(ports), ZOO_4LW_COMMANDS_WHITELIST: "*" };
  let container = await start({ volumes, env });
  check(await untilReady(container, ports), "a container of the image's defaults gets ready");
  check(container.program === "node", `process 1 is the node itself (${container.program})`);
  check(container.status("NSpid").endsWith("\t1"), "it is process 1 of its namespace");
  check(container.status("Uid").startsWith("1000\t1000"), "it runs as 1000");
  check(container.status("CapEff") === "0".repeat(16), "it has no capabilities");
  check(isReadOnly(container), "its root file system cannot be written to");
  const kazoo = execFileSync("/usr/bin/python3", ["-c", KAZOO, `127.0.0.1:${ports.client}`], {
    encoding: "utf8",
  });
  check(kazoo.trim() === "here", "kazoo writes and reads");
  const server = `127.0.0.1:${ports.client}`;
  container.exec(["zkCli.sh", "-server", server, "create", "/zkcli", 'two "words"']);
  const got = container.exec(["zkCli.sh", "-server", server, "get", "/zkcli"]);
  check(got.includes('two "words"'), `zkCli.sh in the container: ${got.trim()}`);
  const command = container.exec(["zkServer.sh", "print-cmd"]);
  check(command.startsWith("zooid serve "), "zkServer.sh print-cmd");
  check((await container.stop()) === 0, "SIGTERM to process 1 ends it with 0");
  // As root, with volumes that belong to root: what is there is handed to the image's user.
  execFileSync("chown", ["-R", "0:0", volumes]);
  container = await start({ volumes, env, user: 0 });
  check(await untilReady(container, ports), "started as root, beside its volumes of before");
  check(container.status("Uid").startsWith("1000\t1000"), "it gives root up");
  check(container.status("NoNewPrivs") === "1", "and cannot get it again");
  await using client = await connect(`zk://127.0.0.1:${ports.client}`);
  check((await textAt(client, "/kazoo")) === "here", "what was written is still there");
  await client.close();
  check((await container.stop()) === 0, "SIGTERM ends it with 0");
}

async function textAt(client: Client, path: string): Promise<string> {
  const { data } = await client.get(path);
  return Buffer.from(data ?? []).toString();
}

function isReadOnly(container: Container): boolean {
  try {
    container.exec(["sh", "-c", "echo x > /opt/zooid/x"]);
    return false;
  } catch (error) {
    return String(error).includes("Read-only file system");
  }
}

async function three({ folder, start, stack }: Site): Promise<void> {
  const block = await reservePorts();
  stack.defer(block.release);
  const nats = await startNatsServer();
  stack.defer(nats.stop);
  const containers: Container[] = [];
  const ports = MEMBERS.map((id) => ({ client: block.first + id, admin: block.first + 3 + id }));
  const servers = MEMBERS.map(
    (id, index) => `server.${id}=127.0.0.1:2888:3888;${ports[index]?.client}`,
  );
  for (const [index, id] of MEMBERS.entries()) {
    const own = ports[index] ?? { client: 0, admin: 0 };
    const env = {
      ZOO_MY_ID: String(id),
      ZOO_SERVERS: servers.join(" "),
      ZOOID_NATS: nats.url,
      ZOO_CFG_EXTRA: portLines(own),
    };
    containers.push(await start({ volumes: join(folder, `member-${id}`), env }));
  }
  for (const [index, container] of containers.entries()) {
    check(
      await untilReady(container, ports[index] ?? { client: 0, admin: 0 }),
      `member ${index + 1} gets ready`,
    );
  }
  const clients = await Promise.all(
    ports.map(async ({ client: port }) => {
      const client = await connect(`zk://127.0.0.1:${port}`);
      stack.defer(() => client.close());
      return client;
    }),
  );
  await clients[0]?.create("/shared", "x");
  await clients[2]?.sync("/shared");
  const shared = clients[2] && (await textAt(clients[2], "/shared"));
  check(shared === "x", "what one member takes, another has");
  await Promise.all(clients.map((client) => client.close()));
  const codes = await Promise.all(containers.map((container) => container.stop()));
  check(
    codes.every((code) => code === 0),
    `SIGTERM ends all three with 0 (${codes.join(", ")})`,
  );
}

export async function checkContainer(stack: AsyncDisposableStack): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("only root makes namespaces and mounts in them");
  const folder = await mkdtemp(join(tmpdir(), "zooid-container-"));
  stack.defer(() => removeFolder(folder));
  const rootfs = await buildRootfs(folder);
  const containers: Container[] = [];
  let isDone = false;
  stack.defer(async () => {
    for (const container of containers) {
      await container.kill();
      if (!isDone || process.exitCode === 1) process.stdout.write(`${container.output()}\n`);
    }
  });
  const start: Start = async (options) => {
    const container = await Container.start({ rootfs, ...options });
    containers.push(container);
    return container;
  };
  await alone({ folder, start, stack });
  await three({ folder, start, stack });
  isDone = true;
}
