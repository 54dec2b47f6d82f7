/** multi: all or nothing, at one zxid. Expected values were asked of ZooKeeper 3.8. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import { bytes, check, create, multi, remove, Replica, setData } from "../../support/replica.ts";

test("later operations of a multi see what earlier ones did, all at one zxid", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const result = replica.do(
    session,
    multi(
      create("/m"),
      setData("/m", bytes("1"), 0),
      create("/m/c", { sequential: true }),
      check("/m", 1),
      remove("/m/c0000000000"),
    ),
  );
  t.like(result, { kind: "multi", failed: false });
  t.like(result, { results: { 0: { kind: "created", path: "/m", stat: { version: 0 } } } });
  t.like(result, { results: { 1: { kind: "stat", stat: { version: 1, cversion: 0 } } } });
  t.like(result, { results: { 2: { path: "/m/c0000000000" }, 3: { kind: "done" } } });
  const zxid = replica.lastZxid;
  t.like(replica.data("/m"), {
    stat: { czxid: zxid, mzxid: zxid, pzxid: zxid, cversion: 2, numChildren: 0, version: 1 },
  });
});

test("a failed multi answers ok, the code, and runtime inconsistency for the rest", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const result = replica.do(session, multi(create("/m"), check("/m", 9), remove("/m"), check("/")));
  const codes = [Code.ok, Code.badVersion, Code.runtimeInconsistency, Code.runtimeInconsistency];
  t.deepEqual(result, {
    kind: "multi",
    failed: true,
    results: codes.map((code) => ({ kind: "error", code }) as const),
  });
});

test("a failed multi leaves no trace in the tree, the counters or the ephemerals", (t) => {
  const tried = new Replica();
  const untouched = new Replica();
  const sessions = [tried, untouched].map((replica) => {
    const session = replica.session();
    replica.do(session, create("/a", { data: bytes("old") }));
    replica.do(session, create("/a/gone"));
    replica.do(session, create("/e", { ephemeral: true }));
    return session;
  });
  const [session] = sessions;
  if (session === undefined) throw new Error("no session");
  const attempt = multi(
    setData("/a", bytes("much longer than before")),
    setData("/a", null),
    remove("/a/gone"),
    create("/a/s-", { sequential: true }),
    create("/a/gone", { data: bytes("again") }),
    remove("/e"),
    create("/e", { ephemeral: true }),
    create("/a/e", { ephemeral: true }),
    create("/b"),
    create("/b/c"),
    check("/none"),
  );
  t.like(tried.do(session, attempt), { failed: true, results: { 10: { code: Code.noNode } } });
  untouched.do(session, { kind: "sync", path: "/" });
  t.is(tried.digest(), untouched.digest());
  t.like(tried.do(session, create("/a/s-", { sequential: true })), { path: "/a/s-0000000001" });
  t.deepEqual(tried.children("/a"), ["gone", "s-0000000001"]);
  tried.do(session, { kind: "closeSession" });
  t.deepEqual(tried.children("/"), ["a", "zookeeper"]);
});

test("a multi without operations succeeds", (t) => {
  const replica = new Replica();
  const result = replica.do(replica.session(), multi());
  t.deepEqual(result, { kind: "multi", failed: false, results: [] });
});

test("check in a multi is refused for a path that is missing or not valid", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const codeOf = (path: string): unknown => {
    const result = replica.do(session, multi(check(path)));
    return result.kind === "multi" && result.results[0]?.kind === "error"
      ? result.results[0].code
      : Code.ok;
  };
  t.is(codeOf("/"), Code.ok);
  t.is(codeOf("/none"), Code.noNode);
  t.is(codeOf("bad"), Code.badArguments);
  t.is(codeOf(""), Code.badArguments);
});
