/** The client's session over ZooKeeper's protocol, with a node of zooid and with Apache ZooKeeper: both give the same. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import { type Channel, SocketChannel } from "../../client/zookeeper/channel.ts";
import type {
  NativeMember,
  NativeRequest,
  NativeResult,
  NativeWrite,
} from "../../protocol/native-packing.ts";
import {
  openZooKeeperWire,
  type ZooKeeperOptions,
  ZooKeeperWire,
} from "../../client/zookeeper/wire.ts";
import { OPEN_ACL } from "../../protocol/acl.ts";
import { Code } from "../../protocol/codes.ts";
import type { Identity } from "../../protocol/identities.ts";
import { CONTAINER, ttlOf } from "../../protocol/lifetime.ts";
import type { Change } from "../../protocol/reads.ts";
import { OpCode } from "../../protocol/zookeeper/codes.ts";
import { startNode, type RunningNode } from "../../server/start.ts";
import { CertificateFolder } from "../support/certificates.ts";
import { reservePorts } from "../support/ports.ts";
import { USERS, writeJaas } from "../support/sasl.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { created, ended, write } from "../support/zookeeper-client/wire.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";
import { hasFeature } from "../support/zookeeper-under-test.ts";

const folder = new CertificateFolder();
const authority = folder.authority("authority");
const stranger = folder.authority("stranger");
const server = authority.issue("server", "/CN=server");
const own = authority.issue("app", "/O=example/CN=app");
const jaas = writeJaas(folder.file("jaas.conf"));

const SESSION = {
  ...{ chroot: "", proofs: [], sasl: false, sessionTimeoutMs: 6_000, operationTimeoutMs: 30_000 },
};

type Server = {
  readonly port: number;
  readonly securePort: number;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};
const servers = new Map<string, Server>();

async function startZooid(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), "zooid-zk-client-"));
  const start = async (ports: readonly [number, number]): Promise<RunningNode> => {
    const [clientPort, secureClientPort] = ports;
    const addresses = { clientPortAddress: "127.0.0.1", secureClientPortAddress: "127.0.0.1" };
    const tls = { tlsKeyStoreFile: server.store, tlsTrustStoreFile: authority.certificate };
    const sasl = { saslLoginFile: jaas, saslScheme: true };
    const settings = { dataDir, clientPort, secureClientPort, tickTimeMs: 500, lanes: 1 };
    const node = await startNode({ ...settings, ...addresses, ...tls, ...sasl });
    await node.ready;
    return node;
  };
  let node = await start([0, 0]);
  const ports = [node.clientPort, node.secureClientPort ?? 0] as const;
  return {
    port: ports[0],
    securePort: ports[1],
    restart: async () => {
      await node.stop();
      node = await start(ports);
    },
    stop: async () => {
      await node.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function startApache(): Promise<Server> {
  const block = await reservePorts();
  const tls = [
    "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
    `secureClientPort=${block.first}`,
    "secureClientPortAddress=127.0.0.1",
    `ssl.keyStore.location=${folder.pkcs12(server, "secret")}`,
    "ssl.keyStore.password=secret",
    "ssl.keyStore.type=PKCS12",
    `ssl.trustStore.location=${authority.certificate}`,
    "ssl.trustStore.type=PEM",
  ];
  const zookeeper = await startZookeeper({
    lines: [
      ...(hasFeature("tls") ? tls : []),
      "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    ],
    javaOptions: [`-Djava.security.auth.login.config=${jaas}`],
  });
  const stop = async (): Promise<void> => {
    await zookeeper.stop();
    block.release();
  };
  const { port, restart } = zookeeper;
  return { port, securePort: block.first, restart, stop };
}

test.before(async () => {
  const [zooid, zookeeper] = await Promise.all([startZooid(), startApache()]);
  servers.set("zooid", zooid).set("ZooKeeper", zookeeper);
});

test.after.always(async () => {
  for (const { stop } of servers.values()) await stop();
  folder.remove();
});

function serverOf(name: string): Server {
  const found = servers.get(name);
  if (found === undefined) throw new Error(`${name} is not there`);
  return found;
}

/** A session below a znode of its own. */
async function open(
  t: { readonly teardown: (run: () => Promise<void>) => void },
  name: string,
  options: ZooKeeperOptions & { readonly port?: number; readonly chroot?: string } = {},
): Promise<ZooKeeperWire> {
  const { port = serverOf(name).port, chroot = "", ...rest } = options;
  const wire = await openZooKeeperWire(`zk://127.0.0.1:${port}${chroot}`, {
    ...{ sessionTimeoutMs: 6_000, connectTimeoutMs: 30_000 },
    ...rest,
  });
  t.teardown(() => wire.close());
  return wire;
}

async function ask(wire: ZooKeeperWire, request: NativeRequest): Promise<NativeResult> {
  return (await wire.request(request)).result as NativeResult;
}

