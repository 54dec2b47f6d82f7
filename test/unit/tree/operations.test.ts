/** Single operations: results, stats and codes. Expected values were asked of ZooKeeper 3.8. */
import test from "ava";
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import { bytes, create, remove, Replica, setData } from "../../support/replica.ts";

function codeOf(result: OperationResult): number {
  return result.kind === "error" ? result.code : Code.ok;
}

function statAt(replica: Replica, path: string): object {
  const [result] = replica.read({ kind: "exists", path, watch: false });
  if (result?.kind !== "stat") throw new Error(`${path} is not there`);
  return result.stat;
}

const ANYONE: Acl = { permissions: 31, scheme: "world", id: "anyone" };

test("a new tree has the four znodes of ZooKeeper with its stats", (t) => {
  const replica = new Replica();
  const zero = {
    czxid: 0,
    mzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    ephemeralOwner: 0,
    dataLength: 0,
  };
  t.like(statAt(replica, "/"), { ...zero, cversion: -1, numChildren: 1, pzxid: 0, aversion: 0 });
  t.like(statAt(replica, "/zookeeper"), { ...zero, cversion: -2, numChildren: 2, pzxid: 0 });
  t.like(statAt(replica, "/zookeeper/quota"), { ...zero, cversion: 0, aversion: 0 });
  t.like(statAt(replica, "/zookeeper/config"), { ...zero, cversion: 0, aversion: -1 });
  t.deepEqual(replica.read({ kind: "getAcl", path: "/zookeeper/config" })[0], {
    kind: "acl",
    acl: [{ permissions: 1, scheme: "world", id: "anyone" }],
    stat: statAt(replica, "/zookeeper/config"),
  } as never);
});

test("create, setData and delete keep the stats of the znode and of its parent", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a", { data: bytes("one") }));
  const created = replica.lastZxid;
  const createdMs = replica.timeMs;
  t.like(statAt(replica, "/a"), {
    czxid: created,
    mzxid: created,
    pzxid: created,
    ctime: createdMs,
    mtime: createdMs,
    version: 0,
    cversion: 0,
    dataLength: 3,
  });
  t.like(statAt(replica, "/"), { cversion: 0, numChildren: 2, pzxid: created });
  const set = replica.do(session, setData("/a", bytes("three"), 0));
  t.like(set, { kind: "stat", stat: { version: 1, mzxid: replica.lastZxid, dataLength: 5 } });
  t.like(set, { stat: { czxid: created, ctime: createdMs, mtime: replica.timeMs } });
  t.is(replica.do(session, remove("/a", 1)).kind, "done");
  t.like(statAt(replica, "/"), { cversion: 1, numChildren: 1, pzxid: replica.lastZxid });
});

test("null data stays null and empty data stays empty", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/null", { data: null }));
  replica.do(session, create("/empty", { data: bytes("") }));
  t.like(replica.data("/null"), { kind: "data", data: null, stat: { dataLength: 0 } });
  t.deepEqual((replica.data("/empty") as { data: unknown }).data, bytes(""));
  replica.do(session, setData("/empty", null));
  t.like(replica.data("/empty"), { data: null, stat: { version: 1 } });
});

test("data that was handed out does not change when the znode does", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a", { data: bytes("before") }));
  const { data } = replica.data("/a") as { data: Uint8Array };
  for (let count = 0; count < 5000; count++) replica.do(session, setData("/a", bytes(`v${count}`)));
  t.deepEqual(data.slice(), bytes("before"));
  t.deepEqual((replica.data("/a") as { data: Uint8Array }).data.slice(), bytes("v4999"));
});

test("values of all sizes survive while others around them are replaced", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const sizes = [1, 100, 2000, 2048, 2049, 70_000];
  for (const size of sizes) {
    replica.do(session, create(`/n${size}`, { data: new Uint8Array(size).fill(size % 251) }));
    for (let count = 0; count < 40; count++) {
      replica.do(session, setData("/", new Uint8Array(1500).fill(count)));
    }
  }
  for (const size of sizes) {
    const { data } = replica.data(`/n${size}`) as { data: Uint8Array };
    t.deepEqual(data.slice(), new Uint8Array(size).fill(size % 251));
  }
});

test("the suffix of a sequential znode counts creates, not children", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/q"));
  const next = (): unknown =>
    (replica.do(session, create("/q/n-", { sequential: true })) as { path: unknown }).path;
  t.is(next(), "/q/n-0000000000");
  replica.do(session, remove("/q/n-0000000000"));
  t.is(next(), "/q/n-0000000001");
  replica.do(session, create("/q/plain"));
  t.is(next(), "/q/n-0000000003");
  t.is(codeOf(replica.do(session, create("/q/plain"))), Code.nodeExists);
  t.is(next(), "/q/n-0000000004");
  t.like(replica.do(session, create("/q/", { sequential: true })), { path: "/q/0000000005" });
});

