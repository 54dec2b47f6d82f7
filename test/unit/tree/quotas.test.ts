/** Quotas: limits and counts in the tree. Expected values were asked of ZooKeeper 3.8. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult, ZnodeOperation } from "../../../protocol/operations.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { QuotaNumbers } from "../../../protocol/quota.ts";
import type { Effect } from "../../../runtime/effects.ts";
import {
  bytes,
  check,
  client,
  create,
  multi,
  remove,
  Replica,
  setData,
} from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

function limitsOf(path: string): string {
  return `/zookeeper/quota${path}/zookeeper_limits`;
}

function statsOf(path: string): string {
  return `/zookeeper/quota${path}/zookeeper_stats`;
}

/** As `setquota` of ZooKeeper's command line makes it. */
function setQuota(replica: Replica, session: SessionId, path: string, limits: string): void {
  let at = "/zookeeper/quota";
  for (const name of path.split("/").slice(1)) {
    at += `/${name}`;
    replica.do(session, create(at, { data: null }));
  }
  replica.do(session, create(limitsOf(path), { data: bytes(limits) }));
  replica.do(session, create(statsOf(path), { data: bytes("count=0,bytes=0") }));
}

function textAt(replica: Replica, path: string): string | undefined {
  const result = replica.data(path);
  if (result.kind !== "data" || result.data === null) return undefined;
  return new TextDecoder().decode(result.data);
}

function codeOf(result: OperationResult): Code {
  return result.kind === "error" ? result.code : Code.ok;
}

function prepared(limits: string, enforced = true): { replica: Replica; session: SessionId } {
  const replica = new Replica();
  replica.quotasEnforced = enforced;
  const session = replica.session();
  replica.do(session, create("/a", { data: bytes("123") }));
  replica.do(session, create("/a/b", { data: bytes("45") }));
  setQuota(replica, session, "/a", limits);
  return { replica, session };
}

test("the counts of a quota are what is there when they are made, and are kept up", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1");
  const stats = (): string | undefined => textAt(replica, statsOf("/a"));
  t.is(stats(), "count=2,bytes=5");
  replica.do(session, create("/a/b/c", { data: bytes("1") }));
  t.is(stats(), "count=3,bytes=6");
  replica.do(session, setData("/a/b", null));
  t.is(stats(), "count=3,bytes=4");
  replica.do(session, setData("/a", bytes("12345")));
  t.is(stats(), "count=3,bytes=6");
  replica.do(session, remove("/a/b/c"));
  t.is(stats(), "count=2,bytes=5");
  replica.do(session, create("/ab", { data: bytes("123") }));
  t.is(stats(), "count=2,bytes=5");
});

test("what a session leaves behind is taken off a quota when it ends", (t) => {
  const { replica } = prepared("count=-1,bytes=-1");
  const other = replica.session();
  replica.do(other, create("/a/e", { data: bytes("ephemeral"), ephemeral: true }));
  t.is(textAt(replica, statsOf("/a")), "count=3,bytes=14");
  replica.do(other, { kind: "closeSession" });
  t.is(textAt(replica, statsOf("/a")), "count=2,bytes=5");
});

test("counts change without a trace in their znode's stat, and no watch fires", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1");
  const before = replica.data(statsOf("/a"));
  replica.readAs("zookeeper/0", 1, { kind: "getData", path: statsOf("/a"), watch: true });
  const effects = replica.commit(client(session, create("/a/c", { data: null })));
  t.false(effects.some((effect) => effect.kind === "tell" && effect.to === "zookeeper/0"));
  t.is(before.kind, "data");
  if (before.kind === "data") t.like(replica.data(statsOf("/a")), { stat: before.stat });
  t.is(textAt(replica, statsOf("/a")), "count=3,bytes=5");
});

