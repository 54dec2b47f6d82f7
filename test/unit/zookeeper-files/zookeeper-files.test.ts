/**
 * Reading and writing Apache ZooKeeper's files. The fixture was written by its server 3.8.0: two fuzzy snapshots and the logs around them.
 * Whatever becomes of its bytes, the state is right or the file is named.
 */
import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import test from "ava";
import type { OfflineTree } from "../../../server/offline/offline-tree.ts";
import { findFiles } from "../../../cli/zookeeper-files/folder.ts";
import { type Imported, importFiles } from "../../../cli/zookeeper-files/import.ts";
import { writeSnapshot } from "../../../cli/zookeeper-files/write-snapshot.ts";
import { entryOf } from "../../../actors/tree/snapshot/entry.ts";
import type { ZnodeId } from "../../../actors/tree/store/znodes.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import { adler32 } from "../../../protocol/zookeeper/files/adler32.ts";
import { ownerField, ownerOf } from "../../../protocol/zookeeper/files/owners.ts";
import { readTransaction } from "../../../protocol/zookeeper/files/transactions.ts";
import { MemoryOutput, withFolder } from "../../support/backups.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/zookeeper-3.8/", import.meta.url));
const [SNAPSHOT, LOG] = ["snapshot.e4", "log.e6"];
const LAST_ZXID = 0x110;

function read(folder: string): Promise<Imported> {
  return importFiles(findFiles(folder), () => undefined);
}

function changed(change: (folder: string) => void): Promise<Imported> {
  return withFolder(async (folder) => {
    cpSync(FIXTURE, folder, { recursive: true });
    change(folder);
    return await read(folder);
  });
}

/** All znodes, but for the numbers of the sessions that own them. */
function znodesOf({ state: { znodes } }: OfflineTree): readonly string[] {
  const lines: string[] = [];
  for (let id = 1; id < znodes.end; id += 1) {
    if (!znodes.isPresent(id)) continue;
    const { data, ephemeralOwner, ...entry } = entryOf(znodes, id);
    const bytes = data === null ? null : Buffer.from(data).toString("base64");
    lines.push(JSON.stringify({ ...entry, bytes, owned: ephemeralOwner > 0 }));
  }
  return lines.sort();
}

const WHOLE = await read(FIXTURE);

test("a fuzzy snapshot and the log behind it are the state of the server", (t) => {
  const { znodes, sessions, lastApplied } = WHOLE.tree.state;
  t.is(Number(lastApplied), LAST_ZXID);
  t.is(sessions.size, 2);
  const at = (path: string): number => znodes.find(path) ?? 0;
  const dataOf = (path: string): string =>
    Buffer.from(znodes.data(at(path) as ZnodeId) ?? []).toString("utf8");
  t.is(znodes.data(at("/null") as ZnodeId), null);
  t.is(znodes.dataLength(at("/empty") as ZnodeId), 0);
  t.is(dataOf("/ünï"), "not ASCII");
  t.is(dataOf("/multi"), "3");
  t.is(dataOf("/zookeeper/quota/parent/zookeeper_stats"), "count=4,bytes=5");
  t.is(znodes.lifetimes.get(at("/container") as ZnodeId), CONTAINER);
  t.is(Number(znodes.lifetimes.get(at("/ttl") as ZnodeId)), 86_400_000);
  t.not(at("/parent/numbered-0000000001"), 0);
  t.is(znodes.acl(at("/listed") as ZnodeId).length, 2);
  t.is(znodes.ephemerals, 1);
});

test("each of the snapshots, with the logs behind it, comes to the same state", async (t) => {
  const older = await changed((folder) => truncateSync(join(folder, SNAPSHOT), 1000));
  t.regex(older.notices[0] ?? "", /snapshot.e4 is damaged at offset \d+: .* The snapshot before/);
  t.deepEqual(znodesOf(older.tree), znodesOf(WHOLE.tree));
});

