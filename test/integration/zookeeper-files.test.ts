/**
 * A real Apache ZooKeeper's files become a zooid, and a zooid's backup becomes a snapshot from which a real Apache ZooKeeper starts: a
 * client sees the same znodes, lists and stats on all three.
 */
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { findFiles } from "../../cli/zookeeper-files/folder.ts";
import { type Imported, importFiles } from "../../cli/zookeeper-files/import.ts";
import { withFolder } from "../support/backups.ts";
import { type JuteReader } from "../support/jute.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import {
  auth,
  create,
  createContainer,
  createTtl,
  decodeStat,
  exists,
  getAcl,
  getChildren,
  getData,
  Mode,
  multi,
  plainText,
  type Operation,
  remove,
  setAcl,
  setData,
  type Text,
} from "../support/zookeeper-client/operations.ts";
import { startZooid } from "../support/zooid.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";
import { runZooid as zooid } from "../support/zooid-command.ts";

/** Ephemerals of such sessions are there as long as the test lasts. */
const LONG_MS = 400_000;
const DAY_MS = 86_400_000n;
/** `user:password` as ZooKeeper keeps it. */
const DIGEST_ID = "user:tpUq/4Pn5A64fVZyQ0gOJ8ZWqkY=";

async function done(client: ZkClient, ...operations: readonly Operation[]): Promise<void> {
  for (const operation of operations) {
    const { code } = await client.request(operation);
    if (code !== 0) throw new Error(`${operation.label} failed with ${code}`);
  }
}

/** A bit of everything that a tree of ZooKeeper may hold. */
async function fill(client: ZkClient): Promise<void> {
  const closed = [
    { perms: 1, scheme: "world", id: "anyone" },
    { perms: 31, scheme: "digest", id: DIGEST_ID },
  ];
  await done(
    client,
    auth("digest", "user:password"),
    create("/data", "text"),
    setData("/data", Buffer.alloc(100_000, 7)),
    setData("/data", "the third version"),
    create("/null", null),
    create("/empty", ""),
    create("/ünï", "not ASCII"),
    create("/listed", "", { acl: closed }),
    create("/listed/too", "", { acl: closed }),
    setAcl("/empty", [{ perms: 31, scheme: "ip", id: "127.0.0.1" }]),
    createContainer("/container"),
    create("/container/child", ""),
    createTtl("/ttl", DAY_MS),
    create("/parent", ""),
    create("/parent/numbered-", "", { mode: Mode.persistentSequential }),
    create("/parent/numbered-", "", { mode: Mode.persistentSequential }),
    create("/parent/gone", ""),
    remove("/parent/gone"),
    create("/zookeeper/quota/parent", ""),
    create("/zookeeper/quota/parent/zookeeper_limits", "count=100,bytes=-1"),
    create("/zookeeper/quota/parent/zookeeper_stats", "count=0,bytes=0"),
    create("/parent/counted", "12345"),
    multi(create("/multi", "1"), create("/multi/a", "2"), setData("/multi", "3")),
  );
  await client.request(multi(create("/no", ""), remove("/nothing")));
}

/** Reads data and stat with every number as it is, but for the session of an ephemeral, which has another number elsewhere. */
function readExactly(path: string): Operation {
  const decode = (reader: JuteReader): Text => {
    const data = reader.buffer()?.toString("base64") ?? "null";
    const { ephemeralOwner, ...stat } = decodeStat(reader);
    const numbers = Object.entries(stat).map(([name, value]) => `${name}=${value}`);
    return [[data, ...numbers, `owned=${ephemeralOwner !== 0n}`].join(" ")];
  };
  return { ...getData(path), decode };
}

/** The entries without the stat, which is read exactly. */
function listed(text: Text): string {
  return plainText(text.filter((part) => typeof part === "string" && !part.includes("=")));
}

/** All that a client can read of all znodes, but for the one that tells the configuration. */
async function readAll(port: number): Promise<readonly string[]> {
  const client = await ZkClient.connect({ port, timeoutMs: 10_000 });
  await done(client, auth("digest", "user:password"));
  const lines: string[] = [];
  const left = ["/"];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (path === "/zookeeper/config") continue;
    const [children, data, acl] = await Promise.all([
      client.request(getChildren(path)),
      client.request(readExactly(path)),
      client.request(getAcl(path)),
    ]);
    lines.push(`${path} ${data.code} ${plainText(data.text)} ${listed(acl.text)}`);
    const names = plainText(children.text).slice(1, -1).split(" ");
    const parent = path;
    left.push(...names.filter((name) => name !== "").map((name) => join(parent, name)));
  }
  await client.close();
  return lines.sort();
}

/** The newest state in a copy of the files, after a change. */
async function importChanged(
  from: string,
  change: (folder: string, files: { readonly snapshot: string; readonly log: string }) => void,
): Promise<Imported> {
  return await withFolder(async (folder) => {
    cpSync(from, folder, { recursive: true });
    const newest = (prefix: string): string => {
      const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
      const zxids = names.map((name) => Number.parseInt(name.slice(prefix.length), 16));
      return join(folder, names[zxids.indexOf(Math.max(...zxids))] ?? "none");
    };
    change(folder, { snapshot: newest("snapshot."), log: newest("log.") });
    return await importFiles(findFiles(folder), () => undefined);
  });
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
}

