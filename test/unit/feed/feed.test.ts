/** The change feed: what it publishes, and how a subscriber sees that something is missing. */
import test from "ava";
import fc from "fast-check";
import { createChain, nextInChain } from "../../../actors/feed/chain.ts";
import { feedActor, type FeedOptions, type FeedState } from "../../../actors/feed/feed.ts";
import type { FeedMessage, FeedTimer } from "../../../actors/feed/messages.ts";
import type { TreeMessage } from "../../../actors/tree/messages.ts";
import type { Acl } from "../../../protocol/acl.ts";
import {
  FEED_BEGIN,
  FEED_INDEX_MAX,
  feedMessage,
  type FeedPosition,
  feedPosition,
  feedSubject,
} from "../../../protocol/feed.ts";
import type { Identity } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import {
  FEED_DATA_BYTES_MAX,
  FEED_LEVELS_MAX,
  FEED_MARKED_MAX,
  FEED_SUBJECT_BYTES_MAX,
} from "../../../protocol/limits.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Change } from "../../../protocol/reads.ts";
import { NO_LEADERSHIP } from "../../../protocol/replication.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect, LocalEffect, OfferEffect } from "../../../runtime/effects.ts";
import { DrivenActor } from "../../../runtime/testing/driven.ts";
import type { Offered } from "../../../runtime/transport.ts";
import { bytes, client, create, remove, Replica, setData, toldOf } from "../../support/replica.ts";

const PREFIX = "zooid.zooid.changes.";
const LEADING = { ...NO_LEADERSHIP, role: "leading" } as const;
const FOLLOWING = { ...NO_LEADERSHIP, role: "following" } as const;

const subject = (path: string): string => feedSubject("zooid", path).slice(PREFIX.length);

test("a name is a token of a subject: what NATS or programs could misread is escaped", (t) => {
  t.is(subject("/"), "%");
  t.is(subject("/config/db-1_a~"), "config.db-1_a~");
  t.is(subject("/a b/c.d/*/>"), "a%20b.c%2Ed.%2A.%3E");
  t.is(subject("/%/é/日/😀"), "%25.%C3%A9.%E6%97%A5.%F0%9F%98%80");
});

test("different paths have different subjects, and a subject tells the path", (t) => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
  const names = fc.array(
    name.filter((each) => !each.includes("/") && each.isWellFormed()),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(names, (all) => {
      const tokens = subject(`/${all.join("/")}`).split(".");
      t.deepEqual(tokens.map(decodeURIComponent), all);
      for (const token of tokens) t.regex(token, /^[\w~%-]+$/);
    }),
  );
});

test("a subject that would be too long names as many of the first names as fit", (t) => {
  const long = "x".repeat(400);
  t.is(subject(`/a/${long}/${long}/${long}/b`), `a.${long}.${long}.%+`);
  t.is(subject(`/${"é".repeat(400)}`), "%+");
  const path = `/${"y".repeat(FEED_SUBJECT_BYTES_MAX - PREFIX.length)}`;
  t.is(feedSubject("zooid", path).length, FEED_SUBJECT_BYTES_MAX);
  for (const more of [path, `${path}z`, `/a${path}`]) {
    t.true(feedSubject("zooid", more).length <= FEED_SUBJECT_BYTES_MAX);
  }
});

const STAT = {
  ...{ czxid: 1 as Zxid, mzxid: 7 as Zxid, pzxid: 1 as Zxid, ctime: 1, mtime: 5 },
  ...{ version: 3, cversion: 0, aversion: 0, ephemeralOwner: 9 as SessionId },
  ...{ dataLength: 1, numChildren: 0 },
};

function told(data: Uint8Array | null, kind: Change["kind"] = "data"): Record<string, unknown> {
  const at = feedPosition(7 as Zxid, 1);
  const change = { zxid: 7 as Zxid, index: 1, kind, path: '/a"b', stat: STAT, data };
  const quotedPath = JSON.stringify(change.path);
  const message = feedMessage({ at, prev: [FEED_BEGIN, FEED_BEGIN], quotedPath, change });
  return JSON.parse(message) as Record<string, unknown>;
}

test("a message is JSON: its place, what came before, what changed and the data", (t) => {
  t.deepEqual(told(bytes('{"x": "é"}')), {
    v: 1,
    at: "0000000000000007-00000001",
    prev: ["0000000000000000-00000000", "0000000000000000-00000000"],
    zxid: 7,
    kind: "data",
    path: '/a"b',
    version: 3,
    mtime: 5,
    ephemeralOwner: 9,
    text: '{"x": "é"}',
  });
});

