/** A backup file: that it holds the state at every zxid of its span, and that nothing in it can be lost or changed unnoticed. */
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import test from "ava";
import { readParts } from "../../../cli/backup/file/reader.ts";
import { FileOutput, StreamOutput } from "../../../cli/backup/file/output.ts";
import { beginNewEnsemble, EPOCHS_ABOVE } from "../../../cli/backup/new-ensemble.ts";
import { restoreFolder, whyNotEmpty } from "../../../cli/backup/folder/restore.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { snapshotName } from "../../../actors/log/format/files.ts";
import { addressOf } from "../../../cli/backup/ask-node.ts";
import type { Operation } from "../../../protocol/operations.ts";
import { epoch, epochOf, type Zxid } from "../../../protocol/zxid.ts";
import { backupOf, rebuiltFrom, withFolder } from "../../support/backups.ts";
import { encodeRecord, recordHeader } from "../../../protocol/record.ts";
import { client, create, PASSWORD, Replica } from "../../support/replica.ts";
import { cut } from "../../support/snapshots.ts";
import { digestOf } from "../../support/tree-digest.ts";

type Made = {
  readonly chunks: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
  /** By the zxid at which a record ends. */
  readonly digests: ReadonlyMap<Zxid, string>;
  readonly lastDigest: string;
};

/** A snapshot in the middle of a history, and records after it: of one operation, of three, and the end of a session. */
function madeHistory(): Made {
  const replica = new Replica({ snapshotChunkBytes: 256 });
  const session = replica.session();
  const made = (path: string, ephemeral = false): Operation =>
    client(session, create(path, { ephemeral }));
  for (let index = 0; index < 20; index += 1) replica.commit(made(`/before${index}`));
  replica.commit(made("/ephemeral", true));
  const chunks = cut(replica);
  const digests = new Map([[replica.lastZxid, replica.digest()]]);
  const records: Uint8Array[] = [];
  const commit = (...operations: readonly Operation[]): void => {
    const record = replica.record(operations);
    records.push(record);
    replica.receive({ kind: "committed", records: [record] });
    digests.set(replica.lastZxid, replica.digest());
  };
  commit(made("/after"));
  commit(made("/after/1"), made("/after/2"), made("/after/3"));
  commit({ kind: "createSession", timeoutMs: 5000, password: PASSWORD });
  commit(client(session, { kind: "closeSession" }));
  return { chunks, records, digests, lastDigest: replica.digest() };
}

const HISTORY = madeHistory();

test("a backup holds the state at every zxid from its snapshot to its end", async (t) => {
  const bytes = await backupOf(HISTORY);
  for (const [zxid, digest] of HISTORY.digests) {
    t.is(digestOf((await rebuiltFrom(bytes, zxid)).tree.state), digest, String(zxid));
  }
  t.is(digestOf((await rebuiltFrom(bytes)).tree.state), HISTORY.lastDigest);
});

test("within a batch, the state after each of its operations can be had", async (t) => {
  const bytes = await backupOf(HISTORY);
  const [, end] = [...HISTORY.digests.keys()];
  const after = (end ?? 0) + 2;
  const { state } = (await rebuiltFrom(bytes, after as Zxid)).tree;
  t.not(state.znodes.find("/after/2"), undefined);
  t.is(state.znodes.find("/after/3"), undefined);
  t.is(state.lastApplied, after as Zxid);
});

test("a backup without a snapshot begins with the first record", async (t) => {
  const replica = new Replica();
  const record = replica.record([{ kind: "createSession", timeoutMs: 5000, password: PASSWORD }]);
  replica.receive({ kind: "committed", records: [record] });
  const { tree } = await rebuiltFrom(await backupOf({ chunks: [], records: [record] }));
  t.is(digestOf(tree.state), replica.digest());
});

test("what the backup does not hold is refused, with what it holds", async (t) => {
  const bytes = await backupOf(HISTORY);
  const [first] = HISTORY.digests.keys();
  const early = ((first ?? 0) - 1) as Zxid;
  const error = await t.throwsAsync(rebuiltFrom(bytes, early), { name: "OutsideOfBackup" });
  t.regex(error?.message ?? "", /any zxid from 0x16 to 0x1c, and not to 0x15/);
});

