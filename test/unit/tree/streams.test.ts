/** Change streams: what they hold, where they resume, and when they are cut off. */
import test from "ava";
import type { TreeMessage, TreeReply } from "../../../actors/tree/messages.ts";
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

type Changes = Extract<TreeReply, { kind: "changes" }>;

function open(
  replica: Replica,
  options: Partial<Extract<TreeMessage, { kind: "openStream" }>> = {},
): readonly Effect[] {
  return replica.receive({
    kind: "openStream",
    from: "zookeeper/9",
    client: 1,
    stream: 1,
    path: "/",
    recursive: true,
    after: undefined,
    ...options,
  });
}

function changesOf(effects: readonly Effect[], stream = 1): readonly Changes[] {
  return toldOf(effects).flatMap(({ message }) =>
    message.kind === "changes" && message.stream === stream ? [message] : [],
  );
}

function briefOf(effects: readonly Effect[], stream = 1): readonly string[] {
  return changesOf(effects, stream).flatMap(({ changes }) =>
    changes.map(({ zxid, index, kind, path }) => `${zxid}.${index} ${kind} ${path}`),
  );
}

test("a stream opened from now on is told where it starts, then each change", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/before"));
  t.deepEqual(changesOf(open(replica)), [
    { kind: "changes", client: 1, stream: 1, changes: [], through: replica.lastZxid },
  ]);
  const effects = replica.commit(
    client(session, create("/a", { data: bytes("1") })),
    client(session, setData("/a", null)),
    client(session, remove("/a")),
    client(session, create("/none/b")),
  );
  const last = replica.lastZxid;
  t.deepEqual(briefOf(effects), [
    `${last - 3}.0 created /a`,
    `${last - 2}.0 data /a`,
    `${last - 1}.0 deleted /a`,
  ]);
  t.like(changesOf(effects)[0], {
    through: last,
    changes: {
      0: { data: bytes("1"), stat: { czxid: last - 3, version: 0, dataLength: 1 } },
      1: { data: null, stat: { mzxid: last - 2, version: 1, dataLength: 0 } },
      2: { stat: { czxid: last - 3, version: 1 } },
    },
  });
  t.false("data" in (changesOf(effects)[0]?.changes[2] ?? {}));
});

test("a stream resumes after any zxid without a gap or a repetition", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const all: string[] = [];
  open(replica);
  for (let count = 0; count < 30; count++) {
    all.push(...briefOf(replica.commit(client(session, create(`/n${count}`)))));
  }
  for (let after = 0; after <= replica.lastZxid; after++) {
    const expected = all.filter((line) => Number.parseInt(line, 10) > after);
    t.deepEqual(briefOf(open(replica, { stream: 2, after: after as Zxid }), 2), expected);
  }
});

test("a stream that is not recursive follows its own znode only", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica, { path: "/a", recursive: false });
  open(replica, { path: "/a", recursive: true, stream: 2 });
  const effects = replica.commit(
    client(session, create("/a")),
    client(session, create("/a/b")),
    client(session, create("/ab")),
    client(session, setData("/", null)),
  );
  const first = replica.lastZxid - 3;
  t.deepEqual(briefOf(effects), [`${first}.0 created /a`]);
  t.deepEqual(briefOf(effects, 2), [`${first}.0 created /a`, `${first + 1}.0 created /a/b`]);
});

test("all changes of one zxid come together, numbered, with the stats as they were", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica);
  const effects = replica.commit(
    client(session, multi(create("/m"), setData("/m", bytes("22")), create("/m/c"))),
  );
  const zxid = replica.lastZxid;
  t.deepEqual(briefOf(effects), [
    `${zxid}.0 created /m`,
    `${zxid}.1 data /m`,
    `${zxid}.2 created /m/c`,
  ]);
  t.like(changesOf(effects)[0], {
    changes: {
      0: { data: bytes("x"), stat: { version: 0, numChildren: 0 } },
      1: { data: bytes("22"), stat: { version: 1, numChildren: 0 } },
    },
  });
});

