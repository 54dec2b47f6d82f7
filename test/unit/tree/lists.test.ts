/** What the tree lists for four-letter words: watches and ephemerals, up to a limit. */
import test from "ava";
import type { Part } from "../../../actors/admin/messages.ts";
import type { FoundWatches, WatchList } from "../../../actors/tree/messages.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { SESSION_EPHEMERALS_PAGE } from "../../../protocol/limits.ts";
import type { Read } from "../../../protocol/reads.ts";
import { client, create, Replica } from "../../support/replica.ts";

const MANY_BYTES = 100_000;

function watch(kind: "exists" | "getChildren", path: string): Read {
  return { kind, path, watch: true };
}

function watches(
  replica: Replica,
  word: WatchList["word"],
  bytesMax = MANY_BYTES,
): Omit<WatchList, "kind" | "question" | "bytesMax" | "word"> {
  const message = {
    kind: "listWatches",
    from: "zookeeper/9",
    question: 4,
    word,
    bytesMax,
  } as const;
  const [effect] = replica.receive(message);
  if (effect?.kind !== "tell" || effect.to !== "zookeeper/9") throw new Error("not answered");
  const { kind, question, bytesMax: max, word: asked, ...list } = effect.message as WatchList;
  if (kind !== "watchList" || question !== 4 || asked !== word || max !== bytesMax) {
    throw new Error("not the answer to the question");
  }
  return list;
}

function watched(): Replica {
  const replica = new Replica();
  replica.readAs("zookeeper/9", 1, watch("exists", "/a"), watch("exists", "/b"));
  replica.readAs("zookeeper/9", 2, watch("getChildren", "/"));
  replica.readAs("zookeeper/9", 3, watch("exists", "/a"), watch("getChildren", "/"));
  return replica;
}

const COUNTS = { connections: 2, paths: 2, watches: 3 };

test("wchs counts connections, paths and watches on data, not on children", (t) => {
  t.deepEqual(watches(watched(), "wchs"), { counts: COUNTS, pairs: [], omitted: 0 });
});

test("watches of all kinds are counted by connection, and connections without any are left out", (t) => {
  const asked = { from: "zookeeper/9", question: 4, bytesMax: 5 } as const;
  const replica = watched();
  replica.readAs("zookeeper/9", 4);
  const [effect] = replica.receive({ kind: "countClientWatches", ...asked });
  if (effect?.kind !== "tell") throw new Error("not answered");
  t.is(effect.to, "zookeeper/9");
  const byClient = [
    [1, 2],
    [2, 1],
    [3, 2],
  ];
  t.deepEqual(effect.message as object, {
    ...{ kind: "clientWatches", question: 4, bytesMax: 5, byClient },
  });
});

test("watches are listed by connection or by path", (t) => {
  t.deepEqual(watches(watched(), "wchc"), {
    counts: COUNTS,
    pairs: [
      { client: 1, path: "/a" },
      { client: 1, path: "/b" },
      { client: 3, path: "/a" },
    ],
    omitted: 0,
  });
  t.deepEqual(watches(watched(), "wchp").pairs, [
    { client: 1, path: "/a" },
    { client: 3, path: "/a" },
    { client: 1, path: "/b" },
  ]);
});

test("a list of watches ends at its limit and counts the rest, without looking at all of them", (t) => {
  const replica = new Replica();
  const paths = Array.from({ length: 1000 }, (_, index) => watch("exists", `/w${index}`));
  replica.readAs("zookeeper/9", 1, ...paths);
  for (const word of ["wchc", "wchp"] as const) {
    const { pairs, omitted } = watches(replica, word, 500);
    t.true(pairs.length > 5 && pairs.length < 50);
    t.is(pairs.length + omitted, 1000);
  }
});

test("a tree without watches lists none", (t) => {
  const counts = { connections: 0, paths: 0, watches: 0 };
  t.deepEqual(watches(new Replica(), "wchp"), { counts, pairs: [], omitted: 0 });
});

function ephemerals(replica: Replica, bytesMax = MANY_BYTES): Part {
  const [effect] = replica.receive({ kind: "listEphemerals", question: 4, bytesMax });
  if (effect?.kind !== "tell" || effect.to !== "admin") throw new Error("not answered");
  return effect.message as Part;
}

test("ephemerals are listed by session, and sessions without any are not", (t) => {
  const replica = new Replica();
  const [first, , third] = [replica.session(), replica.session(), replica.session()];
  replica.commit(client(first, create("/e1", { ephemeral: true })));
  replica.commit(client(third, create("/e2", { ephemeral: true })));
  replica.commit(client(first, create("/e3", { ephemeral: true })));
  t.deepEqual(ephemerals(replica), {
    kind: "part",
    question: 4,
    from: "tree/0",
    groups: [
      { name: `0x${first.toString(16)}`, entries: ["/e1", "/e3"] },
      { name: `0x${third.toString(16)}`, entries: ["/e2"] },
    ],
    omitted: 0,
  });
});

