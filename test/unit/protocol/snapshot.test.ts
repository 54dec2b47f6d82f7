/** The bytes of a snapshot: entries there and back, what a damaged chunk is called, and what version 1 wrote. */
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Configuration, Voter } from "../../../protocol/configuration.ts";
import { SUPER } from "../../../protocol/identities.ts";
import { hexOfBytes, type Identity } from "../../../protocol/identity.ts";
import type { ServerId, SessionId } from "../../../protocol/ids.ts";
import { CONTAINER, type Lifetime, TTL_MS_MAX } from "../../../protocol/lifetime.ts";
import type { ClientOperation, WriteResult } from "../../../protocol/operations.ts";
import type { RequestNumber } from "../../../protocol/request-number.ts";
import {
  CHUNK_HEADER_BYTES,
  chunkHeader,
  SNAPSHOT_VERSION,
  verifyChunk,
} from "../../../protocol/snapshot.ts";
import {
  ChunkError,
  ChunkReader,
  ChunkWriter,
  type SnapshotEntry,
} from "../../../protocol/snapshot-entries.ts";
import { snapshotStart } from "../../../protocol/snapshot-start.ts";
import { STAT_FIELDS, type Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { bytes, client, create, multi, PASSWORD, Replica, setData } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

/** Cut from `cutSmallTree`, by version 1 before there were configurations, by versions 1 and 2 before there were lifetimes and addresses,
 * by versions 1 to 3 before writes had numbers. They stay as they are. */
const FIXTURES = {
  1: new URL("../../fixtures/snapshot-1", import.meta.url),
  2: new URL("../../fixtures/snapshot-2", import.meta.url),
  3: new URL("../../fixtures/snapshot-3", import.meta.url),
  4: new URL("../../fixtures/snapshot-4", import.meta.url),
} as const;

const number = fc.oneof(fc.nat({ max: 5 }), fc.maxSafeNat());
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 20 }));
const data = fc.uint8Array({ maxLength: 200 }).map((each) => Uint8Array.from(each));
const acl = fc.oneof(
  fc.constant(OPEN_ACL),
  fc.array(fc.record({ permissions: int32, scheme: text, id: text }), { maxLength: 3 }),
);
const zxid = number as fc.Arbitrary<Zxid>;
const id = number as fc.Arbitrary<SessionId>;
const count = fc.nat({ max: 0xffff_ffff });
const id16 = fc.nat({ max: 0xffff });

const identity = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(hexOfBytes);
const configuration = fc.record({
  ensembleId: identity,
  version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  since: zxid,
  voters: fc.tuple(identity, identity).map(([one, other]) => [voter(1, one), voter(200, other)]),
});

function voter(id: number, of: Identity): Voter {
  return { id: id as ServerId, identity: of };
}

const STAT = Object.fromEntries(
  STAT_FIELDS.map((field, index) => [field, 2 ** (4 * index)]),
) as Stat;
const RESULTS: readonly WriteResult[] = [
  { kind: "done" },
  { kind: "error", code: Code.badVersion },
  { kind: "stat", stat: STAT },
  {
    kind: "multi",
    failed: false,
    results: [{ kind: "created", path: "/ä", stat: STAT }, { kind: "done" }],
  },
];

const entry: fc.Arbitrary<SnapshotEntry> = fc.oneof(
  fc.record({
    kind: fc.constant("head" as const),
    head: fc.record({ timeMs: number, sessions: count, submitters: count, znodes: count }),
  }),
  fc.record({
    kind: fc.constant("session" as const),
    session: fc.record({
      ...{ id, timeoutMs: count, attachedAt: zxid, password: data },
      address: fc.option(text, { nil: undefined }),
    }),
  }),
  fc.record({
    kind: fc.constant("submitter" as const),
    submitter: fc.record({ server: id16, lane: id16, incarnation: number, seq: number }),
  }),
  fc.record({
    kind: fc.constant("requests" as const),
    requests: fc.record({ session: id, last: number }),
  }),
  fc.record({
    kind: fc.constant("kept" as const),
    kept: fc.record({ session: id, number, zxid, result: fc.constantFrom(...RESULTS) }),
  }),
  fc.record({ kind: fc.constant("skipped" as const), zxid }),
  fc.record({ kind: fc.constant("configuration" as const), configuration }),
  fc.record({
    kind: fc.constant("znode" as const),
    znode: fc.record({
      path: text,
      data: fc.option(data),
      acl,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: number,
      mtime: number,
      version: int32,
      creates: int32,
      aversion: int32,
      ephemeralOwner: id,
      lifetime: fc.option(number as fc.Arbitrary<Lifetime>, { nil: undefined }),
    }),
  }),
);

function write(writer: ChunkWriter, each: SnapshotEntry): void {
  if (each.kind === "head") writer.head(each.head);
  else if (each.kind === "session") writer.session(each.session);
  else if (each.kind === "submitter") writer.submitter(each.submitter);
  else if (each.kind === "skipped") writer.skipped(each.zxid);
  else if (each.kind === "requests") writer.requests(each.requests);
  else if (each.kind === "kept") writer.kept(each.kept);
  else if (each.kind === "configuration") writer.configuration(each.configuration);
  else writer.znode(each.znode);
}