test("data that is no text is base64, and data that is too long is left out", (t) => {
  t.is(told(new Uint8Array([0xff, 0]))["base64"], "/wA=");
  t.is(told(new Uint8Array(100))["base64"], Buffer.alloc(100).toString("base64"));
  t.is(told(null)["text"], null);
  t.is(told(new Uint8Array(0))["text"], "");
  t.is(told(bytes("\uFEFFa"))["text"], "\uFEFFa");
  const long = told(new Uint8Array(FEED_DATA_BYTES_MAX + 1));
  t.is(long["omitted"], FEED_DATA_BYTES_MAX + 1);
  for (const message of [long, told(null, "deleted"), told(null, "acl")]) {
    t.false("text" in message || "base64" in message);
  }
});

const at = (zxid: number): FeedPosition => feedPosition(zxid as Zxid, 0);

function chainOf(bytesMax: number): (path: string, zxid: number) => readonly FeedPosition[] {
  const chain = createChain("zooid", { floor: at(1), bytesMax });
  return (path, zxid) => nextInChain(chain, path, at(zxid)).prev;
}

test("what came before is said for each level of the path", (t) => {
  const next = chainOf(10_000);
  t.deepEqual(next("/a/b", 2), [at(1), at(1), at(1)]);
  t.deepEqual(next("/a/c", 3), [at(2), at(2), at(1)]);
  t.deepEqual(next("/d", 4), [at(3), at(1)]);
  t.deepEqual(next("/", 5), [at(4)]);
  t.deepEqual(next("/a/b", 6), [at(5), at(3), at(2)]);
  t.deepEqual(next("/a", 7), [at(6), at(6)]);
  t.deepEqual(next("/a/b/c", 8), [at(7), at(7), at(6), at(1)]);
});

test("of the names behind the sixteenth nothing is said", (t) => {
  const next = chainOf(1_000_000);
  const deep = "/n".repeat(FEED_LEVELS_MAX);
  next(`${deep}/a/b`, 2);
  const prev = next(`${deep}/c`, 3);
  t.is(prev.length, FEED_LEVELS_MAX + 1);
  t.true(prev.every((place) => place === at(2)));
});

test("of a path that was forgotten it is said that it may have changed, and never that it has not", (t) => {
  const bytesMax = 6000;
  const chain = createChain("zooid", { floor: at(1), bytesMax });
  nextInChain(chain, "/quiet", at(2));
  nextInChain(chain, "/steady", at(3));
  for (let zxid = 4; zxid < 200; zxid += 2) {
    nextInChain(chain, `/busy/${zxid}`, at(zxid));
    nextInChain(chain, "/steady", at(zxid + 1));
    t.true(chain.recentBytes <= bytesMax / 2);
    t.true(chain.recent.size + chain.older.size < bytesMax / 100);
  }
  const [all, quiet = ""] = nextInChain(chain, "/quiet", at(200)).prev;
  t.is(all, at(199));
  t.true(quiet > at(2));
  t.is(nextInChain(chain, "/steady", at(201)).prev[1], at(199));
});

test("whatever changes and is forgotten, nothing has changed after what is said to be before", (t) => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const paths = fc.array(
    fc.array(name, { maxLength: 4 }).map((names) => `/${names.join("/")}`),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(paths, fc.integer({ min: 100, max: 5000 }), (all, bytesMax) => {
      const next = chainOf(bytesMax);
      for (const [index, path] of all.entries()) {
        const levels =
          path === "/" ? [""] : path.split("/").map((_, end, of) => of.slice(0, end + 1).join("/"));
        const prev = next(path, index + 2);
        t.is(prev.length, levels.length);
        for (const [level, above] of levels.entries()) {
          const isBelow = (other: string): boolean =>
            `${other}/`.startsWith(`${above}/`) || above === "";
          const last = all.slice(0, index).findLastIndex(isBelow);
          t.true((prev[level] ?? "") >= at(last < 0 ? 1 : last + 2));
          t.true((prev[level] ?? "") < at(index + 2));
        }
      }
    }),
  );
});

type FeedEffect = LocalEffect<FeedTimer> | OfferEffect;

