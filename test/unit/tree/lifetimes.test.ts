/** Containers and znodes with a TTL in the tree: they end when it is decided in the log, and only if they are still to end then. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import { LIFETIMES_LOOKED_AT_MAX } from "../../../protocol/limits.ts";
import { CONTAINER, ttlOf } from "../../../protocol/lifetime.ts";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import type { ReadResult } from "../../../protocol/reads.ts";
import type { DueZnodes } from "../../../actors/reaper/messages.ts";
import { create, multi, remove, Replica, setData } from "../../support/replica.ts";
import { cut, load, messagesTo } from "../../support/snapshots.ts";

function container(path: string): ZnodeOperation {
  const mode = { ephemeral: false, sequential: false, lifetime: CONTAINER };
  return { ...create(path), mode };
}

function aged(path: string, ms: number): ZnodeOperation {
  return { ...create(path), mode: { ephemeral: false, sequential: false, lifetime: ttlOf(ms) } };
}

function reap(replica: Replica, path: string, unusedMs = 0): void {
  replica.commit({ kind: "deleteContainer", path, unusedMs });
}

function isThere(replica: Replica, path: string): boolean {
  return replica.data(path).kind === "data";
}

/** What the tree finds at once, from the beginning or from where it ended. The tree's clock shows 0 ms since 1970. */
function due(
  replica: Replica,
  options: Partial<{ begins: boolean; pathsMax: number }> = {},
): DueZnodes {
  const question = { begins: true, pathsMax: 100, unusedMs: 0, question: 3, ...options };
  const [found] = messagesTo(replica.receive({ kind: "listDue", ...question }), "reaper");
  return found as DueZnodes;
}

test("a read of the access control list tells the lifetime, where there is one", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const made of [create("/a"), container("/b"), aged("/c", 5)]) replica.do(session, made);
  const lifetimes = ["/a", "/b", "/c"].map((path) => {
    const [answer] = replica.read({ kind: "getAcl", path });
    return answer?.kind === "acl" && "lifetime" in answer ? answer.lifetime : "none";
  });
  t.deepEqual(lifetimes, ["none", 0, 5]);
});

test("a container is reaped once its last child is gone, and not before it had one", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, container("/c"));
  reap(replica, "/c");
  t.true(isThere(replica, "/c"));
  replica.do(session, create("/c/child"));
  reap(replica, "/c");
  t.true(isThere(replica, "/c"));
  replica.do(session, remove("/c/child"));
  t.deepEqual(due(replica).paths, ["/c"]);
  reap(replica, "/c");
  t.false(isThere(replica, "/c"));
  t.deepEqual(due(replica).paths, []);
});

test("what was proposed is looked at again when it is applied", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, container("/c"));
  replica.do(session, create("/c/child"));
  replica.do(session, remove("/c/child"));
  t.deepEqual(due(replica).paths, ["/c"]);
  replica.do(session, create("/c/child"));
  reap(replica, "/c");
  t.true(isThere(replica, "/c/child"));
  // Another one of the same name was never used.
  replica.do(session, multi(remove("/c/child"), remove("/c"), container("/c")));
  reap(replica, "/c");
  t.true(isThere(replica, "/c"));
  // And a plain znode is nobody's to reap.
  replica.do(session, multi(remove("/c"), create("/c"), create("/c/x"), remove("/c/x")));
  reap(replica, "/c");
  reap(replica, "/absent");
  reap(replica, "/");
  t.true(isThere(replica, "/c"));
});

test("a TTL counts from when the data was set, by the times of the records", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, aged("/t", 10));
  replica.timeMs += 5;
  replica.do(session, setData("/t", null));
  replica.timeMs += 9;
  reap(replica, "/t");
  t.true(isThere(replica, "/t"));
  replica.do(session, create("/t/child"));
  replica.timeMs += 100;
  reap(replica, "/t");
  t.true(isThere(replica, "/t"));
  replica.do(session, remove("/t/child"));
  reap(replica, "/t");
  t.false(isThere(replica, "/t"));
});