function read(chunk: Uint8Array): SnapshotEntry[] {
  const reader = new ChunkReader(chunk);
  const entries: SnapshotEntry[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) entries.push(next);
  return entries;
}

/** Byte arrays of a chunk are Buffers, views of it. */
function plain(entries: readonly SnapshotEntry[]): unknown {
  return JSON.parse(
    JSON.stringify(entries, (_, value: unknown) => {
      const json = value as { readonly type?: unknown; readonly data?: unknown } | null;
      if (json?.type === "Buffer") return json.data;
      return value instanceof Uint8Array ? [...value] : value;
    }),
  );
}

test("every entry is read as it was written, in as many chunks as it takes", (t) => {
  const plan = fc.tuple(fc.array(fc.array(entry, { maxLength: 8 }), { maxLength: 4 }), fc.nat(300));
  fc.assert(
    fc.property(plan, ([chunks, writerBytes]) => {
      const writer = new ChunkWriter(writerBytes);
      for (const [index, entries] of chunks.entries()) {
        for (const each of entries) write(writer, each);
        const { length } = writer;
        const last = index === chunks.length - 1;
        const header = { zxid: (2 ** 52 + index) as Zxid, index, last };
        const chunk = writer.take(header, crc32);
        t.deepEqual(verifyChunk(chunk, 0, crc32), { length });
        t.deepEqual(chunkHeader(chunk), { ...header, length, entries: entries.length });
        t.deepEqual(plain(read(chunk)), plain(entries));
      }
    }),
  );
});

function someChunk(): Uint8Array {
  const writer = new ChunkWriter(100);
  writer.session({
    id: 5 as SessionId,
    timeoutMs: 4000,
    attachedAt: 7 as Zxid,
    password: PASSWORD,
  });
  return writer.take({ zxid: 9 as Zxid, index: 3, last: true }, crc32);
}

test("a chunk is verified where it lies, and one that is cut off is incomplete", (t) => {
  const chunk = someChunk();
  const file = new Uint8Array(chunk.length * 2 + 10);
  file.set(chunk, 5);
  file.set(chunk, 5 + chunk.length);
  t.deepEqual(verifyChunk(file, 5, crc32), { length: chunk.length });
  t.deepEqual(verifyChunk(file, 5 + chunk.length, crc32), { length: chunk.length });
  t.is(chunkHeader(file, 5 + chunk.length).index, 3);
  for (let length = 0; length < chunk.length; length++) {
    t.deepEqual(verifyChunk(chunk.subarray(0, length), 0, crc32), { fault: "incomplete" });
  }
});

test("every flipped bit of a chunk is found", (t) => {
  const chunk = someChunk();
  for (let bit = 0; bit < chunk.length * 8; bit++) {
    const bad = new Uint8Array(chunk);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const verdict = verifyChunk(bad, 0, crc32);
    t.true("fault" in verdict, `bit ${bit}`);
  }
});

test("a fault of a chunk has its name", (t) => {
  const verdictOf = (offset: number, value: number, sealed: boolean): unknown => {
    const bad = new Uint8Array(someChunk());
    bad[offset] = value;
    const view = new DataView(bad.buffer);
    if (sealed) view.setUint32(8, crc32(bad.subarray(12)));
    return verifyChunk(bad, 0, crc32);
  };
  t.deepEqual(verdictOf(0, 0, false), { fault: "badMagic" });
  t.deepEqual(verdictOf(7, CHUNK_HEADER_BYTES - 1, false), { fault: "badLength" });
  t.deepEqual(verdictOf(4, 0xff, false), { fault: "badLength" });
  t.deepEqual(verdictOf(40, 0xff, false), { fault: "badChecksum" });
  t.deepEqual(verdictOf(12, SNAPSHOT_VERSION + 1, true), { fault: "badVersion" });
  t.deepEqual(verdictOf(13, 2, true), { fault: "badVersion" });
});

test("a chunk that verifies and holds what no writer makes is refused in words", (t) => {
  const chunk = someChunk();
  const refused = (bytes: Uint8Array, message: RegExp): void => {
    t.throws(() => read(bytes), { instanceOf: ChunkError, message });
  };
  for (let length = CHUNK_HEADER_BYTES + 1; length < chunk.length; length++) {
    refused(chunk.subarray(0, length), /beyond its chunk/);
  }
  const changed = (offset: number, value: number): Uint8Array => {
    const bad = new Uint8Array(chunk);
    bad[CHUNK_HEADER_BYTES + offset] = value;
    return bad;
  };
  refused(changed(0, 10), /unknown kind 10/);
  refused(changed(1, 0xff), /more than 53 bits/);
});

const USER = { scheme: "digest", id: "user:hash=" };

const BY_USER = { identities: [USER], address: undefined };

function childrenOf(replica: Replica, path: string): readonly string[] {
  const result = replica.readBy(BY_USER, { kind: "getChildren", path, watch: false });
  return result.kind === "children" ? result.children.toSorted() : [];
}

