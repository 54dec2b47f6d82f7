/** What ClickHouse Keeper's operations and lists do to one tree, and what they are answered. */
import test from "ava";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { CONTAINER } from "../../../protocol/lifetime.ts";
import { ANYONE, type Identity } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import {
  LISTED_MAX,
  REMOVE_RECURSIVE_MAX,
  REMOVE_RECURSIVE_RECORD_MAX,
} from "../../../protocol/limits.ts";
import type { ClientOperation, OperationResult } from "../../../protocol/operations.ts";
import type { ListChildren, ReadResult, WatchEvent } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import {
  bytes,
  client,
  create,
  multi,
  remove,
  Replica,
  setData,
  toldOf,
} from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

const ANN: Identity = { scheme: "digest", id: "ann:hash" };
const OWNED: readonly Acl[] = [{ permissions: 31, ...ANN }];
const DONE = { kind: "done" } as const;

const removeAll = (path: string, znodesMax = REMOVE_RECURSIVE_MAX) =>
  ({ kind: "removeRecursive", path, znodesMax }) as const;
const tryRemove = (path: string, version = -1) => ({ kind: "tryRemove", path, version }) as const;
const checkNot = (path: string, version = -1) =>
  ({ kind: "checkNotExists", path, version }) as const;
const createUnless = (...args: Parameters<typeof create>) =>
  ({ ...create(...args), unlessExists: true }) as const;

const ANY: Stat = {
  ...{ czxid: -1 as Zxid, mzxid: -1 as Zxid, ctime: -1, mtime: -1, version: -1, cversion: -1 },
  ...{ aversion: -1, ephemeralOwner: -1, dataLength: -1, numChildren: -1, pzxid: -1 as Zxid },
};
const checkStat = (path: string, fields: Partial<Stat>, version = -1) =>
  ({ kind: "checkStat", path, version, stat: { ...ANY, ...fields } }) as const;

function error(code: Code): OperationResult {
  return { kind: "error", code };
}

function start(...operations: readonly ClientOperation[]): {
  readonly replica: Replica;
  readonly session: SessionId;
} {
  const replica = new Replica();
  const session = replica.session();
  for (const operation of operations) replica.do(session, operation);
  return { replica, session };
}

function statOf(replica: Replica, path: string): Stat | undefined {
  const [result] = replica.read({ kind: "exists", path, watch: false });
  return result?.kind === "stat" ? result.stat : undefined;
}

const TREE = ["/t", "/t/a", "/t/a/1", "/t/a/2", "/t/b"].map((path) => create(path));

test("removeRecursive deletes all or nothing, and counts the znode at its path", (t) => {
  const { replica, session } = start(...TREE);
  for (const limit of [0, 1, 4]) {
    t.deepEqual(replica.do(session, removeAll("/t", limit)), error(Code.notEmpty));
  }
  t.deepEqual(replica.children("/t"), ["a", "b"]);
  const before = statOf(replica, "/");
  t.deepEqual(replica.do(session, removeAll("/t/a", 3)), DONE);
  t.deepEqual(replica.children("/t"), ["b"]);
  t.like(statOf(replica, "/t"), { numChildren: 1, cversion: 3, pzxid: replica.lastZxid });
  t.deepEqual(statOf(replica, "/"), before);
  t.deepEqual(replica.do(session, removeAll("/t", 2)), DONE);
  t.is(statOf(replica, "/t"), undefined);
});

test("removeRecursive of what is not there succeeds, and what belongs to ZooKeeper is refused", (t) => {
  const { replica, session } = start();
  t.deepEqual(replica.do(session, removeAll("/absent")), DONE);
  t.deepEqual(replica.do(session, removeAll("/absent/below")), DONE);
  for (const path of [
    "/",
    "/zookeeper",
    "/zookeeper/quota",
    "/zookeeper/config",
    "",
    "a",
    "/a\0",
  ]) {
    t.deepEqual(replica.do(session, removeAll(path)), error(Code.badArguments), path);
  }
  t.deepEqual(replica.do(session, removeAll("/zookeeper/config/a")), error(Code.noAuth));
  t.deepEqual(replica.do(session, removeAll("/zookeeper/quota/a")), DONE);
});

