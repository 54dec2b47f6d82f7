/** Watches: which events, to whom, in which order. */
import test from "ava";
import type { TreeReply } from "../../../actors/tree/messages.ts";
import { Code } from "../../../protocol/codes.ts";
import {
  NO_WATCHES,
  type Read,
  type WatchEvent,
  WatchEventType,
  type WatcherType,
} from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { REPLAY_CHANGES_MAX, REPLAY_CONNECTION_CHANGES_MAX } from "../../../protocol/limits.ts";
import { NO_LIMITS } from "../../../actors/tree/store/size.ts";
import type { Effect } from "../../../runtime/effects.ts";
import {
  check,
  client,
  create,
  multi,
  remove,
  Replica,
  setData,
  toldOf,
} from "../../support/replica.ts";

const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = WatchEventType;

function watch(kind: "exists" | "getData" | "getChildren", path: string): Read {
  return { kind, path, watch: true };
}

function eventsOf(effects: readonly Effect[], number = 1): readonly WatchEvent[] {
  return toldOf(effects).flatMap(({ message }) =>
    message.kind === "watchEvents" && message.client === number ? message.events : [],
  );
}

test("a watch is told once, before the results of its record", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.read(watch("getData", "/"));
  const effects = replica.commit(client(session, setData("/", null)));
  const zxid = replica.lastZxid;
  t.deepEqual(
    toldOf(effects).map(({ to, message }) => [to, message.kind]),
    [
      ["zookeeper/9", "watchEvents"],
      ["submitter/0", "applied"],
    ],
  );
  t.deepEqual(eventsOf(effects), [{ type: nodeDataChanged, path: "/", zxid }]);
  t.deepEqual(eventsOf(replica.commit(client(session, setData("/", null)))), []);
});

test("exists of a missing znode leaves a watch for its creation, getData and getChildren none", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.readAs("zookeeper/9", 1, watch("exists", "/a"));
  replica.readAs("zookeeper/9", 2, watch("getData", "/a"), watch("getChildren", "/a"));
  const effects = replica.commit(client(session, create("/a")));
  t.deepEqual(eventsOf(effects), [{ type: nodeCreated, path: "/a", zxid: replica.lastZxid }]);
  t.deepEqual(eventsOf(effects, 2), []);
});

test("the children's watchers hear of creation and deletion, not of data", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  for (const operation of [create("/a/b"), remove("/a/b")]) {
    replica.read(watch("getChildren", "/a"));
    t.deepEqual(eventsOf(replica.commit(client(session, setData("/a", null)))), []);
    const effects = replica.commit(client(session, operation));
    const zxid = replica.lastZxid;
    t.deepEqual(eventsOf(effects), [{ type: nodeChildrenChanged, path: "/a", zxid }]);
  }
});

test("who watches data and children of a deleted znode hears of it once", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  replica.readAs("zookeeper/9", 1, watch("getData", "/a"), watch("getChildren", "/a"));
  replica.readAs("zookeeper/9", 2, watch("getChildren", "/a"), watch("getChildren", "/"));
  const effects = replica.commit(client(session, remove("/a")));
  const zxid = replica.lastZxid;
  t.deepEqual(eventsOf(effects), [{ type: nodeDeleted, path: "/a", zxid }]);
  t.deepEqual(eventsOf(effects, 2), [
    { type: nodeDeleted, path: "/a", zxid },
    { type: nodeChildrenChanged, path: "/", zxid },
  ]);
});

test("a failed multi and a setAcl fire nothing, a multi fires for each of its operations", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.read(watch("exists", "/a"), watch("getChildren", "/"), watch("getData", "/"));
  t.deepEqual(eventsOf(replica.commit(client(session, multi(create("/a"), check("/none"))))), []);
  const acl = [{ permissions: 7, scheme: "world", id: "anyone" }];
  const setAcl = { kind: "setAcl", path: "/", acl, version: -1 } as const;
  t.deepEqual(eventsOf(replica.commit(client(session, setAcl))), []);
  const effects = replica.commit(client(session, multi(setData("/", null), create("/a"))));
  const zxid = replica.lastZxid;
  t.deepEqual(eventsOf(effects), [
    { type: nodeDataChanged, path: "/", zxid, acl },
    { type: nodeCreated, path: "/a", zxid },
    { type: nodeChildrenChanged, path: "/", zxid, acl },
  ]);
});

test("a closed session's ephemerals fire, at the closing zxid", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/e", { ephemeral: true }));
  replica.read(watch("exists", "/e"));
  const effects = replica.commit(client(session, { kind: "closeSession" }));
  t.deepEqual(eventsOf(effects), [{ type: nodeDeleted, path: "/e", zxid: replica.lastZxid }]);
});