function get(path: string): NativeRequest {
  return { kind: "read", read: { kind: "getData", path, watch: false } };
}

/** What differs from server to server is left out, also the order of children. */
function shown(result: unknown): unknown {
  return JSON.parse(
    JSON.stringify(result, (key, value: unknown) => {
      if (key === "children") return (value as readonly string[]).toSorted();
      const isOfServer = ["czxid", "mzxid", "pzxid", "ctime", "mtime", "ephemeralOwner"].includes(
        key,
      );
      return isOfServer ? Number(value) > 0 : value;
    }),
  );
}

/** All requests, one after the other, below a chroot. */
function requests(): readonly NativeRequest[] {
  const persistent = { ephemeral: false, sequential: false };
  const multi = (...operations: NativeMember[]): NativeRequest => {
    return { kind: "write", operation: { kind: "multi", operations } };
  };
  const ttl = ttlOf(100_000);
  const unless = { ...created("/a", "z"), unlessExists: true } as const;
  return [
    write(created("/a", "1")),
    write(created("/a", "2")),
    write(unless),
    write(created("/none/a")),
    write(created("/a/e", "", { ephemeral: true })),
    write(created("/a/e/x")),
    write(created("/a/s-", "", { sequential: true })),
    write(created("/a/es-", "", { sequential: true, ephemeral: true })),
    write(created("/a/c", "", { ...persistent, lifetime: CONTAINER })),
    write(created("/a/t", "", { ...persistent, lifetime: ttl })),
    write({ kind: "setData", path: "/a", data: null, version: 7 }),
    write({ kind: "setData", path: "/a", data: null, version: 0 }),
    get("/a"),
    get("/none"),
    { kind: "read", read: { kind: "exists", path: "/a/e", watch: false } },
    { kind: "read", read: { kind: "getChildren", path: "/a", watch: false } },
    { kind: "write", operation: { kind: "setAcl", path: "/a/c", acl: OPEN_ACL, version: -1 } },
    { kind: "write", operation: { kind: "setAcl", path: "/a/c", acl: [], version: -1 } },
    { kind: "read", read: { kind: "getAcl", path: "/a/c" } },
    { kind: "write", operation: { kind: "sync", path: "/a" } },
    multi(created("/a/m1", "x"), created("/a/m-", "", { sequential: true })),
    multi(created("/a/m2"), { kind: "setData", path: "/a", data: null, version: -1 }),
    multi(
      { kind: "check", path: "/a", version: 2 },
      { kind: "delete", path: "/a/m1", version: -1 },
    ),
    multi(created("/a/m3"), created("/a/m2"), created("/a/m4")),
    multi(created("/a/m3", "", { ...persistent, lifetime: CONTAINER })),
    write({ kind: "removeRecursive", path: "/a", znodesMax: 10 }),
    write({ kind: "delete", path: "/a", version: -1 }),
    write({ kind: "delete", path: "/a/s-0000000001", version: -1 }),
  ];
}

test.serial("both servers answer every request alike", async (t) => {
  const answers = new Map<string, unknown[]>();
  for (const name of servers.keys()) {
    const root = await open(t, name);
    await ask(root, write(created("/all")));
    const wire = await open(t, name, { chroot: "/all" });
    const all: unknown[] = [];
    for (const request of requests()) all.push(shown(await ask(wire, request)));
    answers.set(name, all);
  }
  const [zooid, zookeeper] = [...answers.values()];
  t.deepEqual(zooid, zookeeper);
  const codes = (zooid ?? []).map((each) => (each as { code?: number }).code ?? 0);
  t.deepEqual(
    codes.filter((code) => code !== 0),
    [
      Code.nodeExists,
      Code.noNode,
      Code.noChildrenForEphemerals,
      Code.badVersion,
      Code.noNode,
      Code.invalidAcl,
      Code.unimplemented,
      Code.notEmpty,
    ],
  );
});

