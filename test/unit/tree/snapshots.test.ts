/** Snapshots by plain calls: the conversation with the log, and what a loaded one does to clients. */
import test from "ava";
import type { SubmitterMessage } from "../../../actors/submitter/messages.ts";
import { PERMISSIONS_ALL } from "../../../protocol/acl.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  bytes,
  client,
  create,
  emittedOf,
  multi,
  PASSWORD,
  remove,
  Replica,
  sessionsOf,
  setData,
  toldOf,
} from "../../support/replica.ts";
import { chunkOf, cut, load, loadedOf, messagesTo } from "../../support/snapshots.ts";

/** Some znodes, in chunks of one entry or little more. */
function filled(snapshotChunkBytes = 1): { replica: Replica; session: SessionId } {
  const replica = new Replica({ snapshotChunkBytes });
  const session = replica.session();
  for (const path of ["/a", "/b", "/c"]) replica.do(session, create(path));
  return { replica, session };
}

test("a new tree has a snapshot too", (t) => {
  const copy = new Replica();
  load(copy, cut(new Replica()));
  t.is(copy.digest(), new Replica().digest());
});

test("a chunk is made only when the one before is stored", (t) => {
  const { replica } = filled();
  const first = chunkOf(replica.receive({ kind: "cutSnapshot" }));
  const zxid = replica.lastZxid;
  t.like(first, { source: "tree", zxid, index: 0, position: 0 });
  t.deepEqual(replica.receive({ kind: "chunkStored", zxid, index: 1 }), []);
  t.deepEqual(replica.receive({ kind: "chunkStored", zxid: (zxid + 1) as Zxid, index: 0 }), []);
  const second = chunkOf(replica.receive({ kind: "chunkStored", zxid, index: 0 }));
  t.like(second, { zxid, index: 1, position: first?.bytes.length });
  t.deepEqual(replica.receive({ kind: "chunkStored", zxid, index: 0 }), []);
});

test("cutSnapshot does nothing while a snapshot is cut, and begins another afterwards", (t) => {
  const { replica, session } = filled();
  const before = replica.digest();
  const chunks = cut(replica, () => {
    t.deepEqual(replica.receive({ kind: "cutSnapshot" }), []);
  });
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), before);
  replica.do(session, setData("/a", bytes("y")));
  const again = new Replica();
  load(again, cut(replica));
  t.is(again.digest(), replica.digest());
});

test("a refused snapshot is dropped, and the next one at the same zxid is whole", (t) => {
  const { replica } = filled();
  const zxid = replica.lastZxid;
  let chunk = chunkOf(replica.receive({ kind: "cutSnapshot" }));
  for (let index = 0; index < 3; index++) {
    t.is(chunk?.index, index);
    chunk = chunkOf(replica.receive({ kind: "chunkStored", zxid, index }));
  }
  replica.receive({ kind: "snapshotRefused", zxid: (zxid + 1) as Zxid, reason: "another" });
  t.is(chunkOf(replica.receive({ kind: "chunkStored", zxid, index: 3 }))?.index, 4);
  replica.receive({ kind: "snapshotRefused", zxid, reason: "disk full" });
  t.deepEqual(replica.receive({ kind: "chunkStored", zxid, index: 4 }), []);
  const copy = new Replica();
  load(copy, cut(replica));
  t.is(copy.digest(), replica.digest());
});

test("a chunk ends soon after its size, and what was saved meanwhile is cut into chunks too", (t) => {
  const replica = new Replica({ snapshotChunkBytes: 1000 });
  const session = replica.session();
  const paths = Array.from({ length: 200 }, (_, index) => `/node-${index}`);
  const data = new Uint8Array(100);
  replica.commit(...paths.map((path) => client(session, create(path, { data }))));
  const digest = replica.digest();
  const chunks = cut(replica, (index) => {
    if (index > 0) return;
    replica.commit(...paths.map((path) => client(session, setData(path, bytes("y")))));
  });
  for (const chunk of chunks.slice(0, -1)) {
    t.true(chunk.length >= 1000 && chunk.length < 1200, String(chunk.length));
  }
  t.is(chunks.length, 26); // of eight znodes each, nearly all
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), digest);
});