test("removeRecursive needs the permission to delete from the parent and of each znode", (t) => {
  const { replica, session } = start(
    ...TREE,
    create("/t/a/2/x", { acl: OWNED }),
    create("/closed", { acl: OWNED }),
  );
  const { results } = {
    results: (path: string) => replica.do(session, removeAll(path)),
  };
  t.deepEqual(results("/t"), error(Code.noAuth));
  t.deepEqual(results("/closed/absent"), error(Code.noAuth));
  t.deepEqual(results("/closed"), error(Code.noAuth));
  t.deepEqual(replica.children("/t/a"), ["1", "2"]);
  const [result] = replica.results({ ...client(session, removeAll("/t")), identities: [ANN] });
  t.deepEqual(result, DONE);
});

test("the znodes that removeRecursive deletes leave their session, their lifetimes and their quota", (t) => {
  const { replica, session } = start(
    ...TREE,
    create("/t/b/e", { ephemeral: true }),
    { ...create("/t/c"), mode: { ephemeral: false, sequential: false, lifetime: CONTAINER } },
    ...["/zookeeper/quota/t"].map((path) => create(path)),
    create("/zookeeper/quota/t/zookeeper_limits", { data: bytes("count=-1,bytes=-1") }),
    create("/zookeeper/quota/t/zookeeper_stats", { data: bytes("count=0,bytes=0") }),
  );
  const counts = (): string => {
    const result = replica.data("/zookeeper/quota/t/zookeeper_stats");
    return result.kind === "data" ? Buffer.from(result.data ?? []).toString() : result.kind;
  };
  t.is(counts(), "count=7,bytes=7");
  t.deepEqual(replica.do(session, removeAll("/t/a")), DONE);
  t.is(counts(), "count=4,bytes=4");
  t.deepEqual(replica.do(session, removeAll("/t/b")), DONE);
  t.is(counts(), "count=2,bytes=2");
  t.is(replica.metrics().ephemerals, 0);
  // An ephemeral of the same path belongs to who makes it next.
  const other = replica.session();
  replica.do(other, create("/t/b"));
  replica.do(other, create("/t/b/e"));
  replica.do(session, { kind: "closeSession" });
  t.deepEqual(replica.children("/t/b"), ["e"]);
  t.deepEqual(replica.do(other, removeAll("/t")), DONE);
  const due = { begins: true, pathsMax: 10, unusedMs: 1, question: 1 } as const;
  const [told] = toldOf(replica.receive({ kind: "listDue", ...due }));
  t.like(told?.message, { paths: [] });
});

test("a multi that fails behind a removeRecursive brings everything back", (t) => {
  const made = [...TREE, create("/t/b/e", { ephemeral: true, data: bytes("own") })];
  const [{ replica, session }, untouched] = [start(...made), start(...made)];
  const failing = multi(removeAll("/t"), create("/t"), createUnless("/t/new"), checkNot("/t"));
  t.like(replica.do(session, failing), {
    failed: true,
    results: { 0: error(Code.ok), 3: error(Code.nodeExists) },
  });
  untouched.replica.do(untouched.session, { kind: "sync", path: "/" });
  t.is(replica.digest(), untouched.replica.digest());
  const whole = multi(removeAll("/t"), create("/t"), tryRemove("/t/absent"), checkNot("/t/b"));
  t.like(replica.do(session, whole), { failed: false });
  t.deepEqual(replica.children("/t"), []);
});

test("one record looks at so many znodes at most, and one removeRecursive at fewer", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const count = REMOVE_RECURSIVE_MAX + 1;
  replica.do(session, create("/t"));
  for (let made = 0; made < count; ) {
    const next = Math.min(count, made + 1000);
    const batch = Array.from({ length: next - made }, (_, index) => create(`/t/${made + index}`));
    replica.do(session, multi(...batch));
    made = next;
  }
  t.deepEqual(replica.do(session, removeAll("/t")), error(Code.notEmpty));
  replica.do(session, multi(remove("/t/0"), remove("/t/1")));
  // Each looks at all of them and is then refused.
  replica.do(session, create("/t/0/x"));
  replica.do(session, create("/t/2/x", { acl: OWNED }));
  const tries = Math.ceil(REMOVE_RECURSIVE_RECORD_MAX / 4) + 1;
  const results = replica.results(
    ...Array.from({ length: tries }, () => client(session, removeAll("/t/2"))),
  );
  t.deepEqual(results[0], error(Code.noAuth));
  t.true(results.every((each) => each.kind === "error"));
  const many = Array.from({ length: REMOVE_RECURSIVE_RECORD_MAX / 2 + 1 }, () =>
    client(session, removeAll("/t/2")),
  );
  t.deepEqual(replica.results(...many).at(-1), error(Code.throttled));
  t.deepEqual(replica.results(client(session, removeAll("/t/2")))[0], error(Code.noAuth));
});