test("a client that was forgotten hears nothing, another of the same gateway still does", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const number of [1, 2]) {
    replica.readAs("zookeeper/9", number, watch("getData", "/"), watch("getChildren", "/"));
  }
  replica.receive({ kind: "forget", from: "zookeeper/9", client: 1 });
  const effects = replica.commit(
    client(session, setData("/", null)),
    client(session, create("/a")),
  );
  t.deepEqual(eventsOf(effects), []);
  t.is(eventsOf(effects, 2).length, 2);
  t.is(replica.metrics().watches, 0);
});

test("events of one record come to a client in one message", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.read(watch("getData", "/"), watch("getChildren", "/"));
  const told = toldOf(
    replica.commit(client(session, setData("/", null)), client(session, create("/a"))),
  ).filter(({ message }) => message.kind === "watchEvents");
  t.is(told.length, 1);
});

test("setWatches fires at once for what changed since, before its answer, and sets the rest", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const path of ["/same", "/set", "/gone", "/parent"]) replica.do(session, create(path));
  const relativeZxid = replica.lastZxid;
  replica.do(session, setData("/set", null));
  const setAt = replica.lastZxid;
  replica.do(session, create("/parent/child"));
  const childAt = replica.lastZxid;
  replica.do(session, remove("/gone"));
  const last = replica.lastZxid;
  const effects = replica.receive({
    kind: "read",
    from: "zookeeper/9",
    client: 1,
    answerBytesMax: Number.POSITIVE_INFINITY,
    reads: [
      {
        kind: "setWatches",
        relativeZxid,
        ...NO_WATCHES,
        data: ["/same", "/set", "/gone"],
        exist: ["/same", "/later"],
        child: ["/same", "/parent", "/gone"],
      },
    ],
  });
  const messages = toldOf(effects).map(({ message }) => message as TreeReply);
  const [same] = replica.read({ kind: "exists", path: "/same", watch: false });
  const createdAt = same?.kind === "stat" ? same.stat.czxid : (0 as Zxid);
  t.deepEqual(messages, [
    {
      kind: "watchEvents",
      client: 1,
      events: [
        { type: nodeDataChanged, path: "/set", zxid: setAt },
        { type: nodeDeleted, path: "/gone", zxid: last },
        { type: nodeCreated, path: "/same", zxid: createdAt },
        { type: nodeChildrenChanged, path: "/parent", zxid: childAt },
        { type: nodeDeleted, path: "/gone", zxid: last },
      ],
    },
    { kind: "readDone", client: 1, zxid: last, results: [{ kind: "done" }] },
  ]);
  const later = replica.commit(
    client(session, create("/later")),
    client(session, create("/same/child")),
    client(session, setData("/same", null)),
  );
  t.deepEqual(
    eventsOf(later).map(({ type, path }) => [type, path]),
    [
      [nodeCreated, "/later"],
      [nodeChildrenChanged, "/same"],
      [nodeDataChanged, "/same"],
    ],
  );
});

test("a read that would leave more watches than a connection may have is refused, and leaves none", (t) => {
  const replica = new Replica({ watchesPerConnectionMax: 3 });
  const exists = (path: string): Read => ({ kind: "exists", path, watch: true });
  const code = (read: Read): number => {
    const [result] = replica.readAs("zookeeper/8", 1, read).results;
    return result?.kind === "error" ? result.code : 0;
  };
  t.is(code({ kind: "getChildren", path: "/", watch: true }), 0);
  t.is(code(exists("/zookeeper")), 0);
  const again = { kind: "setWatches", relativeZxid: replica.lastZxid } as const;
  t.is(code({ ...again, ...NO_WATCHES, exist: ["/a", "/b"] }), Code.badArguments);
  t.is(code({ ...again, ...NO_WATCHES, persistent: ["/a", "/b"] }), Code.badArguments);
  t.is(code(exists("/a")), Code.noNode);
  t.is(code(exists("/b")), Code.badArguments);
  t.is(code({ kind: "exists", path: "/b", watch: false }), Code.noNode);
  t.is(replica.readAs("zookeeper/8", 2, exists("/zookeeper")).results[0]?.kind, "stat");
});

const PERSISTENT: Read = { kind: "addWatch", path: "/a", mode: "persistent" };
const RECURSIVE: Read = { kind: "addWatch", path: "/a", mode: "persistentRecursive" };