test("a znode that a refused multi took out and put back is in the snapshot once, as it was", (t) => {
  const { replica, session } = filled();
  const digest = replica.digest();
  const chunks = cut(replica, () => {
    replica.do(session, multi(setData("/b", bytes("y")), remove("/b"), remove("/missing")));
    replica.do(session, multi(remove("/a"), create("/a"), create("/a/x"), remove("/missing")));
  });
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), digest);
});

test("access control lists, null data, names that are not ASCII and large data survive", (t) => {
  const { replica, session } = filled(1000);
  const acl = [
    { permissions: PERMISSIONS_ALL, scheme: "digest", id: "jürgen:hash=" },
    { permissions: -1, scheme: "ip", id: "10.0.0.0/8" },
  ];
  replica.do(session, create("/a/größe", { acl, data: null }));
  replica.do(session, create("/a/größe/木", { data: new Uint8Array(1_000_000).fill(3) }));
  replica.do(session, create("/a/empty", { data: new Uint8Array(0) }));
  replica.do(session, { kind: "setAcl", path: "/b", acl, version: -1 });
  const copy = new Replica();
  load(copy, cut(replica));
  t.is(copy.digest(), replica.digest());
  t.deepEqual(copy.data("/a/größe/木"), replica.data("/a/größe/木"));
  const read = { kind: "getAcl", path: "/a/größe" } as const;
  t.deepEqual(copy.read(read), replica.read(read));
  t.deepEqual(copy.children("/a"), ["empty", "größe"]);
});

test("a tree asks the log for chunk after chunk, tells log-sync when all are loaded, fires nothing and closes nobody at the start", (t) => {
  const { replica, session } = filled();
  const copy = new Replica();
  const chunks = cut(replica);
  const effects = load(copy, chunks);
  const zxid = replica.lastZxid;
  t.like(loadedOf(effects), { zxid });
  const positions = chunks.map((_, index) => Buffer.concat(chunks.slice(0, index)).length);
  t.deepEqual(
    messagesTo(effects, "log"),
    positions.map((position, index) => ({ kind: "askChunk", to: "tree/0", zxid, index, position })),
  );
  t.like(emittedOf(effects, "metrics")[0], { zxid: replica.lastZxid, znodes: 7 });
  const attached = [{ session, timeoutMs: 10_000, attachedAt: session as number as Zxid }];
  t.deepEqual(sessionsOf(effects), [{ kind: "sessionChanges", attached, closed: [] }]);
  t.deepEqual(
    toldOf(effects).flatMap(({ to }) => (to === "log" ? [] : [to])),
    ["submitter/0", "log-sync"],
  );
});

test("a snapshot that replaces a state resets the gateways once, and says which sessions are gone", (t) => {
  const behind = new Replica();
  const gone = behind.session();
  const stays = behind.session();
  const ahead = new Replica({ snapshotChunkBytes: 100 });
  ahead.session();
  ahead.session();
  ahead.commit({ kind: "expireSession", session: gone, attachedAt: gone as number as Zxid });
  const created = ahead.session();
  behind.read({ kind: "getChildren", path: "/", watch: true });
  const stream = { from: "nats/0", client: 1, stream: 1, path: "/", recursive: true } as const;
  behind.receive({ kind: "openStream", ...stream, after: undefined });
  const effects = load(behind, cut(ahead));
  t.deepEqual(messagesTo(effects, "zookeeper/0"), [{ kind: "treeReset" }]);
  t.deepEqual(messagesTo(effects, "nats/0"), [{ kind: "treeReset" }]);
  const [changes] = sessionsOf(effects);
  t.deepEqual(changes?.closed, [gone]);
  t.deepEqual(
    changes?.attached.map(({ session }) => session),
    [stays, created],
  );
  const later = behind.receive({
    kind: "committed",
    records: [ahead.record([client(created, create("/new"))])],
  });
  t.deepEqual(
    toldOf(later).map(({ to }) => to),
    ["submitter/0"],
  );
});

test("a stream that asks for what lies before the loaded snapshot is compacted", (t) => {
  const { replica } = filled(1000);
  const copy = new Replica();
  load(copy, cut(replica));
  const zxid = replica.lastZxid;
  const stream = { from: "nats/0", client: 1, stream: 1, path: "/", recursive: true } as const;
  const before = copy.receive({ kind: "openStream", ...stream, after: (zxid - 1) as Zxid });
  t.like(toldOf(before)[0]?.message, { kind: "compacted", oldest: zxid });
  const at = copy.receive({ kind: "openStream", ...stream, after: zxid });
  t.like(toldOf(at)[0]?.message, { kind: "changes", changes: [], through: zxid });
});