/** A tree and a feed that hear each other. */
class Feed {
  readonly replica: Replica;
  readonly actor: DrivenActor<FeedState, FeedMessage, FeedEffect>;
  readonly session: SessionId;
  readonly published: Offered[] = [];

  constructor(options: Partial<FeedOptions> = {}, replica = new Replica()) {
    this.replica = replica;
    this.actor = new DrivenActor(feedActor({ ensemble: "zooid", isOn: true, ...options }));
    this.session = replica.session();
  }

  hear(message: FeedMessage): void {
    this.follow(this.actor.receive(message));
  }

  follow(effects: readonly FeedEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "offer") this.published.push(...effect.messages);
      else if (effect.kind === "tell")
        this.#pass(this.replica.receive(effect.message as TreeMessage));
    }
  }

  commit(operation: ClientOperation, identities: readonly Identity[] = []): void {
    this.#pass(this.replica.commit({ ...client(this.session, operation), identities }));
  }

  #pass(effects: readonly Effect[]): void {
    for (const { to, message } of toldOf(effects)) {
      if (to === "feed/1") this.hear(message as FeedMessage);
    }
  }

  get messages(): readonly {
    readonly at: string;
    readonly prev: readonly string[];
    path: string;
  }[] {
    return this.published.map(({ text }) => JSON.parse(text));
  }

  get paths(): readonly string[] {
    return this.messages.map(({ path }) => path);
  }
}

test("only a leader publishes, each change once, in order", (t) => {
  const feed = new Feed();
  feed.commit(create("/a"));
  feed.hear(FOLLOWING);
  feed.commit(create("/b"));
  t.deepEqual(feed.paths, []);
  feed.hear(LEADING);
  feed.commit(create("/c"));
  feed.commit(remove("/c"));
  // What is before /b is where the chain begins.
  t.deepEqual(feed.paths, ["/b", "/c", "/c"]);
  for (const [index, { at: place, prev }] of feed.messages.entries()) {
    const before = feed.messages[index - 1];
    if (before !== undefined) t.deepEqual([prev[0], place > before.at], [before.at, true]);
  }
  feed.hear(FOLLOWING);
  feed.commit(create("/d"));
  t.is(feed.paths.length, 3);
});

test("who has heard the old leader up to a change that the new one repeats misses nothing", (t) => {
  const feed = new Feed({ repeatedMax: 3 });
  for (const name of ["a", "b", "c", "d", "e"]) feed.commit(create(`/${name}`));
  feed.hear(LEADING);
  t.deepEqual(feed.paths, ["/d", "/e"]);
  const [first] = feed.messages;
  t.is(first?.prev[0], feedPosition((feed.replica.lastZxid - 2) as Zxid, 0));
});

test("a mark says up to where nothing is missing, to who follows everything and to who follows a first name", (t) => {
  const feed = new Feed();
  const mark = (): readonly unknown[] => {
    feed.hear({ kind: "timer", timer: "mark" });
    return feed.published.splice(0).map(({ subject: to, text }) => [to, JSON.parse(text)]);
  };
  t.deepEqual(mark(), []);
  feed.hear(LEADING);
  feed.commit(create("/a"));
  feed.commit(create("/a/b"));
  feed.commit(create("/c"));
  const [, below, all] = feed.messages.map((each) => each.at);
  feed.published.length = 0;
  const zxid = feed.replica.lastZxid;
  const marked = { v: 1, at: feedPosition(zxid, FEED_INDEX_MAX), zxid, kind: "mark" };
  const marks = [
    [`${PREFIX}%mark`, { ...marked, prev: [all], path: "/" }],
    [`${PREFIX}a.%mark`, { ...marked, prev: [all, below], path: "/a" }],
    [`${PREFIX}c.%mark`, { ...marked, prev: [all, all], path: "/c" }],
  ];
  t.deepEqual(mark(), marks);
  // The next change goes on from what the mark has said.
  feed.commit(setData("/a", bytes("1")));
  t.true((feed.messages[0]?.at ?? "") > marked.at);
  t.deepEqual(feed.messages[0]?.prev, [all, below]);
  feed.hear(FOLLOWING);
  feed.published.length = 0;
  t.deepEqual(mark(), []);
});