test("two replicas delete in the same order, whatever order siblings have", (t) => {
  const { replica, session } = start(...TREE);
  const loaded = new Replica();
  load(loaded, cut(replica));
  const asked = client(session, removeAll("/t"));
  const streamed = (each: Replica): readonly string[] => {
    const stream = { from: "nats/0", client: 1, stream: 1, path: "/", recursive: true } as const;
    each.receive({ kind: "openStream", ...stream, after: undefined });
    const record = each.record([asked]);
    return toldOf(each.receive({ kind: "committed", records: [record] })).flatMap(({ message }) =>
      message.kind === "changes" ? message.changes.map(({ path }) => path) : [],
    );
  };
  loaded.lastZxid = replica.lastZxid;
  loaded.lastSeq = replica.lastSeq;
  loaded.timeMs = replica.timeMs;
  const order = ["/t/b", "/t/a/2", "/t/a/1", "/t/a", "/t"];
  t.deepEqual(streamed(replica), order);
  t.deepEqual(streamed(loaded), order);
  t.is(replica.digest(), loaded.digest());
});

test("createIfNotExists leaves what is there as it is, and is refused as Keeper refuses it", (t) => {
  const { replica, session } = start(
    create("/a", { data: bytes("old") }),
    create("/e", { ephemeral: true }),
    create("/closed", { acl: OWNED }),
  );
  const before = statOf(replica, "/a");
  const asked = createUnless("/a", { data: bytes("new") });
  t.like(replica.do(session, asked), { kind: "created", path: "/a", stat: before });
  t.deepEqual(statOf(replica, "/a"), before);
  t.deepEqual(replica.do(session, createUnless("/a/b/c")), error(Code.noNode));
  t.deepEqual(replica.do(session, createUnless("/e/a")), error(Code.noChildrenForEphemerals));
  t.deepEqual(replica.do(session, createUnless("/closed/a")), error(Code.noAuth));
  t.deepEqual(
    replica.do(session, createUnless("/a/s-", { sequential: true })),
    error(Code.badArguments),
  );
  // What is there is found before its list is looked at.
  t.like(replica.do(session, createUnless("/a", { acl: [] })), { kind: "created" });
  t.deepEqual(replica.do(session, createUnless("/b", { acl: [] })), error(Code.invalidAcl));
  t.deepEqual(replica.do(session, createUnless("/a/")), error(Code.badArguments));
  t.deepEqual(replica.do(session, createUnless("a")), error(Code.badArguments));
  t.like(replica.do(session, createUnless("/a/b", { ephemeral: true })), { path: "/a/b" });
  t.is(statOf(replica, "/a/b")?.ephemeralOwner, session);
});

test("tryRemove deletes what it may delete, and succeeds where there is nothing to delete", (t) => {
  const { replica, session } = start(...TREE, create("/closed", { acl: OWNED }));
  for (const path of ["/absent", "/absent/below", "/t", "/t/a"]) {
    t.deepEqual(replica.do(session, tryRemove(path)), DONE, path);
  }
  t.deepEqual(replica.do(session, tryRemove("/t/b", 3)), DONE);
  t.deepEqual(replica.children("/t"), ["a", "b"]);
  t.deepEqual(replica.do(session, tryRemove("/t/b", 0)), DONE);
  t.deepEqual(replica.children("/t"), ["a"]);
  t.deepEqual(replica.do(session, tryRemove("/closed/absent")), error(Code.noAuth));
  for (const path of ["/", "/zookeeper", "", "a"]) {
    t.deepEqual(replica.do(session, tryRemove(path)), error(Code.badArguments), path);
  }
});