for (const name of ["zooid", "ZooKeeper"]) {
  test.serial(
    `${name}: identities are proved, and what others may not read is refused`,
    async (t) => {
      const path = "/secret";
      const identities = [{ user: "u", password: "p" }];
      const wire = await open(t, name, { identities });
      const acl = [{ permissions: 31, scheme: "auth", id: "" }];
      await ask(wire, write({ ...created(path), acl }));
      const stranger = await open(t, name);
      t.like(await ask(stranger, get(path)), { kind: "error", code: Code.noAuth });
      t.like(await ask(wire, get(path)), { kind: "data" });
      const isDigest = ({ scheme }: Identity): boolean => scheme === "digest";
      const who = await ask(wire, { kind: "whoAmI" });
      if (hasFeature("whoAmI")) t.true(who.kind === "identities" && who.identities.some(isDigest));
      else t.deepEqual(who as unknown, { kind: "error", code: Code.unimplemented });
      const ends: unknown[] = [];
      await new Promise<void>((resolve) => {
        stranger.subscribe(
          { path, recursive: false },
          {
            portion: () => undefined,
            ended: (end) => {
              ends.push(end);
              resolve();
            },
          },
        );
      });
      t.deepEqual(ends, [{ kind: "refused", code: Code.noAuth, path }]);
    },
  );

  test.serial(`${name}: a login by SASL is taken, and a wrong one is told`, async (t) => {
    for (const { user, password } of [USERS.bob, USERS.super]) {
      const wire = await open(t, name, { sasl: { user, password } });
      const path = `/of-${user}`;
      const acl = [{ permissions: 31, scheme: "sasl", id: user }];
      await ask(wire, write({ ...created(path), acl }));
      t.like(await ask(wire, get(path)), { kind: "data" });
      if (!hasFeature("whoAmI")) continue;
      const who = await ask(wire, { kind: "whoAmI" });
      const isIt = ({ scheme, id }: Identity): boolean => scheme === "sasl" && id === user;
      t.true(who.kind === "identities" && who.identities.some(isIt), JSON.stringify(who));
    }
    const nobody = await open(t, name);
    t.like(await ask(nobody, get(`/of-${USERS.bob.user}`)), { kind: "error", code: Code.noAuth });
    const wrong = open(t, name, { sasl: { user: "bob", password: "x" } });
    await t.throwsAsync(wrong, { code: "ZOOID_UNREACHABLE", message: /login by SASL failed/ });
  });

  const overTls = `${name}: over TLS both sides show who they are`;
  if (name === "zooid" || hasFeature("tls"))
    test.serial(overTls, async (t) => {
      const url = `zks://localhost:${serverOf(name).securePort}`;
      const files = { caFile: authority.certificate, certFile: own.certificate, keyFile: own.key };
      const wire = await openZooKeeperWire(url, { tls: files, connectTimeoutMs: 30_000 });
      t.like(await ask(wire, get("/")), { kind: "data" });
      await wire.close();
      const tls = { ...files, caFile: stranger.certificate };
      const hosts = [{ host: "localhost", port: serverOf(name).securePort }];
      const wrong = new ZooKeeperWire(new SocketChannel(tls), { session: { ...SESSION, hosts } });
      const isSaid = (): boolean => {
        t.is(wrong.state.kind, "connecting");
        return /certificate/.test(wrong.lastProblem);
      };
      await until(isSaid, "the problem is said to be the certificate");
      await wrong.close();
    });

  test.serial(
    `${name}: a session that nobody hears of expires, and its client is told`,
    async (t) => {
      const proxy = await TcpProxy.start(serverOf(name).port);
      t.teardown(() => proxy.stop());
      const wire = await open(t, name, { port: proxy.port, sessionTimeoutMs: 1_000 });
      await ask(wire, write(created("/lost", "", { ephemeral: true })));
      const watcher = await open(t, name);
      const gone = new Promise<void>((resolve) => {
        watcher.subscribe(
          { path: "/lost", recursive: false },
          {
            portion: (changes) => {
              if (changes.some(({ kind }) => kind === "deleted")) resolve();
            },
            ended: () => undefined,
          },
        );
      });
      proxy.shut();
      await gone;
      t.true(wire.validUntilMs < performance.now());
      proxy.open();
      await firstValueFrom(wire.state$.pipe(filter(({ kind }) => kind === "expired")));
      t.like(await ended(wire.request(get("/"))), { code: "ZOOID_SESSION_EXPIRED" });
    },
  );

  test.serial(
    `${name}: a session, its ephemerals and its streams survive the death of the server`,
    async (t) => {
      const wire = await open(t, name, { sessionTimeoutMs: 10_000 });
      const { session } = wire.state as { session: number };
      await ask(wire, write(created("/kept")));
      await ask(wire, write(created("/kept/e", "", { ephemeral: true })));
      const told: string[] = [];
      const seen = new Promise<void>((resolve) => {
        wire.subscribe(
          { path: "/kept", recursive: true, after: wire.lastZxid },
          {
            portion: (changes, _, taken) => {
              told.push(...changes.map(({ kind, path }) => `${kind} ${path}`));
              taken();
              if (told.includes("created /kept/last")) resolve();
            },
            ended: ({ kind }) => told.push(kind),
          },
        );
      });
      await ask(wire, write(created("/kept/first")));
      const restarted = serverOf(name).restart();
      await firstValueFrom(wire.state$.pipe(filter(({ kind }) => kind === "reconnecting")));
      const read = wire.request(get("/kept/e"));
      await restarted;
      t.like((await read).result, { kind: "data", stat: { ephemeralOwner: session } });
      await ask(wire, write(created("/kept/last")));
      await seen;
      t.deepEqual(told, ["created /kept/first", "created /kept/last"]);
      t.is((wire.state as { session: number }).session, session);
    },
  );
}