test("a list of ephemerals ends at its limit and counts the rest", (t) => {
  const replica = new Replica();
  for (const session of [replica.session(), replica.session()]) {
    for (let number = 0; number < 50; number += 1) {
      replica.commit(client(session, create(`/e${session}-${number}`, { ephemeral: true })));
    }
  }
  const { groups, omitted } = ephemerals(replica, 300);
  const listed = groups.flatMap(({ entries }) => entries).length;
  t.true(listed > 5 && listed < 50);
  t.is(listed + omitted, 100);
});

test("watches that stay are listed with those on data, each path of a connection once", (t) => {
  const replica = watched();
  const add = (path: string, mode: "persistent" | "persistentRecursive"): Read => {
    return { kind: "addWatch", path, mode };
  };
  replica.readAs("zookeeper/9", 1, add("/a", "persistent"), add("/a", "persistentRecursive"));
  replica.readAs("zookeeper/9", 4, add("/c", "persistentRecursive"), add("/c", "persistent"));
  const counts = { connections: 3, paths: 3, watches: 4 };
  const all = [
    { client: 1, path: "/a" },
    { client: 1, path: "/b" },
    { client: 3, path: "/a" },
    { client: 4, path: "/c" },
  ];
  t.deepEqual(watches(replica, "wchc"), { counts, pairs: all, omitted: 0 });
  const { pairs, ...rest } = watches(replica, "wchp");
  t.deepEqual(rest, { counts, omitted: 0 });
  const sorted = [...pairs].sort((a, b) => a.client - b.client || (a.path < b.path ? -1 : 1));
  t.deepEqual(sorted, all);
});

function found(
  replica: Replica,
  of: { readonly path: string } | { readonly client: number },
  bytesMax = MANY_BYTES,
): Pick<FoundWatches, "found" | "omitted"> {
  const asked = { from: "zookeeper/9", question: 4, of, bytesMax } as const;
  const [effect] = replica.receive({ kind: "findWatches", ...asked });
  if (effect?.kind !== "tell" || effect.to !== "zookeeper/9") throw new Error("not answered");
  const { found: all, omitted, ...rest } = effect.message as FoundWatches;
  if (rest.kind !== "foundWatches" || rest.question !== 4) throw new Error("not the answer");
  return { found: all, omitted };
}

test("the watches that hear of a znode are found, those of a subtree above it too, and not those of another gateway", (t) => {
  const replica = watched();
  const add = (path: string, mode: "persistent" | "persistentRecursive"): Read => {
    return { kind: "addWatch", path, mode };
  };
  replica.readAs("zookeeper/9", 4, add("/", "persistentRecursive"), add("/a", "persistent"));
  replica.readAs("zookeeper/8", 1, watch("exists", "/a"));
  t.deepEqual(found(replica, { path: "/a" }).found, [
    { client: 1, path: "/a", watches: "data" },
    { client: 3, path: "/a", watches: "data" },
    { client: 4, path: "/a", watches: "persistent" },
    { client: 4, path: "/", watches: "recursive" },
  ]);
  t.deepEqual(found(replica, { path: "/a/b" }).found, [
    { client: 4, path: "/", watches: "recursive" },
  ]);
  t.deepEqual(
    found(replica, { path: "/" }).found.map(({ watches: kind }) => kind),
    ["children", "children", "recursive"],
  );
});

test("the watches of a connection are found up to a limit, and the rest is counted", (t) => {
  const replica = watched();
  t.deepEqual(found(replica, { client: 3 }), {
    found: [
      { client: 3, path: "/a", watches: "data" },
      { client: 3, path: "/", watches: "children" },
    ],
    omitted: 0,
  });
  t.like(found(replica, { client: 3 }, 85), { omitted: 1 });
  t.deepEqual(found(replica, { client: 77 }), { found: [], omitted: 0 });
});

test("the ephemerals of a session come by pages, and one that is lost has no group", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const many = SESSION_EPHEMERALS_PAGE + 5;
  for (let number = 0; number < many; number += 1) {
    replica.commit(client(session, create(`/e${number}`, { ephemeral: true })));
  }
  const page = (of: SessionId, after: string | undefined): Part => {
    const message = { kind: "listSessionEphemerals", question: 4, session: of, after } as const;
    const [effect] = replica.receive(message);
    if (effect?.kind !== "tell" || effect.to !== "admin") throw new Error("not answered");
    return effect.message as Part;
  };
  const first = page(session, undefined);
  t.is(first.omitted, 5);
  t.is(first.groups[0]?.entries.length, SESSION_EPHEMERALS_PAGE);
  const last = first.groups[0]?.entries.at(-1);
  t.deepEqual(page(session, last).groups[0]?.entries, [
    "/e200",
    "/e201",
    "/e202",
    "/e203",
    "/e204",
  ]);
  t.deepEqual(page(session, "/e999").groups, []);
  const other = replica.session();
  t.deepEqual(page(other, undefined).groups, [{ name: "", entries: [] }]);
  t.deepEqual(page(other, last).groups, []);
});