test("a hard limit refuses what goes beyond it, before the version is looked at", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1=;byteHardLimit=8;countHardLimit=3");
  const { quotaExceeded, badVersion, nodeExists, ok } = Code;
  const code = (operation: ZnodeOperation): Code => codeOf(replica.do(session, operation));
  t.is(code(create("/a/b")), nodeExists);
  t.is(code(setData("/a/b", bytes("123456"), 7)), quotaExceeded);
  t.is(code(setData("/a/b", bytes("12345"), 7)), badVersion);
  t.is(code(create("/a/c", { data: bytes("1234") })), quotaExceeded);
  t.is(code(create("/a/c", { data: bytes("123") })), ok);
  t.is(code(create("/a/d", { data: null })), quotaExceeded);
  t.is(code(create("/a/d-", { data: null, sequential: true })), quotaExceeded);
  t.is(code(setData("/a/b", null)), ok);
  t.is(code(create("/z")), ok);
  t.is(code(remove("/a/c")), ok);
  t.is(code(create("/a/d", { data: null })), ok);
});

test("a hard limit that is not enforced, and a soft one, are only told, once a minute", (t) => {
  const told = (effects: readonly Effect[]): readonly object[] =>
    effects.flatMap((effect) =>
      effect.kind === "log" && effect.event === "quotaExceeded" ? [effect.detail] : [],
    );
  const { replica, session } = prepared("count=2,bytes=-1");
  const write = (path: string): readonly Effect[] =>
    replica.commit(client(session, create(path, { data: null })));
  const excess = { path: "/a", of: "count", is: "3", limit: "2", refused: false };
  t.deepEqual(told(write("/a/1")), [excess]);
  t.deepEqual(told(write("/a/2")), []);
  replica.timeMs += 60_000;
  t.deepEqual(told(write("/a/3")), [{ ...excess, is: "5" }]);

  const open = prepared("count=-1,bytes=-1=;countHardLimit=2", false);
  const effects = open.replica.commit(client(open.session, create("/a/1")));
  t.deepEqual(told(effects), [excess]);
  t.is(textAt(open.replica, statsOf("/a")), "count=3,bytes=6");
});

test("an excess is told by the lane whose client wrote, and by no other", (t) => {
  const { replica, session } = prepared("count=2,bytes=-1");
  const record = replica.record([client(session, create("/a/1"))], {
    submitter: { ...replica.submitter, lane: 7 },
    seq: 1,
  });
  const effects = replica.receive({ kind: "committed", records: [record] });
  t.false(effects.some((effect) => effect.kind === "log"));
  t.is(textAt(replica, statsOf("/a")), "count=3,bytes=6");
});

test("each operation of a multi is judged by the quota as it was before the multi", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1=;countHardLimit=3");
  const within = multi(create("/a/1", { data: null }), create("/a/2", { data: null }));
  t.like(replica.do(session, within), { kind: "multi", failed: false });
  t.is(textAt(replica, statsOf("/a")), "count=4,bytes=5");
  const result = replica.do(session, multi(remove("/a/1"), create("/a/3", { data: null })));
  t.like(result, { failed: true, results: { 0: { code: 0 }, 1: { code: Code.quotaExceeded } } });
  t.is(textAt(replica, statsOf("/a")), "count=4,bytes=5");

  const lifted = multi(remove(limitsOf("/a")), create("/a/3", { data: null }));
  t.like(replica.do(session, lifted), { results: { 1: { code: Code.quotaExceeded } } });
  t.is(codeOf(replica.do(session, remove(limitsOf("/a")))), Code.ok);
  const made = multi(
    create(limitsOf("/a"), { data: bytes("count=-1,bytes=-1=;countHardLimit=1") }),
    create("/a/3", { data: null }),
  );
  t.like(replica.do(session, made), { kind: "multi", failed: false });
  t.is(textAt(replica, statsOf("/a")), "count=5,bytes=5");
  t.is(codeOf(replica.do(session, create("/a/4"))), Code.quotaExceeded);
});