test("checkNotExists and checkStat look at the znode, its version and what may be read", (t) => {
  const { replica, session } = start(
    create("/a"),
    setData("/a", bytes("1")),
    create("/closed", { acl: OWNED }),
  );
  const ask = (operation: ClientOperation): OperationResult => replica.do(session, operation);
  t.deepEqual(ask(checkNot("/a")), error(Code.nodeExists));
  t.deepEqual(ask(checkNot("/a", 1)), error(Code.nodeExists));
  t.deepEqual(ask(checkNot("/a", 0)), DONE);
  t.deepEqual(ask(checkNot("/b")), DONE);
  t.deepEqual(ask(checkNot("/closed")), error(Code.noAuth));
  const stat = statOf(replica, "/a");
  t.deepEqual(ask(checkStat("/a", stat ?? {})), DONE);
  t.deepEqual(ask(checkStat("/a", {})), DONE);
  for (const [field, value] of Object.entries(stat ?? {})) {
    const other = { [field]: value + 1 };
    t.deepEqual(ask(checkStat("/a", other)), error(Code.badVersion), field);
  }
  t.deepEqual(ask(checkStat("/a", {}, 0)), error(Code.badVersion));
  t.deepEqual(ask(checkStat("/b", {})), error(Code.noNode));
  t.deepEqual(ask(checkStat("/closed", {})), error(Code.noAuth));
});

const list = (path: string, options: Partial<ListChildren> = {}): ListChildren => ({
  ...{ kind: "listChildren", path, watch: false, only: "all", having: undefined },
  ...options,
});
const BOTH = { stats: true, values: true } as const;

function listed(result: ReadResult | undefined): object | undefined {
  if (result?.kind !== "listed") return result;
  const { children, having } = result;
  const values = having?.values.map((each) => Buffer.from(each ?? []).toString());
  return { children, values, stats: having?.stats.map(({ version }) => version) };
}

test("a list has the children of its sort, with the Stats and the data that are asked for", (t) => {
  const { replica } = start(
    create("/t"),
    create("/t/a", { data: bytes("1") }),
    create("/t/e", { ephemeral: true, data: null }),
    setData("/t/a", bytes("2")),
  );
  const ask = (options: Partial<ListChildren>): object | undefined =>
    listed(replica.read(list("/t", options))[0]);
  const plain = { values: undefined, stats: undefined };
  t.deepEqual(ask({}), { children: ["a", "e"], ...plain });
  t.deepEqual(ask({ only: "persistent" }), { children: ["a"], ...plain });
  t.deepEqual(ask({ only: "ephemeral" }), { children: ["e"], ...plain });
  t.deepEqual(ask({ having: BOTH }), { children: ["a", "e"], values: ["2", ""], stats: [1, 0] });
  t.deepEqual(ask({ having: { stats: false, values: false } }), {
    ...{ children: ["a", "e"], values: [], stats: [] },
  });
  t.deepEqual(ask({ only: "ephemeral", having: { stats: true, values: false } }), {
    ...{ children: ["e"], values: [], stats: [0] },
  });
  t.deepEqual(replica.read(list("/t/a", { having: BOTH })).map(listed), [
    { children: [], values: [], stats: [] },
  ]);
  t.deepEqual(replica.read(list("/absent")), [{ kind: "error", code: Code.noNode }]);
});

test("more than the names of children is told only to who may read each of them", (t) => {
  const { replica } = start(
    create("/t"),
    create("/t/a"),
    create("/t/b", { acl: OWNED }),
    create("/closed", { acl: OWNED }),
  );
  const noAuth = { kind: "error", code: Code.noAuth } as const;
  t.like(replica.readBy(ANYONE, list("/t")), { children: ["a", "b"] });
  t.deepEqual(replica.readBy(ANYONE, list("/t", { only: "persistent" })), noAuth);
  t.deepEqual(replica.readBy(ANYONE, list("/t", { having: BOTH })), noAuth);
  t.deepEqual(replica.readBy(ANYONE, list("/closed")), noAuth);
  const ann = { identities: [ANN], address: undefined };
  t.like(replica.readBy(ann, list("/t", { having: BOTH })), { children: ["a", "b"] });
  const below = { kind: "listRecursive", path: "/t", znodesMax: 10 } as const;
  t.deepEqual(replica.readBy(ANYONE, below), { kind: "paths", paths: ["/t/a"] });
  t.deepEqual(replica.readBy(ann, below), { kind: "paths", paths: ["/t/a", "/t/b"] });
  t.deepEqual(replica.readBy(ANYONE, { ...below, path: "/closed" }), noAuth);
});

test("listRecursive goes level by level up to its limit", (t) => {
  const { replica } = start(...TREE);
  const below = (path: string, znodesMax: number): readonly ReadResult[] =>
    replica.read({ kind: "listRecursive", path, znodesMax });
  const all = ["/t/a", "/t/b", "/t/a/1", "/t/a/2"];
  t.deepEqual(below("/t", 100), [{ kind: "paths", paths: all }]);
  t.deepEqual(below("/t", 3), [{ kind: "paths", paths: all.slice(0, 3) }]);
  t.deepEqual(below("/t", 0), [{ kind: "paths", paths: [] }]);
  t.deepEqual(below("/t/b", 9), [{ kind: "paths", paths: [] }]);
  t.deepEqual(below("/absent", 9), [{ kind: "error", code: Code.noNode }]);
  const [root] = below("/", 1000);
  t.true(root?.kind === "paths" && root.paths.includes("/zookeeper/quota"));
});