function shown(events: readonly WatchEvent[]): readonly (readonly [number, string])[] {
  return events.map(({ type, path }) => [type, path] as const);
}

test("a persistent watch hears what a data and a child watch would, as often as it happens", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.read(PERSISTENT);
  const operations = [
    create("/a"),
    create("/a/b"),
    setData("/a/b", null),
    setData("/a", null),
    remove("/a/b"),
    remove("/a"),
    create("/a"),
  ];
  const effects = replica.commit(...operations.map((each) => client(session, each)));
  t.deepEqual(shown(eventsOf(effects)), [
    [nodeCreated, "/a"],
    [nodeChildrenChanged, "/a"],
    [nodeDataChanged, "/a"],
    [nodeChildrenChanged, "/a"],
    [nodeDeleted, "/a"],
    [nodeCreated, "/a"],
  ]);
});

test("a recursive watch hears of each znode from its own on, and of nothing beside it", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.read(RECURSIVE);
  const operations = [
    create("/ab"),
    create("/a"),
    create("/a/b"),
    create("/a/b/c"),
    setData("/a/b/c", null),
    remove("/a/b/c"),
    setData("/", null),
  ];
  const effects = replica.commit(...operations.map((each) => client(session, each)));
  t.deepEqual(shown(eventsOf(effects)), [
    [nodeCreated, "/a"],
    [nodeCreated, "/a/b"],
    [nodeCreated, "/a/b/c"],
    [nodeDataChanged, "/a/b/c"],
    [nodeDeleted, "/a/b/c"],
  ]);
});

test("whoever has several watches of a change gets one event, and keeps those that stay", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  replica.read(PERSISTENT, RECURSIVE, watch("getData", "/a"), watch("getChildren", "/a"));
  const set = replica.commit(client(session, setData("/a", null)));
  t.deepEqual(shown(eventsOf(set)), [[nodeDataChanged, "/a"]]);
  const removed = replica.commit(client(session, remove("/a")));
  t.deepEqual(shown(eventsOf(removed)), [[nodeDeleted, "/a"]]);
  const created = replica.commit(client(session, create("/a")));
  t.deepEqual(shown(eventsOf(created)), [[nodeCreated, "/a"]]);
});

test("a removed watch is silent, and what is not there is not removed", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const codeOf = (kind: "checkWatches" | "removeWatches", watcher: WatcherType): number => {
    const [result] = replica.read({ kind, path: "/a", watcher });
    return result?.kind === "error" ? result.code : 0;
  };
  const types = ["data", "child", "persistent", "persistentRecursive", "any"] as const;
  for (const type of types) t.is(codeOf("removeWatches", type), Code.noWatcher);
  replica.read(PERSISTENT, RECURSIVE, watch("getData", "/a"), watch("getChildren", "/a"));
  for (const type of types) t.is(codeOf("checkWatches", type), 0);
  for (const type of types.slice(0, 3)) {
    t.is(codeOf("removeWatches", type), 0);
    t.is(codeOf("checkWatches", type), Code.noWatcher);
    t.is(codeOf("checkWatches", "any"), 0);
  }
  const set = replica.commit(client(session, setData("/a", null)));
  t.deepEqual(shown(eventsOf(set)), [[nodeDataChanged, "/a"]], "the recursive one is left");
  t.is(codeOf("removeWatches", "any"), 0);
  t.is(codeOf("checkWatches", "any"), Code.noWatcher);
  t.deepEqual(eventsOf(replica.commit(client(session, setData("/a", null)))), []);
});

test("watches that stay are set again with the others, and count as they do", (t) => {
  const replica = new Replica({ watchesPerConnectionMax: 2 });
  const session = replica.session();
  const again = { kind: "setWatches", relativeZxid: replica.lastZxid, ...NO_WATCHES } as const;
  replica.read({ ...again, persistent: ["/a"], persistentRecursive: ["/b"] });
  const [third] = replica.read({ kind: "addWatch", path: "/c", mode: "persistent" });
  t.like(third, { kind: "error", code: Code.badArguments });
  const effects = replica.commit(client(session, create("/a")), client(session, create("/b")));
  t.deepEqual(shown(eventsOf(effects)), [
    [nodeCreated, "/a"],
    [nodeCreated, "/b"],
  ]);
});

