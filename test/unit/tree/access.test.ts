/** What a tree lets whom do and see: operations, reads, and change streams. */
import test from "ava";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { ANYONE, type Identity, SUPER } from "../../../protocol/identities.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation, OperationResult } from "../../../protocol/operations.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { NO_LIMITS } from "../../../actors/tree/store/size.ts";
import {
  check,
  client,
  create,
  emittedOf,
  multi,
  PASSWORD,
  remove,
  Replica,
  setData,
} from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

const ANN: Identity = { scheme: "digest", id: "ann:hash" };
const OWNED: readonly Acl[] = [{ permissions: 31, ...ANN }];
const OF_ADDRESS: readonly Acl[] = [{ permissions: 31, scheme: "ip", id: "10.0.0.0/24" }];

function setAcl(path: string, acl: readonly Acl[]): ClientOperation {
  return { kind: "setAcl", path, acl, version: -1 };
}

function codeOf(result: OperationResult | undefined): Code | undefined {
  return result?.kind === "error" ? result.code : Code.ok;
}

function by(
  replica: Replica,
  session: SessionId,
  operation: ClientOperation,
  ...identities: readonly Identity[]
): Code | undefined {
  const [result] = replica.results({ ...client(session, operation), identities });
  return codeOf(result);
}

function owned(): { readonly replica: Replica; readonly session: SessionId } {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a", { acl: OWNED }));
  return { replica, session };
}

test("an operation needs its permission, which identities of the same batch do not give it", (t) => {
  const { replica, session } = owned();
  const results = replica.results(
    client(session, setData("/a", null)),
    { ...client(session, setData("/a", null)), identities: [ANN] },
    client(session, setData("/a", null)),
  );
  t.deepEqual(results.map(codeOf), [Code.noAuth, Code.ok, Code.noAuth]);
  t.is(by(replica, session, create("/a/b")), Code.noAuth);
  t.is(by(replica, session, create("/a/b"), ANN), Code.ok);
  t.is(by(replica, session, remove("/a/b")), Code.noAuth);
  t.is(by(replica, session, remove("/a/none")), Code.noAuth);
  t.is(by(replica, session, remove("/a/none"), ANN), Code.noNode);
  t.is(by(replica, session, check("/a")), Code.noAuth);
  t.is(by(replica, session, setAcl("/a", OPEN_ACL)), Code.noAuth);
  t.is(by(replica, session, setAcl("/a", OPEN_ACL), SUPER), Code.ok);
  t.is(by(replica, session, setData("/a", null)), Code.ok);
});

test("a multi with a member that is not allowed changes nothing", (t) => {
  const { replica, session } = owned();
  const result = replica.do(session, multi(create("/b"), setData("/a", null), create("/c")));
  t.like(result, { kind: "multi", failed: true });
  t.deepEqual(result.kind === "multi" ? result.results.map(codeOf) : [], [
    Code.ok,
    Code.noAuth,
    Code.runtimeInconsistency,
  ]);
  t.deepEqual(replica.children("/"), ["a", "zookeeper"]);
});

test("an operation has the address of the connection that attached its session, also behind a snapshot", (t) => {
  const replica = new Replica();
  const from = (address: string): SessionId => {
    replica.commit({ kind: "createSession", timeoutMs: 9000, password: PASSWORD, address });
    return replica.lastZxid as number as SessionId;
  };
  const near = from("10.0.0.7");
  const far = from("10.0.1.7");
  replica.do(near, create("/a", { acl: OF_ADDRESS }));
  t.is(codeOf(replica.do(near, setData("/a", null))), Code.ok);
  t.is(codeOf(replica.do(far, setData("/a", null))), Code.noAuth);
  const copy = new Replica();
  load(copy, cut(replica));
  t.is(copy.digest(), replica.digest(), "the address is part of it");
  const attach = { kind: "attachSession", session: near, timeoutMs: 9000 } as const;
  replica.commit({ ...attach, password: PASSWORD, address: "10.0.1.8" });
  const [moved] = replica.results(client(near, setData("/a", null), replica.lastZxid));
  t.is(codeOf(moved), Code.noAuth);
});

test("a read needs its permission, and a watch is left only by who may read", (t) => {
  const { replica, session } = owned();
  const refused = { kind: "error", code: Code.noAuth } as const;
  for (const kind of ["getData", "getChildren"] as const) {
    t.deepEqual(replica.readBy(ANYONE, { kind, path: "/a", watch: true }), refused);
  }
  t.is(replica.metrics().watches, 0);
  t.deepEqual(replica.readBy(ANYONE, { kind: "getAcl", path: "/a" }), refused);
  t.is(replica.readBy(ANYONE, { kind: "exists", path: "/a", watch: true }).kind, "stat");
  const ann = { identities: [ANN], address: undefined };
  t.is(replica.readBy(ann, { kind: "getData", path: "/a", watch: false }).kind, "data");
  t.like(replica.readBy(ann, { kind: "getAcl", path: "/a" }), { acl: OWNED });
  const readable = [...OWNED, { permissions: 1, scheme: "world", id: "anyone" }];
  by(replica, session, setAcl("/a", readable), ANN);
  const shown = replica.readBy(ANYONE, { kind: "getAcl", path: "/a" });
  t.deepEqual(shown.kind === "acl" ? shown.acl.map(({ id }) => id) : [], ["ann:x", "anyone"]);
});