test("a container that was never used is reaped after as long as the leader says", (t) => {
  const replica = new Replica();
  replica.do(replica.session(), container("/c"));
  replica.timeMs += 100;
  reap(replica, "/c", 1000);
  t.true(isThere(replica, "/c"));
  reap(replica, "/c", 50);
  t.false(isThere(replica, "/c"));
});

test("a multi that fails leaves the lifetimes as they were", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, container("/c"));
  replica.do(session, create("/c/child"));
  replica.do(session, remove("/c/child"));
  const before = replica.digest();
  const failed = replica.do(session, multi(remove("/c"), container("/d"), remove("/absent")));
  t.like(failed, { kind: "multi", failed: true });
  t.deepEqual(due(replica).paths, ["/c"]);
  // Nothing but the zxid is another.
  t.not(replica.digest(), before);
  reap(replica, "/c");
  t.false(isThere(replica, "/c"));
});

test("an operation that cannot be done fails its multi in its turn", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const refusal = { kind: "refusal", path: "/x", code: Code.unimplemented } as const;
  t.deepEqual(replica.do(session, multi(create("/a"), refusal, create("/b"))), {
    ...{ kind: "multi", failed: true },
    results: [Code.ok, Code.unimplemented, Code.runtimeInconsistency].map((code) => {
      return { kind: "error", code };
    }),
  });
  const first = replica.do(session, multi(remove("/absent"), refusal));
  t.like(first, { results: [{ code: Code.noNode }, { code: Code.runtimeInconsistency }] });
  t.false(isThere(replica, "/a"));
});

test("a snapshot holds lifetimes, so that whoever loads it finds what is over", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, container("/c"));
  replica.do(session, create("/c/child"));
  replica.do(session, remove("/c/child"));
  replica.do(session, aged("/t", 0xff_ffff_ffff));
  const other = new Replica();
  load(other, cut(replica));
  t.is(other.digest(), replica.digest());
  t.deepEqual(due(other).paths, ["/c"]);
});

test("the tree looks at a part of the znodes with a lifetime at a time, and goes on from there", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const names = ["/a", "/b", "/c"];
  for (const path of names) {
    replica.do(session, container(path));
    replica.do(session, multi(create(`${path}/x`), remove(`${path}/x`)));
  }
  const first = due(replica, { pathsMax: 2 });
  t.deepEqual(first, { kind: "due", question: 3, paths: ["/a", "/b"], isAll: false });
  replica.do(session, remove("/a"));
  t.like(due(replica, { begins: false }), { paths: ["/c"], isAll: true });
  t.like(due(replica, { begins: false }), { paths: ["/b", "/c"], isAll: true });
});

test("many znodes whose time is not up are looked at in several turns", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const young = Array.from({ length: LIFETIMES_LOOKED_AT_MAX + 1 }, (_, index) => {
    return aged(`/t${index}`, 0xff_ffff_ffff);
  });
  replica.do(session, multi(...young));
  t.like(due(replica), { paths: [], isAll: false });
  t.like(due(replica, { begins: false }), { paths: [], isAll: true });
});

test("a multiRead is answered as its reads would be, all at once", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  replica.do(session, create("/a/b"));
  const reads = [
    { kind: "getData", path: "/a", watch: false },
    { kind: "getChildren", path: "/a", watch: false },
    { kind: "getData", path: "/absent", watch: false },
  ] as const;
  const alone = replica.read(...reads);
  t.deepEqual(replica.read({ kind: "multiRead", reads }), [{ kind: "multiRead", results: alone }]);
});

test("the members of a multiRead behind four megabytes are not answered", (t) => {
  const replica = new Replica();
  const data = new Uint8Array(1_000_000);
  replica.do(replica.session(), create("/large", { data }));
  const reads = Array.from({ length: 7 }, () => {
    return { kind: "getData", path: "/large", watch: false } as const;
  });
  const [answer] = replica.read({ kind: "multiRead", reads });
  const results: readonly ReadResult[] = answer?.kind === "multiRead" ? answer.results : [];
  t.deepEqual(
    results.map((each) => (each.kind === "error" ? each.code : each.kind)),
    [...Array<string>(5).fill("data"), Code.throttled, Code.throttled],
  );
});