test("lists that would take too much at once are answered ThrottledOp", (t) => {
  const { replica, session } = start(create("/t"), create("/t/big", { data: new Uint8Array(0) }));
  const throttled = { kind: "error", code: Code.throttled } as const;
  for (let made = 0; made <= LISTED_MAX; made += 1000) {
    const batch = Array.from({ length: 1000 }, (_, index) => create(`/t/${made + index}`));
    replica.do(session, multi(...batch));
  }
  t.deepEqual(replica.read(list("/t", { having: BOTH })), [throttled]);
  t.like(replica.read(list("/t", { only: "ephemeral" }))[0], { kind: "listed", children: [] });
  const below = { kind: "listRecursive", path: "/t", znodesMax: 2 ** 32 - 1 } as const;
  t.deepEqual(replica.read(below), [throttled]);
  // Children that are looked at count, though none of them is in an answer.
  const reads = Array.from({ length: 10 }, () => list("/t", { only: "ephemeral" }));
  const [many] = replica.read({ kind: "multiRead", reads });
  const kinds = many?.kind === "multiRead" ? many.results.map(({ kind }) => kind) : [];
  t.deepEqual(kinds, [...Array(3).fill("listed"), ...Array(7).fill("error")]);
  const asked = { kind: "read", from: "zookeeper/9", client: 1, answerBytesMax: 2 ** 20 } as const;
  const [told] = toldOf(replica.receive({ ...asked, reads }));
  t.is(told?.message.kind === "readDone" ? told.message.results.length : 0, 1);
});

test("paths that would take too many bytes at once are answered ThrottledOp, below a znode and of a session", (t) => {
  const { replica, session } = start();
  const long = "l".repeat(2000);
  let path = "";
  for (let depth = 0; depth < 3; depth += 1) {
    path += `/${long}`;
    replica.do(session, create(path));
  }
  const throttled = { kind: "error", code: Code.throttled } as const;
  const below = { kind: "listRecursive", path: `/${long}`, znodesMax: 2 ** 32 - 1 } as const;
  const own = { kind: "getEphemerals", prefix: "/", session } as const;
  for (let made = 0; made < 1500; made += 100) {
    const batch = Array.from({ length: 100 }, (_, index) =>
      create(`${path}/${made + index}`, { ephemeral: true }),
    );
    if (made < 1300) t.like(replica.read(below, own), [{ kind: "paths" }, { kind: "paths" }]);
    replica.do(session, multi(...batch));
  }
  t.deepEqual(replica.read(below, own), [throttled, throttled]);
});

test("a removeRecursive of long paths counts for more, and what one record may look at ends it midway", (t) => {
  const { replica, session } = start();
  const long = "l".repeat(2000);
  let path = "";
  for (let depth = 0; depth < 4; depth += 1) {
    path += `/${long}`;
    replica.do(session, create(path));
  }
  const some = Array.from({ length: 500 }, (_, index) => create(`${path}/${index}`));
  replica.do(session, multi(...some));
  t.deepEqual(replica.do(session, removeAll(`/${long}`)), DONE);
  for (let depth = 1; depth <= 4; depth += 1) {
    replica.do(session, create(`/${long}`.repeat(depth)));
  }
  replica.do(session, multi(...some));
  replica.do(session, multi(...some.map(({ path: at }) => create(`${at}x`))));
  t.deepEqual(replica.do(session, removeAll(`/${long}`)), error(Code.throttled));
});

function eventsOf(effects: readonly Effect[]): readonly WatchEvent[] {
  return toldOf(effects).flatMap(({ message }) =>
    message.kind === "watchEvents" ? message.events : [],
  );
}