test("a first name has marks however much else has changed since, and so many names have at most", (t) => {
  const feed = new Feed({ knownBytesMax: 2000 });
  feed.hear(LEADING);
  const marked = (): readonly string[] => {
    feed.published.length = 0;
    feed.hear({ kind: "timer", timer: "mark" });
    return feed.paths;
  };
  feed.commit(create("/quiet"));
  feed.commit(create("/busy"));
  for (let number = 0; number < 100; number += 1) feed.commit(create(`/busy/${number}`));
  t.deepEqual(marked().toSorted(), ["/", "/busy", "/quiet"]);
  const quiet = feed.messages.find(({ path }) => path === "/quiet")?.prev[1] ?? "";
  feed.commit(setData("/quiet", bytes("1")));
  const before = feed.messages.at(-1)?.prev[1] ?? "";
  t.true(before >= quiet && quiet > FEED_BEGIN);
  for (let number = 0; number < FEED_MARKED_MAX; number += 1) feed.commit(create(`/n${number}`));
  t.is(marked().length, 1 + FEED_MARKED_MAX);
  t.false(feed.paths.includes("/quiet"));
});

test("where the feed is switched off the tree is asked for nothing", (t) => {
  const feed = new Feed({ isOn: false });
  t.deepEqual(feed.actor.receive(LEADING), []);
  feed.commit(create("/a"));
  t.deepEqual(feed.paths, []);
});

test("after a failure the feed goes on, and says from where", (t) => {
  const feed = new Feed();
  feed.hear(LEADING);
  feed.commit(create("/a"));
  feed.follow(feed.actor.recover(LEADING, new Error("planted")));
  feed.commit(create("/b"));
  t.is(feed.paths.at(-1), "/b");
  t.deepEqual(feed.messages.at(-1)?.prev[0], feed.messages.at(0)?.at);
});

test("where there is nothing to repeat, the chain begins after all changes of the tree's zxid", (t) => {
  const feed = new Feed();
  const { lastZxid } = feed.replica;
  feed.hear(LEADING);
  feed.commit(create("/a"));
  t.deepEqual(feed.messages[0]?.prev, Array(2).fill(feedPosition(lastZxid, FEED_INDEX_MAX)));
});

test("what comes late of a stream that was closed is not published", (t) => {
  const feed = new Feed();
  feed.hear(LEADING);
  const { stream } = feed.actor.state;
  feed.hear(FOLLOWING);
  const change = { zxid: 9 as Zxid, index: 0, kind: "acl", path: "/late", stat: STAT } as const;
  const late = {
    kind: "changes",
    client: 0,
    stream,
    changes: [change],
    through: change.zxid,
  } as const;
  feed.hear(late);
  feed.hear(LEADING);
  feed.hear(late);
  t.deepEqual(feed.paths, []);
});

const ANN: Identity = { scheme: "digest", id: "ann:hash" };
const CLOSED: readonly Acl[] = [{ permissions: 31, ...ANN }];
const SECRET = "canary";

test("no message has the path or the data of a znode that not everybody may read, nor its subject", (t) => {
  const feed = new Feed();
  const asAnn = (operation: ClientOperation): void => feed.commit(operation, [ANN]);
  asAnn(create(`/${SECRET}-before`, { acl: CLOSED, data: bytes(SECRET) }));
  feed.commit(create("/open"));
  feed.hear(LEADING);
  asAnn(create("/closed", { acl: CLOSED, data: bytes(SECRET) }));
  asAnn(setData("/closed", bytes(SECRET)));
  asAnn(create(`/closed/${SECRET}`, { acl: CLOSED, data: bytes(SECRET) }));
  asAnn({ kind: "setAcl", path: `/closed/${SECRET}`, acl: CLOSED, version: -1 });
  asAnn(remove(`/closed/${SECRET}`));
  const multi = [create(`/${SECRET}`, { acl: CLOSED }), create("/open/2"), setData("/open", null)];
  asAnn({ kind: "multi", operations: multi });
  // Everybody could read it when it was made, and cannot when it is told.
  const then = [
    create("/later", { data: bytes(SECRET) }),
    remove("/later"),
    create("/later", { acl: CLOSED }),
  ];
  asAnn({ kind: "multi", operations: then });
  feed.commit(create("/open/3"));
  const text = feed.published.map((each) => `${each.subject} ${each.text}`).join("\n");
  t.false(text.includes(SECRET), text);
  t.deepEqual(feed.paths.slice(-3), ["/open/2", "/open", "/open/3"]);
});