const NUMBERS = [2, 3, 4, 7].map((number) => ({ number, answered: 1 })) as unknown as readonly [
  RequestNumber,
  RequestNumber,
  RequestNumber,
  RequestNumber,
];

/** One of everything: sessions, ephemerals, lists, lifetimes, null data, a name that is not ASCII, a change during the cut. */
function cutSmallTree(configuration: Configuration): Uint8Array[] {
  const replica = new Replica({ snapshotChunkBytes: 300 });
  const one = replica.session(4000);
  const other = replica.session(30_000);
  const from = { timeoutMs: 6000, password: PASSWORD, address: "10.0.0.7" };
  replica.commit({ kind: "attachSession", session: one, ...from });
  const attachedAt = replica.lastZxid;
  const list = [{ permissions: 3, scheme: "digest", id: "user:hash=" }];
  replica.commit(
    client(other, create("/config", { data: bytes("one=1"), acl: list })),
    { ...client(other, create("/config/größe", { data: null })), identities: [SUPER] },
    client(other, create("/locks", { data: new Uint8Array(0) })),
    client(other, create("/locks/lock-", { ephemeral: true, sequential: true })),
    client(one, create("/locks/lock-", { ephemeral: true, sequential: true }), attachedAt),
    { ...client(other, setData("/config", bytes("one=2"))), identities: [USER] },
    client(other, { kind: "setAcl", path: "/locks", acl: list, version: 0 }),
    {
      ...client(other, multi(create("/gone"), setData("/config", bytes("one=3")))),
      identities: [SUPER, USER],
    },
    client(other, { kind: "delete", path: "/gone", version: 0 }),
    client(other, lasting("/container", CONTAINER)),
    client(other, lasting("/ttl", TTL_MS_MAX as Lifetime)),
  );
  replica.name("configuration", configuration);
  replica.commit(
    { ...client(one, create("/a", { sequential: true }), attachedAt), request: NUMBERS[0] },
    { ...client(one, setData("/none", null), attachedAt), request: NUMBERS[1] },
    {
      ...client(one, multi(create("/b"), setData("/b", null)), attachedAt),
      request: NUMBERS[2],
    },
    { ...client(one, { kind: "sync", path: "/" }, attachedAt), request: NUMBERS[3] },
  );
  return cut(replica, (index) => {
    if (index === 0) replica.do(other, { kind: "closeSession" });
  });
}

function lasting(path: string, lifetime: Lifetime): ClientOperation {
  return { ...create(path), mode: { ephemeral: false, sequential: false, lifetime } };
}

const NAMED: Configuration = {
  ensembleId: "0123456789abcdef0123456789abcdef",
  version: 2,
  since: 13 as Zxid,
  voters: [
    voter(1, "11111111111111111111111111111111"),
    voter(2, "22222222222222222222222222222222"),
    voter(3, "33333333333333333333333333333333"),
  ],
};
const DIGESTS = {
  1: "6c007a8e0afff7f2",
  2: "2e07e65d983650a2",
  3: "8a856497958ced8c",
  4: "b7dafa6fa33ac43f",
} as const;

for (const version of [1, 2, 3, 4] as const) {
  test(`a snapshot of format version ${version} is read`, (t) => {
    const file = new Uint8Array(readFileSync(FIXTURES[version]));
    const chunks: Uint8Array[] = [];
    for (let offset = 0; offset < file.length; ) {
      const verdict = verifyChunk(file, offset, crc32);
      if ("fault" in verdict) return t.fail(verdict.fault);
      chunks.push(file.slice(offset, offset + verdict.length));
      offset += verdict.length;
    }
    t.true(chunks.length > 1);
    const copy = new Replica();
    load(copy, chunks);
    t.is(copy.digest(), DIGESTS[version]);
    t.deepEqual(childrenOf(copy, "/locks"), ["lock-0000000000", "lock-0000000001"]);
    t.like(copy.readBy(BY_USER, { kind: "getData", path: "/config", watch: false }), {
      stat: { version: 2, czxid: 4, mzxid: 11, numChildren: 1 },
    });
    t.deepEqual(copy.configuration, version === 1 ? undefined : NAMED);
    t.deepEqual(snapshotStart(chunks[0] as Uint8Array).configuration, copy.configuration);
  });
}

test("what is cut today is format version 4, byte for byte", (t) => {
  t.deepEqual(Buffer.concat(cutSmallTree(NAMED)), readFileSync(FIXTURES[4]));
});

test("a tree goes by the latest configuration that records named, in whatever order", (t) => {
  const replica = new Replica();
  const later = { ...NAMED, version: 3 };
  t.is(replica.configuration, undefined);
  replica.name("barrier", NAMED);
  t.deepEqual(replica.configuration, NAMED);
  replica.name("configuration", later);
  const digest = replica.digest();
  replica.name("barrier", NAMED);
  t.deepEqual(replica.configuration, later);
  const copy = new Replica();
  load(copy, cut(replica));
  t.deepEqual(copy.configuration, later);
  t.is(copy.digest(), replica.digest());
  t.not(copy.digest(), digest, "the last zxid is part of it");
});