test("watches that stay and are set again are told what was missed, of the same event the last", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const path of ["/a", "/b", "/b/c"]) replica.do(session, create(path));
  const again = { kind: "setWatches", relativeZxid: replica.lastZxid, ...NO_WATCHES } as const;
  const operations = [
    create("/a/b"),
    setData("/a", null),
    setData("/b/c", null),
    remove("/a/b"),
    setData("/b/c", null),
    create("/beside"),
  ];
  const zxids = operations.map((each) => replica.do(session, each) && replica.lastZxid);
  const lists = { persistent: ["/a"], persistentRecursive: ["/b"] };
  const told = (): readonly WatchEvent[] =>
    eventsOf(
      replica.receive({
        kind: "read",
        from: "zookeeper/9",
        client: 1,
        answerBytesMax: Number.POSITIVE_INFINITY,
        reads: [{ ...again, ...lists }],
      }),
    );
  t.deepEqual(told(), [
    { type: nodeDataChanged, path: "/a", zxid: zxids[1] },
    { type: nodeChildrenChanged, path: "/a", zxid: zxids[3] },
    { type: nodeDataChanged, path: "/b/c", zxid: zxids[4] },
  ]);
  t.deepEqual(told(), [], "they are set already");
});

test("nothing is told of what was missed when the ring has lost some of it, nor beyond what a connection may have looked through", (t) => {
  const small = new Replica({ ringBytesMax: 2000 });
  const events = (replica: Replica, clientNumber: number): number => {
    const reads: readonly Read[] = [
      { kind: "setWatches", relativeZxid: 0 as Zxid, ...NO_WATCHES, persistentRecursive: ["/"] },
      { kind: "removeWatches", path: "/", watcher: "any" },
    ];
    const answerBytesMax = Number.POSITIVE_INFINITY;
    const read = { kind: "read", from: "zookeeper/9", client: clientNumber } as const;
    return eventsOf(replica.receive({ ...read, answerBytesMax, reads }), clientNumber).length;
  };
  const session = small.session();
  small.do(session, create("/a"));
  t.is(events(small, 1), 1);
  for (let count = 0; count < 50; count += 1) small.do(session, setData("/a", null));
  t.is(events(small, 1), 0);
  const large = new Replica();
  const other = large.session();
  large.do(other, create("/a"));
  const half = REPLAY_CHANGES_MAX / 2;
  for (let count = 0; count < half; count += 1000) {
    const writes = Array.from({ length: 1000 }, () => client(other, setData("/a", null)));
    large.commit(...writes);
  }
  const times = REPLAY_CONNECTION_CHANGES_MAX / half;
  const seen = Array.from({ length: times }, () => events(large, 1));
  t.deepEqual(seen.slice(0, times - 1), Array<number>(times - 1).fill(2));
  t.is(seen[times - 1], 0);
  t.is(events(large, 2), 2, "another connection has its own measure");
});

test("what was missed is told to whom might read the znode when it happened", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const relativeZxid = replica.lastZxid;
  const ann = { scheme: "digest", id: "ann:hash" };
  const acl = [{ permissions: 31, ...ann }];
  replica.do(session, create("/own", { acl }));
  replica.do(session, create("/open"));
  const told = (identities: readonly (typeof ann)[], number: number): readonly string[] =>
    eventsOf(
      replica.receive({
        ...{ kind: "read", from: "zookeeper/9", client: number, answerBytesMax: 1000 },
        who: { identities, address: undefined },
        reads: [{ kind: "setWatches", relativeZxid, ...NO_WATCHES, persistentRecursive: ["/"] }],
      }),
      number,
    ).map(({ path }) => path);
  t.deepEqual(told([ann], 1), ["/own", "/open"]);
  t.deepEqual(told([], 2), ["/open"]);
});

test("watches of long paths, and recursive ones, count for more in a lane's limit", (t) => {
  const replica = new Replica({ limits: { ...NO_LIMITS, watchesMax: 5 } });
  const code = (read: Read): number => {
    const [result] = replica.read(read);
    return result?.kind === "error" ? result.code : 0;
  };
  const add = (path: string, mode: "persistent" | "persistentRecursive"): Read => {
    return { kind: "addWatch", path, mode };
  };
  t.is(code(add(`/${"a".repeat(5 * 256)}`, "persistent")), Code.throttled);
  t.is(code(add(`/${"a".repeat(3 * 256)}`, "persistentRecursive")), Code.throttled);
  t.is(code(add("/a/b", "persistentRecursive")), 0);
  t.is(code(add("/c", "persistentRecursive")), Code.throttled);
  t.is(code(add("/c", "persistent")), 0);
  t.is(code(watch("exists", "/c")), Code.noNode);
  t.is(code(watch("exists", "/d")), Code.throttled);
  t.is(code({ kind: "removeWatches", path: "/a/b", watcher: "any" }), 0);
  t.is(code(add("/c", "persistentRecursive")), 0);
});