test("a multi that is refused leaves quotas and counts as they were", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1=;countHardLimit=3");
  const before = textAt(replica, statsOf("/a"));
  replica.do(session, create("/zookeeper/quota/z", { data: null }));
  const result = replica.do(
    session,
    multi(
      create("/a/1"),
      setData("/a", bytes("much longer")),
      remove(limitsOf("/a")),
      remove(statsOf("/a")),
      create(limitsOf("/z"), { data: bytes("count=-1,bytes=-1=;countHardLimit=0") }),
      create(statsOf("/z"), { data: bytes("count=0,bytes=0") }),
      check("/absent"),
    ),
  );
  t.like(result, { failed: true, results: { 6: { code: Code.noNode } } });
  t.is(textAt(replica, statsOf("/a")), before);
  t.is(codeOf(replica.do(session, create("/z"))), Code.ok);
  t.is(codeOf(replica.do(session, create("/a/1"))), Code.ok);
  t.is(codeOf(replica.do(session, create("/a/2"))), Code.quotaExceeded);
});

test("a multi that deletes a quota and makes it again leaves it in force", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1=;countHardLimit=3");
  const limits = { data: bytes("count=-1,bytes=-1=;countHardLimit=2") };
  const again = multi(remove(limitsOf("/a")), create(limitsOf("/a"), limits), create("/a/1"));
  t.like(replica.do(session, again), { kind: "multi", failed: false });
  t.is(textAt(replica, statsOf("/a")), "count=3,bytes=6");
  t.is(codeOf(replica.do(session, create("/a/2"))), Code.quotaExceeded);
});

test("the nearest quota counts, and the root has none", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1");
  setQuota(replica, session, "/a/b", "count=-1,bytes=-1");
  replica.do(session, create("/a/b/c"));
  t.is(textAt(replica, statsOf("/a/b")), "count=2,bytes=3");
  t.is(textAt(replica, statsOf("/a")), "count=2,bytes=5");
  replica.do(session, create("/zookeeper/quota/zookeeper_limits", { data: bytes("count=1") }));
  replica.do(session, create("/b"));
  t.is(codeOf(replica.do(session, create("/c"))), Code.ok);
});

test("texts that say nothing limit nothing, and are counted upon as ZooKeeper's -1", (t) => {
  const { replica, session } = prepared("countHardLimit");
  t.is(codeOf(replica.do(session, create("/a/1"))), Code.ok);
  replica.do(session, setData(statsOf("/a"), null));
  replica.do(session, create("/a/2"));
  t.is(textAt(replica, statsOf("/a")), "count=0,bytes=0");
  replica.do(session, remove(statsOf("/a")));
  t.is(codeOf(replica.do(session, create("/a/3"))), Code.ok);
});

test("a quota survives a snapshot", (t) => {
  const { replica, session } = prepared("count=-1,bytes=-1=;countHardLimit=3");
  const loaded = new Replica();
  load(loaded, cut(replica));
  loaded.lastZxid = replica.lastZxid;
  loaded.lastSeq = replica.lastSeq;
  loaded.quotasEnforced = true;
  t.is(loaded.digest(), replica.digest());
  t.is(codeOf(loaded.do(session, create("/a/1"))), Code.ok);
  t.is(codeOf(loaded.do(session, create("/a/2"))), Code.quotaExceeded);
});

const TEXTS: readonly (readonly [string, string])[] = [
  ["count=4,bytes=5", "count=4,bytes=5"],
  ["bytes=5;count=4", "count=4,bytes=5"],
  [
    "count=4,bytes=5=;countHardLimit=10;byteHardLimit=9",
    "count=4,bytes=5=;byteHardLimit=9;countHardLimit=10",
  ],
  ["count==4", "count=-1,bytes=-1"],
  ["", "count=-1,bytes=-1"],
  ["nonsense,,count=7,bytes=x", "count=7,bytes=-1"],
  ["count=+7,bytes=-2", "count=7,bytes=-2"],
  ["count=9223372036854775807,bytes=9223372036854775808", "count=9223372036854775807,bytes=-1"],
  [`count=1,bytes=2,x=${"0".repeat(2000)}`, "count=-1,bytes=-1"],
];
for (const [text, expected] of TEXTS) {
  test(`the text "${text.slice(0, 60)}" of a quota is read`, (t) => {
    t.is(new TextDecoder().decode(new QuotaNumbers(bytes(text)).encode()), expected);
  });
}