function toldTo(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "tell" || effect.to !== "nats/1") return [];
    const { changes = [] } = effect.message as { readonly changes?: readonly Change[] };
    return changes.map(({ kind, path }) => `${kind} ${path}`);
  });
}

function stream(after: Zxid | undefined, readsAll = false): Parameters<Replica["receive"]>[0] {
  const asked = { kind: "openStream", from: "nats/1", client: 1, stream: 1 } as const;
  return { ...asked, path: "/", recursive: true, after, readsAll };
}

test("a stream of all that is below a znode shows nothing that not everybody may read", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const begin = replica.lastZxid;
  replica.receive(stream(undefined));
  const told = [
    create("/open"),
    create("/closed", { acl: OWNED }),
    create("/open/closed", { acl: OWNED }),
    create("/closed/open"),
    setData("/open", null),
  ].flatMap((operation) =>
    toldTo(replica.commit({ ...client(session, operation), identities: [ANN] })),
  );
  const seen = ["created /open", "created /closed/open", "data /open"];
  t.deepEqual(told, seen);
  t.deepEqual(toldTo(replica.receive(stream(begin))), seen, "also from the ring");
  const all = toldTo(replica.receive(stream(begin, true)));
  t.is(all.length, 5, "who may read everything is told everything");
});

test("a stream shows what its reader's own list lets it read, when it changed and now, and no other's", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const begin = replica.lastZxid;
  const bob = { ...ANN, id: "bob:hash" };
  const of = (who: Identity, number: number, after?: Zxid): Parameters<Replica["receive"]>[0] => {
    const asked = { kind: "openStream", from: "nats/1", client: 1, stream: number } as const;
    const reader = { identities: [who], address: undefined };
    return { ...asked, path: "/", recursive: true, after, who: reader };
  };
  replica.receive(of(ANN, 1));
  replica.receive(of(bob, 2));
  const told: string[] = [];
  const asAnn = (operation: ClientOperation): void => {
    const effects = replica.commit({ ...client(session, operation), identities: [ANN] });
    for (const effect of effects) {
      if (effect.kind !== "tell" || effect.to !== "nats/1") continue;
      const { stream: number } = effect.message as { readonly stream: number };
      told.push(...toldTo([effect]).map((each) => `${number} ${each}`));
    }
  };
  asAnn(create("/a", { acl: OWNED }));
  asAnn(setData("/a", null));
  asAnn(create("/open"));
  asAnn(setAcl("/a", [{ permissions: 31, scheme: bob.scheme, id: bob.id }]));
  const expected = ["1 created /a", "1 data /a", "1 created /open", "2 created /open", "2 acl /a"];
  t.deepEqual(told, expected);
  const again = (who: Identity): readonly string[] => toldTo(replica.receive(of(who, 3, begin)));
  t.deepEqual(again(ANN), ["created /open"], "she may not read it now");
  t.deepEqual(again(bob), ["created /open", "acl /a"], "he might not read it then");
});

test("a stream that is open is told nothing more of a znode that was closed, and what it was told before is not told again", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const begin = replica.lastZxid;
  replica.receive(stream(undefined));
  const asAnn = (operation: ClientOperation): readonly string[] =>
    toldTo(replica.commit({ ...client(session, operation), identities: [ANN] }));
  t.deepEqual(asAnn(create("/a")), ["created /a"]);
  t.deepEqual(asAnn(setAcl("/a", OWNED)), []);
  t.deepEqual(asAnn(setData("/a", null)), []);
  t.deepEqual(toldTo(replica.receive(stream(begin))), [], "it was open then, and is closed now");
  t.deepEqual(asAnn(setAcl("/a", OPEN_ACL)), ["acl /a"]);
  t.deepEqual(asAnn(setData("/a", null)), ["data /a"]);
  t.deepEqual(asAnn(setAcl("/a", OWNED)), []);
  t.deepEqual(asAnn(remove("/a")), []);
  t.deepEqual(asAnn(create("/a")), ["created /a"]);
});

test("lists count in the memory of a tree, those that are alike once, and what grows it is asked about", (t) => {
  const limits = { ...NO_LIMITS, heapBytesMax: 18_000 };
  const replica = new Replica({ limits });
  const session = replica.session();
  const long = (text: string): readonly Acl[] => [
    { permissions: 31, scheme: "digest", id: `u:${text.repeat(9000)}` },
    ...OPEN_ACL,
  ];
  t.true(replica.grows(setAcl("/", long("a"))));
  t.false(replica.grows(setAcl("/", OPEN_ACL)));
  const commit = (operation: ClientOperation): readonly object[] =>
    emittedOf(replica.commit(client(session, operation)), "memory");
  t.like(commit(create("/a", { acl: long("a") })), [{ full: true }]);
  t.deepEqual(commit(create("/b", { acl: long("a") })), []);
  const before = replica.metrics().treeHeapBytes;
  commit(create("/c", { acl: long("a") }));
  t.true(replica.metrics().treeHeapBytes - before < 1000);
  t.false(replica.grows(setAcl("/a", OPEN_ACL)));
  t.deepEqual(commit(remove("/a")), []);
  commit(remove("/b"));
  t.like(commit(remove("/c")), [{ full: false }], "the last of those alike has gone");
});