test("create is refused with ZooKeeper's code, in ZooKeeper's order of checks", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  replica.do(session, create("/e", { ephemeral: true }));
  const code = (path: string, options = {}): number =>
    codeOf(replica.do(session, create(path, options)));
  t.is(code("/"), Code.nodeExists);
  t.is(code(""), Code.badArguments);
  t.is(code("a"), Code.badArguments);
  t.is(code("/a/"), Code.badArguments);
  t.is(code("/a/."), Code.badArguments);
  t.is(code("/a/./b"), Code.noNode);
  t.is(code("/a//", { sequential: true }), Code.noNode);
  t.is(code("/b\u0001"), Code.badArguments);
  t.is(code("/none/b"), Code.noNode);
  t.is(code("/a"), Code.nodeExists);
  t.is(code("/e/c"), Code.noChildrenForEphemerals);
  t.is(code("/e/c", { sequential: true }), Code.noChildrenForEphemerals);
  t.is(code("/none/b", { acl: [] }), Code.invalidAcl);
  t.is(code("/a", { acl: [] }), Code.invalidAcl);
});

test("delete is refused with ZooKeeper's code, in ZooKeeper's order of checks", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  replica.do(session, create("/a/b"));
  const code = (path: string, version = -1): number =>
    codeOf(replica.do(session, remove(path, version)));
  for (const path of ["/", "", "a", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"]) {
    t.is(code(path), Code.badArguments, path);
  }
  t.is(code("/a/"), Code.noNode);
  t.is(code("/none"), Code.noNode);
  t.is(code("/a", 5), Code.badVersion);
  t.is(code("/a"), Code.notEmpty);
  t.is(code("/a/b", 0), Code.ok);
});

test("setData is refused with ZooKeeper's code and then changes nothing", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const code = (path: string, version = -1): number =>
    codeOf(replica.do(session, setData(path, bytes("y"), version)));
  t.is(code(""), Code.badArguments);
  t.is(code("/a/"), Code.badArguments);
  t.is(code("/none"), Code.noNode);
  t.is(code("/a", 7), Code.badVersion);
  t.is(code("/a", -2), Code.badVersion);
  t.like(replica.data("/a"), { stat: { version: 0 } });
});

test("setAcl stores the list without repetitions and counts in aversion only", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const { stat } = replica.data("/a") as { stat: object };
  const reader: Acl = { permissions: 1, scheme: "digest", id: "user:hash" };
  const result = replica.do(session, {
    kind: "setAcl",
    path: "/a",
    acl: [ANYONE, reader, ANYONE],
    version: 0,
  });
  t.deepEqual(result, { kind: "stat", stat: { ...stat, aversion: 1 } } as never);
  t.like(replica.read({ kind: "getAcl", path: "/a" })[0], { acl: [ANYONE, reader] });
});

test("setAcl is refused with ZooKeeper's code", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const code = (path: string, acl: readonly Acl[], version = -1): number =>
    codeOf(replica.do(session, { kind: "setAcl", path, acl, version }));
  t.is(code("/a/", [ANYONE]), Code.badArguments);
  t.is(code("/none", []), Code.invalidAcl);
  t.is(code("/none", [ANYONE]), Code.noNode);
  t.is(code("/a", [ANYONE], 3), Code.badVersion);
});

test("access control entries are valid exactly where ZooKeeper's providers say so", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const valid = (scheme: string, id: string, permissions = 31): boolean => {
    const acl = [ANYONE, { permissions, scheme, id }];
    return replica.do(session, { kind: "setAcl", path: "/a", acl, version: -1 }).kind === "stat";
  };
  for (const id of ["127.0.0.1", "127.0.0.1/8", "1.2.3.4/0", "01.2.3.+4"]) {
    t.true(valid("ip", id), id);
  }
  for (const id of ["bogus", "127.0.0", "127.0.0.1/40", "1.2.3.4/", "1.2.3.256", "::1"]) {
    t.false(valid("ip", id), id);
  }
  for (const id of ["u:xx", ":a", "a:b:"]) t.true(valid("digest", id), id);
  for (const id of ["nocolon", "a:b:c", "a:", ":"]) t.false(valid("digest", id), id);
  t.false(valid("world", "bob"));
  for (const scheme of ["auth", "super", "other"]) t.false(valid(scheme, "CN=a"));
  // Whether these are served, and whoever may give them, is for the gateways to say.
  for (const scheme of ["sasl", "x509"]) t.true(valid(scheme, "CN=a"));
  // ZooKeeper looks at no permission bit.
  t.true(valid("world", "anyone", 63));
  t.true(valid("world", "anyone", -1));
});

test("reads of a path that is not valid find nothing, and the empty path is the root", (t) => {
  const replica = new Replica();
  const noNode = { kind: "error", code: Code.noNode } as const;
  for (const path of ["bad", "/a/", "/a/./b"]) {
    t.deepEqual(replica.data(path), noNode);
    t.deepEqual(replica.read({ kind: "exists", path, watch: false })[0], noNode);
    t.deepEqual(replica.read({ kind: "getChildren", path, watch: false })[0], noNode);
  }
  t.deepEqual(replica.data(""), replica.data("/"));
});

test("sync changes nothing, whatever its path", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const path of ["", "/none", "bad"]) {
    t.deepEqual(replica.do(session, { kind: "sync", path }), { kind: "done" });
  }
});