async function faultOf(bytes: Uint8Array): Promise<string> {
  const pieces = (async function* (): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += 1000) yield bytes.subarray(from, from + 1000);
  })();
  try {
    for await (const part of readParts("FILE", pieces)) if (part.kind === "end") return "whole";
    return "no end";
  } catch (error) {
    return error instanceof Error && error.name === "BackupDamaged" ? error.message : String(error);
  }
}

test("a flipped bit anywhere is found, and named with file and offset", async (t) => {
  const bytes = await backupOf(HISTORY);
  t.is(await faultOf(bytes), "whole");
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    const fault = await faultOf(flipped);
    if (!/^FILE is damaged at offset \d+: /.test(fault)) t.fail(`byte ${at}: ${fault}`);
  }
});

test("a file that is cut short anywhere, or is longer, is no backup", async (t) => {
  const bytes = await backupOf(HISTORY);
  for (let length = 0; length < bytes.length; length += 1) {
    const fault = await faultOf(bytes.subarray(0, length));
    if (!/^FILE is damaged at offset \d+: /.test(fault)) t.fail(`${length} bytes: ${fault}`);
  }
  t.regex(await faultOf(Buffer.concat([bytes, Buffer.of(0)])), /bytes after the end/);
  t.regex(await faultOf(Buffer.concat([bytes, bytes])), /bytes after the end/);
});

test("a record, or a chunk, that is missing in between is found", async (t) => {
  const { chunks, records } = HISTORY;
  const gap = await backupOf({ chunks, records: records.toSpliced(1, 1) });
  t.regex(
    await faultOf(gap),
    /a record that follows zxid 0x1a, and the one before it ends at 0x17/,
  );
  const [first] = chunks;
  const torn = await backupOf({ chunks: first === undefined ? [] : [first], records });
  t.regex(await faultOf(torn), /the snapshot before it is not whole/);
});

test("a backup of a later format version is refused as such", async (t) => {
  const bytes = await backupOf(HISTORY);
  bytes.writeUInt32BE(2, 8);
  t.regex(await faultOf(bytes), /format version 2, and this zooid reads version 1/);
});

test("what is whole but makes no tree is refused when the tree is built", async (t) => {
  const replica = new Replica();
  const session = replica.session();
  const chunks = cut(replica);
  const record = replica.record([client(session, { kind: "sync", path: "/" })]);
  // As by a faulty writer: the checksums are right, and the payload is no batch.
  const broken = encodeRecord(recordHeader(record), Buffer.from("no batch"), crc32);
  const error = await t.throwsAsync(
    backupOf({ chunks, records: [broken] }).then((bytes) => rebuiltFrom(bytes)),
    { name: "BackupDamaged" },
  );
  t.regex(error?.message ?? "", /no tree can be built of it: the operation with zxid 0x2 cannot/);
});

test("nodes restored from one backup begin equal, above all that clients have seen", async (t) => {
  const bytes = await backupOf(HISTORY);
  const begun = async (toZxid?: Zxid): ReturnType<typeof rebuiltFrom> => {
    const rebuilt = await rebuiltFrom(bytes, toZxid);
    beginNewEnsemble(rebuilt.tree.state, rebuilt.end.sha256);
    return rebuilt;
  };
  const [first] = HISTORY.digests.keys();
  const [one, other, earlier] = [await begun(), await begun(), await begun(first)];
  t.is(digestOf(one.tree.state), digestOf(other.tree.state));
  t.is(epochOf(one.tree.state.lastApplied), epoch(EPOCHS_ABOVE));
  t.not(earlier.tree.state.lastApplied, one.tree.state.lastApplied);
  const passwords = [...one.tree.state.sessions.values()].map(({ password }) => password);
  t.is(passwords.length, 1);
  for (const password of passwords) t.notDeepEqual(password, PASSWORD);
  const chunks = [...one.tree.cut()];
  const loaded = await rebuiltFrom(await backupOf({ chunks, records: [] }));
  t.is(digestOf(loaded.tree.state), digestOf(one.tree.state));
});