test("a long answer is told in parts that end between zxids", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const names = Array.from({ length: 700 }, (_, index) => create(`/n${index}`));
  for (let round = 0; round < 3; round++) {
    replica.do(session, multi(...names));
    replica.do(session, multi(...names.map(({ path }) => remove(path))));
  }
  const parts = changesOf(open(replica, { after: 0 as Zxid }));
  t.deepEqual(
    parts.map(({ changes }) => changes.length),
    [1400, 1400, 1400],
  );
  t.deepEqual(
    parts.map(({ through }) => through),
    parts.map(({ changes }) => changes.at(-1)?.zxid) as Zxid[],
  );
});

test("a stream without changes of its own gets a progress mark every 1024 operations", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica, { path: "/quiet" });
  const half = Array.from({ length: 512 }, () => client(session, setData("/", null)));
  t.deepEqual(changesOf(replica.commit(...half)), []);
  t.deepEqual(changesOf(replica.commit(...half)), [
    { kind: "changes", client: 1, stream: 1, changes: [], through: replica.lastZxid },
  ]);
});

test("a stream that asks for more than the ring holds is compacted, and from `oldest` on it goes", (t) => {
  const replica = new Replica({ ringBytesMax: 6000 });
  const session = replica.session();
  for (let count = 0; count < 200; count++) replica.do(session, setData("/", null));
  const [told] = toldOf(open(replica, { after: session as number as Zxid }));
  if (told?.message.kind !== "compacted") throw new Error("not compacted");
  const { oldest } = told.message;
  t.true(oldest < replica.lastZxid);
  t.deepEqual(changesOf(replica.commit(client(session, setData("/", null)))), []);
  const held = briefOf(open(replica, { after: oldest }));
  t.is(held.length, replica.lastZxid - oldest);
  t.is(held[0], `${oldest + 1}.0 data /`);
  t.is(toldOf(open(replica, { after: (oldest - 1) as Zxid }))[0]?.message.kind, "compacted");
});

test("a stream that one message outruns is told so and closed", (t) => {
  const replica = new Replica({ ringBytesMax: 1000 });
  const session = replica.session();
  open(replica);
  const many = Array.from({ length: 100 }, () => client(session, setData("/", null)));
  const told = toldOf(replica.commit(...many)).filter(({ to }) => to === "zookeeper/9");
  t.deepEqual(
    told.map(({ message }) => message.kind),
    ["compacted"],
  );
  t.deepEqual(changesOf(replica.commit(client(session, setData("/", null)))), []);
});

test("a client from a node that is ahead is told nothing it has seen", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const ahead = (replica.lastZxid + 2) as Zxid;
  t.deepEqual(changesOf(open(replica, { after: ahead })), [
    { kind: "changes", client: 1, stream: 1, changes: [], through: ahead },
  ]);
  const effects = [create("/a"), create("/b"), create("/c")].flatMap((operation) =>
    replica.commit(client(session, operation)),
  );
  t.deepEqual(briefOf(effects), [`${ahead + 1}.0 created /c`]);
});

test("a closed stream and one of a forgotten client are told nothing more", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica);
  open(replica, { client: 2 });
  open(replica, { client: 3, recursive: false });
  replica.receive({ kind: "closeStream", from: "zookeeper/9", client: 1, stream: 1 });
  replica.receive({ kind: "forget", from: "zookeeper/9", client: 2 });
  const told = toldOf(replica.commit(client(session, setData("/", null))));
  t.deepEqual(
    told.flatMap(({ message }) => (message.kind === "changes" ? [message.client] : [])),
    [3],
  );
});

test("streams that follow the same znodes share one list of changes, whenever they were opened", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica);
  replica.do(session, create("/a"));
  open(replica, { client: 2, after: session as number as Zxid });
  open(replica, { client: 3, stream: 4 });
  open(replica, { client: 3, recursive: false });
  const [first, ...others] = toldOf(replica.commit(client(session, setData("/a", null)))).flatMap(
    ({ message }) => (message.kind === "changes" ? [message] : []),
  );
  t.is(first?.changes.length, 1);
  t.deepEqual(
    others.map((other) => [other.client, other.stream, other.changes === first?.changes]),
    [
      [2, 1, true],
      [3, 4, true],
    ],
  );
});