test("what is written is read as the same state, also when it is compressed", async (t) => {
  const output = new MemoryOutput();
  await writeSnapshot(WHOLE.tree.state, output);
  await withFolder(async (folder) => {
    for (const [name, bytes] of [
      ["plain", output.bytes],
      ["packed", gzipSync(output.bytes)],
    ] as const) {
      const inner = join(folder, name, "version-2");
      mkdirSync(inner, { recursive: true });
      const suffix = name === "plain" ? "" : ".gz";
      writeFileSync(join(inner, `snapshot.${LAST_ZXID.toString(16)}${suffix}`), bytes);
      const again = await read(join(folder, name));
      t.deepEqual(znodesOf(again.tree), znodesOf(WHOLE.tree), name);
    }
  });
});

function flipped(name: string, at: number): Promise<Imported> {
  return changed((folder) => {
    const bytes = readFileSync(join(folder, name));
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(join(folder, name), bytes);
  });
}

test("a flipped bit never makes another state: it is named with file and offset", async (t) => {
  const whole = znodesOf(WHOLE.tree);
  for (const name of [SNAPSHOT, LOG]) {
    const { length } = readFileSync(join(FIXTURE, name));
    for (let at = 0; at < length; at += 61) {
      try {
        const { tree, notices } = await flipped(name, at);
        const isSame = JSON.stringify(znodesOf(tree)) === JSON.stringify(whole);
        if (!isSame && notices.length === 0) t.fail(`${name} ${at}: another state, unnoticed`);
      } catch (error) {
        const message = error instanceof Error ? error.message : "";
        if (!message.includes(`${name} is damaged at offset `)) t.fail(`${name} ${at}: ${message}`);
      }
    }
  }
  t.pass();
});

test("a log that is missing in between is noticed", async (t) => {
  const gone = changed((folder) => {
    truncateSync(join(folder, SNAPSHOT), 1000);
    truncateSync(join(folder, "log.b0"), 0);
  });
  const message =
    /log.e6 is damaged at offset 16: the transactions after zxid 0xaf and before 0xe6/;
  await t.throwsAsync(gone, { name: "ZookeeperFileDamaged", message });
});

test("a folder without such files is refused", async (t) => {
  await withFolder(async (folder) => {
    await t.throwsAsync(async () => await read(folder), { name: "NoZookeeperFiles" });
    const missing = join(folder, "none");
    await t.throwsAsync(async () => await read(missing), { message: /cannot be read/ });
  });
});

test("no bytes make the reader of transactions throw", (t) => {
  const starts = fc.constantFrom(1, 2, 5, 7, 13, 14, 15, 16, 19, 20, 21, -1, -10, -11, 99);
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 200 }), (type, rest) => {
      const header = Buffer.alloc(32);
      header.writeInt32BE(type, 28);
      const read_ = readTransaction(Buffer.concat([header, rest]));
      t.true("fault" in read_ || "change" in read_);
    }),
    { numRuns: 500 },
  );
});

test("owners are written as they are read", (t) => {
  const nobody = (): boolean => false;
  t.deepEqual(ownerOf(ownerField(0, undefined), nobody), { kind: "nobody" });
  t.deepEqual(ownerOf(ownerField(7, undefined), nobody), { kind: "session", session: 7n });
  for (const lifetime of [CONTAINER, 5000 as typeof CONTAINER]) {
    t.deepEqual(ownerOf(ownerField(0, lifetime), nobody), { kind: "lifetime", lifetime });
  }
  const ofServer255 = BigInt.asIntN(64, (0xffn << 56n) | 5000n);
  const itsSession = ownerOf(ofServer255, () => true);
  t.deepEqual(itsSession, { kind: "session", session: ofServer255 });
});

test("the checksum is Adler-32", (t) => {
  t.is(adler32(Buffer.from("Wikipedia")), 0x11e6_0398);
  const long = Buffer.alloc(20_000, 0xff);
  t.is(adler32(long.subarray(9000), adler32(long.subarray(0, 9000))), adler32(long));
});