test("a file gets its name when it is whole, is never overwritten, and leaves nothing behind", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "backup");
    writeFileSync(`${path}.partial.4194304.00000000`, "what a killed process left");
    const first = await FileOutput.create(path);
    const second = await FileOutput.create(path);
    await first.write(Buffer.from("first"));
    t.false(existsSync(path));
    await first.finish();
    t.is(readFileSync(path, "utf8"), "first");
    await second.write(Buffer.from("second"));
    await t.throwsAsync(second.finish(), { name: "OutputError", message: /is there already/ });
    await second.abandon();
    await t.throwsAsync(FileOutput.create(path), { name: "OutputError" });
    await t.throwsAsync(FileOutput.create(join(folder, "no/backup")), {
      message: /there is no such folder/,
    });
    t.deepEqual(readdirSync(folder), ["backup"]);
    t.is(readFileSync(path, "utf8"), "first");
  });
});

test("standard output that ends on a full disk is named as such", async (t) => {
  const output = new StreamOutput(createWriteStream("/dev/full"));
  await t.throwsAsync(output.write(Buffer.from("bytes")), {
    name: "OutputError",
    message: /standard output cannot be written: the disk is full\. What is there is no backup/,
  });
});

test("a folder that a restore cannot write to is named, and not the backup", async (t) => {
  await withFolder(async (folder) => {
    const owner = { server: 1 as ServerId, members: [1 as ServerId], ensemble: "test" };
    const { chunks } = HISTORY;
    const zxid = 1 as Zxid;
    const file = join(folder, "file");
    writeFileSync(file, "");
    t.throws(() => restoreFolder(join(file, "data"), owner, { zxid, chunks }), {
      name: "RestoreRefused",
      message: /the data folder .*\/file\/data cannot be made: .*\/file is there and is no folder/,
    });
    const data = join(folder, "data");
    // The folder can be made; the first file in it cannot, since by then something else has its name.
    const taken = function* (): Generator<Uint8Array> {
      mkdirSync(join(data, snapshotName(zxid)));
      yield* chunks;
    };
    t.throws(() => restoreFolder(data, owner, { zxid, chunks: taken() }), {
      name: "RestoreRefused",
      message: /\/data cannot be written: EISDIR.* Remove what is in the folder before the next/,
    });
    await Promise.resolve();
  });
});

test("a folder that a restore has left half made is refused by the next one", async (t) => {
  const { tree, end } = await rebuiltFrom(await backupOf(HISTORY));
  beginNewEnsemble(tree.state, end.sha256);
  const zxid = tree.state.lastApplied;
  const owner = { server: 1 as ServerId, members: [1 as ServerId], ensemble: "test" };
  const killed = function* (): Generator<Uint8Array> {
    yield* HISTORY.chunks.slice(0, 1);
    throw new Error("killed");
  };
  await withFolder(async (above) => {
    const folder = join(above, "data");
    t.throws(() => restoreFolder(folder, owner, { zxid, chunks: killed() }), { message: "killed" });
    t.false(existsSync(join(folder, "zooid.json")));
    const why = /is not empty .* if an earlier restore did not finish, remove what it left/;
    t.regex(whyNotEmpty(folder) ?? "", why);
    t.throws(() => restoreFolder(folder, owner, { zxid, chunks: [] }), { message: why });
    const other = join(above, "other");
    restoreFolder(other, owner, { zxid, chunks: tree.cut() });
    t.regex(whyNotEmpty(other) ?? "", /it is the data folder of a node/);
    await Promise.resolve();
  });
});

test("addresses are read as people write them", (t) => {
  t.deepEqual(addressOf("host:2181"), { host: "host", port: 2181 });
  t.deepEqual(addressOf("[::1]:2181"), { host: "::1", port: 2181 });
  t.deepEqual(addressOf("2181"), { host: "127.0.0.1", port: 2181 });
  for (const text of ["", "host", "host:", "host:0", "host:65536", "::1:2181"]) {
    t.is(addressOf(text), undefined, text);
  }
});