test("the watch of a list with Stats or data fires when a child comes, goes, or its data changes", (t) => {
  const { replica, session } = start(create("/t"), create("/t/a"), create("/t/a/x"));
  const watch = list("/t", { watch: true, having: BOTH });
  const fires = (operation: ClientOperation): readonly (readonly [number, string])[] => {
    replica.read(watch);
    const events = eventsOf(replica.commit(client(session, operation)));
    // It has fired, so it is gone.
    t.deepEqual(eventsOf(replica.commit(client(session, setData("/t/a", null)))).length <= 1, true);
    return events.map(({ type, path }) => [type, path] as const);
  };
  const children = [[4, "/t"]] as const;
  t.deepEqual(fires(setData("/t/a", bytes("2"))), children);
  t.deepEqual(fires(create("/t/b")), children);
  t.deepEqual(fires(remove("/t/b")), children);
  t.deepEqual(fires(multi(setData("/t/a", null), create("/t/b"))), children);
  t.deepEqual(fires(setData("/t/a/x", null)), []);
  t.deepEqual(fires(setData("/t", null)), []);
  t.deepEqual(fires(removeAll("/t")), children);
});

test("that the data of a child has changed is told to whoever may read the parent then", (t) => {
  const { replica, session } = start(create("/t"), create("/t/a"));
  const writable = [...OWNED, { permissions: 18, scheme: "world", id: "anyone" }];
  const change = (path: string): readonly WatchEvent[] => {
    replica.read(list("/t", { watch: true, having: BOTH }));
    replica.do(session, { kind: "setAcl", path, acl: writable, version: -1 });
    return eventsOf(replica.commit(client(session, setData("/t/a", null))));
  };
  t.deepEqual(change("/t/a"), [{ type: 4, path: "/t", zxid: replica.lastZxid }]);
  replica.do(session, { kind: "setAcl", path: "/t/a", acl: OPEN_ACL, version: -1 });
  t.deepEqual(change("/t"), [{ type: 4, path: "/t", zxid: replica.lastZxid, acl: writable }]);
});

test("whoever watches children in both ways gets one event, and a plain list hears of no data", (t) => {
  const { replica, session } = start(create("/t"), create("/t/a"));
  replica.read(list("/t", { watch: true }));
  t.deepEqual(eventsOf(replica.commit(client(session, setData("/t/a", null)))), []);
  replica.read(list("/t", { watch: true, having: BOTH }));
  const created = eventsOf(replica.commit(client(session, create("/t/b"))));
  t.is(created.length, 1);
  replica.read(list("/t", { watch: true, having: BOTH }));
  const asked = { kind: "removeWatches", path: "/t", watcher: "child" } as const;
  t.deepEqual(replica.read(asked), [DONE]);
  t.deepEqual(eventsOf(replica.commit(client(session, setData("/t/a", null)))), []);
  t.is(replica.metrics().watches, 0);
});

test("the watches of all znodes that removeRecursive deletes fire", (t) => {
  const { replica, session } = start(...TREE);
  for (const path of ["/t", "/t/a", "/t/a/1"]) replica.read({ kind: "getData", path, watch: true });
  replica.read({ kind: "getChildren", path: "/", watch: true });
  const events = eventsOf(replica.commit(client(session, removeAll("/t"))));
  t.deepEqual(
    events.map(({ type, path }) => `${type} ${path}`),
    ["2 /t/a/1", "2 /t/a", "2 /t", "4 /"],
  );
});

test("Keeper's own znodes are read where the tree has none, by clients of ZooKeeper's protocol only", (t) => {
  const { replica, session } = start();
  const get = { kind: "getData", path: "/keeper/feature_flags", watch: false } as const;
  t.like(replica.read(get)[0], { kind: "data", data: new Uint8Array([0xff, 0xe0]) });
  t.like(replica.read({ ...get, kind: "exists" })[0], { stat: { czxid: 0, dataLength: 2 } });
  // Who looks for their parent before he makes his own is not misled.
  const parent = { kind: "exists", path: "/keeper", watch: false } as const;
  t.like(replica.read(parent)[0], { code: Code.noNode });
  t.deepEqual(replica.children("/"), ["zookeeper"]);
  t.like(replica.readAs("nats/0", 1, get).results[0], { kind: "error", code: Code.noNode });
  t.like(replica.read({ ...get, path: "/keeper/other" })[0], { code: Code.noNode });
  // Whatever a client makes there is what it reads, as in ZooKeeper.
  t.like(replica.do(session, create("/keeper", { data: bytes("mine") })), { kind: "created" });
  t.like(replica.data("/keeper"), { data: bytes("mine") });
  t.deepEqual(replica.children("/keeper"), []);
  replica.do(session, create("/keeper/feature_flags", { data: bytes("own") }));
  t.like(replica.read(get)[0], { data: bytes("own") });
});