async function damaged(t: ExecutionContext, from: string): Promise<void> {
  const whole = await importChanged(from, () => undefined);
  t.deepEqual(whole.notices, []);
  const { size } = whole.tree.state.znodes;
  for (const share of [0.1, 0.5, 0.9]) {
    const flipped = importChanged(from, (_, { snapshot }) =>
      flip(snapshot, Math.floor(statSync(snapshot).size * share)),
    );
    // Where a length is wrong the file seems to be cut short: the snapshot before it and the logs then give the same tree, and it is said.
    const outcome = await flipped.catch((error: unknown) => error as Error);
    const said = outcome instanceof Error ? outcome.message : (outcome.notices[0] ?? "");
    t.regex(said, /snapshot\.[0-9a-f]+ is damaged at offset \d+: /);
    if (outcome instanceof Error) t.is(outcome.name, "ZookeeperFileDamaged");
    else t.is(outcome.tree.state.znodes.size, size);
  }
  const inLog = importChanged(from, (_, { log }) => flip(log, 16 + 12 + 40));
  const message = /log\.[0-9a-f]+ is damaged at offset 16: the checksum of a transaction is wrong/;
  await t.throwsAsync(inLog, { name: "ZookeeperFileDamaged", message });
  const cutShort = await importChanged(from, (_, { snapshot }) =>
    truncateSync(snapshot, Math.floor(statSync(snapshot).size / 2)),
  );
  t.regex(cutShort.notices[0] ?? "", /The snapshot before it is used/);
  t.is(cutShort.tree.state.znodes.size, size, "the logs make up for it");
  t.is(cutShort.tree.state.lastApplied, whole.tree.state.lastApplied);
  const torn = await importChanged(from, (_, { log }) =>
    truncateSync(log, lastTransaction(log) + 9),
  );
  t.regex(torn.notices[0] ?? "", /ends within a transaction, at offset \d+/);
  t.is(Number(torn.tree.state.lastApplied), whole.tree.state.lastApplied - 1);
}

/** Where the last transaction of a log begins. */
function lastTransaction(log: string): number {
  const bytes = readFileSync(log);
  let last = 16;
  for (let at = 16; at + 12 < bytes.length && bytes.readInt32BE(at + 8) > 0; ) {
    last = at;
    at += 12 + bytes.readInt32BE(at + 8) + 1;
  }
  return last;
}

test.serial(
  "ZooKeeper's files become a zooid, and its backup becomes a ZooKeeper again",
  async (t) => {
    // A snapshot every few transactions, while they go on: each is fuzzy, and the log goes on behind it.
    const server = await startZookeeper({
      javaOptions: ["-Dzookeeper.snapCount=60"],
      tickTimeMs: 20_000,
    });
    try {
      const client = await ZkClient.connect({ port: server.port, timeoutMs: 10_000 });
      const { port } = server;
      await fill(client);
      await done(client, create("/busy", ""));
      const load = Array.from({ length: 3 }, async (_, number) => {
        const writer = await ZkClient.connect({ port, timeoutMs: LONG_MS });
        await done(writer, create(`/of-${number}`, "", { mode: Mode.ephemeral }));
        for (let index = 0; index < 40; index += 1) {
          const path = `/busy/${number}-${index % 20}`;
          const { code } = await writer.request(exists(path));
          await done(writer, code === 0 ? remove(path) : create(path, String(index)));
          await done(writer, setData("/data", `${number} ${index}`));
        }
        if (number > 0) await writer.close();
        return writer;
      });
      const [writer] = await Promise.all(load);
      const before = await readAll(port);
      await server.kill();
      await writer?.closed;

      await withFolder(async (folder) => {
        const [file, data] = [join(folder, "imported"), join(folder, "data")];
        const imported = await zooid("import-zookeeper", server.folder, file, "--json");
        t.is(imported.code, 0, imported.stderr);
        t.like(JSON.parse(imported.stdout) as object, {
          origin: "Apache ZooKeeper",
          ephemerals: 1,
        });
        const restored = await zooid("restore", file, "--data-dir", data);
        t.is(restored.code, 0, restored.stderr);
        const node = await startZooid({ folder });
        const after = await readAll(node.port);
        await node.stop();
        t.deepEqual(after, before);

        const [back, there] = [join(folder, "backup"), join(folder, "zookeeper")];
        const backup = await zooid("backup", data, back);
        t.is(backup.code, 0, backup.stderr);
        const exported = await zooid("export-zookeeper", back, there);
        t.is(exported.code, 0, exported.stderr);
        const again = await startZookeeper({ folder: there });
        const last = await readAll(again.port);
        await again.stop();
        t.deepEqual(last, before);
        const twice = await zooid("export-zookeeper", back, there);
        t.is(twice.code, 2);
        t.regex(twice.stderr, /version-2 is not empty. Nothing is overwritten/);
      });
      await damaged(t, join(server.folder, "version-2"));
    } finally {
      await server.stop();
    }
  },
);