test("a stream that is ahead gets what is new to it, and shares with the others once the replica is there too", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica);
  const ahead = (replica.lastZxid + 2) as Zxid;
  open(replica, { client: 2, after: ahead });
  open(replica, { client: 3, after: ahead });
  const listsOf = (effects: readonly Effect[]): readonly (readonly string[])[] =>
    changesOf(effects).map(({ client: of, changes }) => [
      String(of),
      ...changes.map(({ path }) => path),
    ]);
  const [a, b, c, d] = ["/a", "/b", "/c", "/d"].map((path) => client(session, create(path)));
  if (a === undefined || b === undefined || c === undefined || d === undefined) return t.fail();
  t.deepEqual(listsOf(replica.commit(a)), [["1", "/a"]]);
  t.deepEqual(listsOf(replica.commit(b, c)), [
    ["1", "/b", "/c"],
    ["2", "/c"],
    ["3", "/c"],
  ]);
  const last = changesOf(replica.commit(d));
  t.deepEqual(
    last.map(({ client: of, changes }) => [of, changes === last[0]?.changes]),
    [
      [1, true],
      [2, true],
      [3, true],
    ],
  );
  replica.receive({ kind: "forget", from: "zookeeper/9", client: 1 });
  replica.receive({ kind: "forget", from: "zookeeper/9", client: 2 });
  t.deepEqual(listsOf(replica.commit(client(session, create("/e")))), [["3", "/e"]]);
});

test("a stream of children follows the znode and those right below it", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const from = replica.lastZxid;
  open(replica, { path: "/a", recursive: "children" });
  open(replica, { path: "/", recursive: "children", stream: 2 });
  const effects = replica.commit(
    client(session, create("/a/b")),
    client(session, create("/a/b/c")),
    client(session, setData("/a/b", bytes("2"))),
    client(session, setData("/a", null)),
    client(session, setData("/", null)),
    client(session, create("/ab")),
    client(session, remove("/a/b/c")),
    client(session, remove("/a/b")),
  );
  const lines = briefOf(effects).map((line) => line.slice(line.indexOf(" ") + 1));
  t.deepEqual(lines, ["created /a/b", "data /a/b", "data /a", "deleted /a/b"]);
  t.deepEqual(
    briefOf(effects, 2).map((line) => line.slice(line.indexOf(" ") + 1)),
    ["data /a", "data /", "created /ab"],
  );
  const later = open(replica, { path: "/a", recursive: "children", stream: 3, after: from });
  t.deepEqual(briefOf(later, 3), briefOf(effects));
});

test("of a child that a reader may not read the stream of children tells the name, while it may list them", (t) => {
  const acl = [{ permissions: 31, scheme: "digest", id: "ann:x" }];
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const from = replica.lastZxid;
  open(replica, { path: "/a", recursive: "children" });
  open(replica, { path: "/a", recursive: true, stream: 2 });
  const effects = replica.commit(client(session, create("/a/shut", { acl })));
  t.deepEqual(
    changesOf(effects).flatMap(({ changes }) => changes.map((each) => [each.path, "data" in each])),
    [["/a/shut", false]],
  );
  t.deepEqual(briefOf(effects, 2), []);
  replica.do(session, { kind: "setAcl", path: "/a", acl, version: -1 });
  const later = open(replica, { path: "/a", recursive: "children", stream: 3, after: from });
  t.deepEqual(briefOf(later, 3), []);
});

test("streams without changes are told how far they have come when their owner asks", (t) => {
  const replica = new Replica();
  const session = replica.session();
  open(replica, { path: "/a" });
  open(replica, { path: "/b", stream: 2, from: "zookeeper/8" });
  const effects = replica.commit(client(session, create("/c")));
  t.deepEqual(changesOf(effects), []);
  const report = { kind: "reportProgress", from: "zookeeper/9" } as const;
  const told = replica.receive(report);
  t.like(changesOf(told), [{ changes: [], through: replica.lastZxid }]);
  t.deepEqual(changesOf(told, 2), []);
  t.deepEqual(changesOf(replica.receive(report)), [], "it knows already");
});