/** Takes from the server what older ones do not know: the op codes become some that nobody knows. */
class OlderServers implements Channel {
  readonly #channel = new SocketChannel(undefined);
  readonly #unknown: ReadonlySet<number>;
  readonly onEvent: Channel["onEvent"] = (handler) => this.#channel.onEvent(handler);
  readonly resolve: Channel["resolve"] = (...of) => this.#channel.resolve(...of);
  readonly dial: Channel["dial"] = (...of) => this.#channel.dial(...of);
  readonly hangUp: Channel["hangUp"] = (...of) => this.#channel.hangUp(...of);
  readonly close: Channel["close"] = () => this.#channel.close();

  constructor(unknown: readonly number[]) {
    this.#unknown = new Set(unknown);
  }

  send(connection: number, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      if (this.#unknown.has(view.getInt32(8))) view.setInt32(8, 9_999);
    }
    this.#channel.send(connection, frames);
  }
}

const NEWER = [OpCode.create2, OpCode.addWatch, OpCode.removeWatches, OpCode.whoAmI];

/** A session with a server of version 3.4, as far as its op codes go. */
async function openOlder(port: number): Promise<ZooKeeperWire> {
  const session = { ...SESSION, hosts: [{ host: "127.0.0.1", port }] };
  const wire = new ZooKeeperWire(new OlderServers(NEWER), { session });
  await firstValueFrom(wire.state$.pipe(filter(({ kind }) => kind === "connected")));
  return wire;
}

for (const name of ["zooid", "ZooKeeper"]) {
  for (const older of [false, true]) {
    const what = older ? "without newer op codes" : "as it is";
    test.serial(`${name} ${what}: streams tell what several writers do, in order`, async (t) => {
      const { port } = serverOf(name);
      const wire = older ? await openOlder(port) : await open(t, name);
      if (older) t.teardown(() => wire.close());
      const root = `/streams-${older}`;
      const made = await ask(wire, write(created(root)));
      t.like(made, { kind: "created", path: root });
      const known = new Map<string, number>();
      const ends: string[] = [];
      let last = wire.lastZxid as number;
      const apply = (changes: readonly Change[], through: number): void => {
        for (const { kind, path, stat, zxid } of changes) {
          t.true(zxid >= last && zxid <= through, `${zxid} between ${last} and ${through}`);
          if (kind === "deleted") t.true(known.delete(path), path);
          else known.set(path, stat.mzxid);
        }
        last = through + 1;
      };
      const begun = Promise.withResolvers<void>();
      const over = Promise.withResolvers<void>();
      last += 1;
      wire.subscribe(
        { path: root, recursive: true, after: wire.lastZxid },
        {
          portion: (changes, through, taken) => {
            apply(changes, through);
            taken();
            begun.resolve();
            if (known.has(`${root}/over`)) over.resolve();
          },
          ended: ({ kind }) => ends.push(kind),
        },
      );
      await begun.promise;
      const writers = await Promise.all([open(t, name), open(t, name)]);
      await Promise.all(writers.map((each, index) => busy(each, root, index)));
      await ask(wire, write(created(`${root}/over`)));
      await over.promise;
      t.deepEqual(ends, []);
      t.deepEqual(
        [...known].toSorted(([one], [other]) => (one < other ? -1 : 1)),
        await tree(wire, root),
      );
    });
  }
}

/** Creates, sets and deletes a few znodes over and over. */
async function busy(wire: ZooKeeperWire, root: string, seed: number): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const own = `${root}/${(round + seed) % 3}`;
    const operations: NativeWrite[] = [
      created(own),
      created(`${own}/${seed}`),
      { kind: "setData", path: `${own}/${seed}`, data: Buffer.from(`${round}`), version: -1 },
      { kind: "delete", path: `${own}/${(seed + round) % 2}`, version: -1 },
      { kind: "delete", path: own, version: -1 },
    ];
    await Promise.all(operations.map((operation) => wire.request(write(operation))));
  }
}

/** The znodes below a path, without itself, in the order of their paths. */
async function tree(wire: ZooKeeperWire, root: string): Promise<[string, number][]> {
  const { result } = await wire.request({
    kind: "read",
    read: { kind: "getChildren", path: root, watch: false },
  });
  if (result.kind !== "children") return [];
  const found: [string, number][] = [];
  for (const child of result.children) {
    const path = `${root}/${child}`;
    const data = await ask(wire, get(path));
    if (data.kind === "data") found.push([path, data.stat.mzxid]);
    found.push(...(await tree(wire, path)));
  }
  return found.toSorted(([one], [other]) => (one < other ? -1 : 1));
}