test("the submitter hears which of its batches the snapshot holds", (t) => {
  const { replica } = filled(1000);
  const { submitter, lastSeq: seq } = replica;
  const told = messagesTo(load(new Replica(), cut(replica)), "submitter/0");
  const { incarnation } = submitter;
  t.deepEqual(told as SubmitterMessage[], [{ kind: "overtaken", incarnation, seq }]);
});

test("a snapshot that was begun before another was loaded goes on with the state it began with", (t) => {
  const { replica } = filled(100);
  const digest = replica.digest();
  const other = new Replica({ snapshotChunkBytes: 100 });
  const session = other.session();
  for (let count = 0; count < 20; count++) other.do(session, create(`/other-${count}`));
  const snapshot = cut(other);
  const chunks = cut(replica, (index) => {
    if (index === 0) load(replica, snapshot);
    const record = other.record([client(session, setData("/other-0", bytes(String(index))))]);
    replica.receive({ kind: "committed", records: [record] });
  });
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), digest);
});

test("records that do not follow the snapshot stop the replica", (t) => {
  const { replica, session } = filled(1000);
  const copy = new Replica();
  load(copy, cut(replica));
  replica.record([client(session, create("/lost"))]);
  const later = replica.record([client(session, create("/later"))]);
  const message = { kind: "committed", records: [later] } as const;
  t.throws(() => copy.receive(message), { message: /a record follows the one applied before it/ });
});

test("a chunk that was not asked for is passed over, and a damaged one stops the replica", (t) => {
  const { replica, session } = filled(100);
  const chunks = cut(replica);
  const [first, second, third] = chunks;
  replica.do(session, create("/d"));
  const [, another] = cut(replica);
  if (first === undefined || second === undefined) return t.fail();
  if (third === undefined || another === undefined) return t.fail();
  const loading = (...given: readonly Uint8Array[]): (() => void) => {
    return () => void load(new Replica(), given);
  };
  for (const [given, asked] of [
    [[second], []],
    [
      [first, third],
      [0, 1],
    ],
    [
      [first, second, second],
      [0, 1, 2],
    ],
    [
      [first, another],
      [0, 1],
    ],
  ] as const) {
    const effects = load(new Replica(), given);
    const asks = messagesTo(effects, "log") as readonly { readonly index: number }[];
    t.deepEqual(
      asks.map(({ index }) => index),
      asked,
    );
    t.deepEqual(messagesTo(effects, "log-sync"), []);
  }
  const all = load(new Replica(), [first, second, first, ...chunks.slice(1)]);
  t.is(messagesTo(all, "log-sync").length, 1, "a load that begins anew");
  t.throws(loading(first, second.subarray(0, -1)), { message: /whole/ });
  const last = new Uint8Array(first);
  last[14] = 1;
  t.throws(loading(last), { message: /as many/ });
  const cutShort = new Uint8Array(first);
  cutShort[31] = 7;
  t.throws(loading(cutShort), { message: /as many entries/ });
  const unknown = new Uint8Array(first);
  unknown[32] = 99;
  t.throws(loading(unknown), { message: /unknown kind 99/ });
});

test("a snapshot of the past stops a replica that has gone further", (t) => {
  const { replica, session } = filled(1_000);
  const chunks = cut(replica);
  replica.do(session, create("/d"));
  t.throws(() => load(replica, chunks), { message: /never goes back/ });
});

test("a session that is attached or closed during the cut is in the snapshot as it was", (t) => {
  const { replica, session } = filled();
  const other = replica.session();
  replica.do(other, create("/a/e", { ephemeral: true }));
  const digest = replica.digest();
  const chunks = cut(replica, (index) => {
    if (index > 0) return;
    const attach = { kind: "attachSession", session, password: PASSWORD, timeoutMs: 4000 } as const;
    replica.commit(attach);
    replica.do(other, { kind: "closeSession" });
    replica.session();
  });
  const copy = new Replica();
  load(copy, chunks);
  t.is(copy.digest(), digest);
  t.is(chunkHeader(chunks[0] ?? new Uint8Array(32)).index, 0);
});
