/** What a tree takes in memory, when it says that it is full, and what would make it larger. */
import test from "ava";
import { NO_LIMITS } from "../../../actors/tree/store/size.ts";
import { ZNODE_BYTES } from "../../../actors/tree/store/znodes.ts";
import { Code } from "../../../protocol/codes.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Effect } from "../../../runtime/effects.ts";
import {
  bytes,
  client,
  create,
  emittedOf,
  multi,
  remove,
  Replica,
  setData,
} from "../../support/replica.ts";

const MANY = Array.from({ length: 40 }, (_, index) => `/n${index}`);

function logged(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === "log" ? [effect.event] : []));
}

test("a tree says at its limit that it is full, and below it, with some distance, that it has room", (t) => {
  const limits = { ...NO_LIMITS, bytesMax: 42 * ZNODE_BYTES };
  const replica = new Replica({ limits });
  const session = replica.session();
  const done = (operation: ClientOperation): readonly Effect[] =>
    replica.commit(client(session, operation));
  const reports = (effects: readonly Effect[]): readonly object[] => emittedOf(effects, "memory");
  let count = 0;
  for (let effects = done(create(MANY[count] ?? "")); reports(effects).length === 0; ) {
    count += 1;
    effects = done(create(MANY[count] ?? ""));
    if (reports(effects).length === 0) continue;
    t.like(reports(effects), [{ kind: "treeMemory", full: true }]);
    t.deepEqual(logged(effects), ["treeFull"]);
  }
  t.true(count > 20 && count < 30, `${count} znodes`);
  t.deepEqual(
    reports(done(create("/over"))),
    [],
    "what the log holds is applied, and it is said once",
  );
  t.deepEqual(reports(done(remove("/over"))), []);
  t.deepEqual(reports(done(remove(MANY[0] ?? ""))), [], "not far enough below");
  const freed = [...done(remove(MANY[1] ?? "")), ...done(remove(MANY[2] ?? ""))];
  t.like(reports(freed), [{ full: false }]);
  t.deepEqual(logged(freed), ["treeFits"]);
});

test("values count", (t) => {
  const replica = new Replica({ limits: { ...NO_LIMITS, bytesMax: 100_000 } });
  const session = replica.session();
  replica.do(session, create("/a"));
  const large = replica.commit(client(session, setData("/a", new Uint8Array(100_000))));
  t.like(emittedOf(large, "memory"), [{ full: true }]);
  const small = replica.commit(client(session, setData("/a", null)));
  t.like(emittedOf(small, "memory"), [{ full: false }]);
});

test("as many sessions as there may be are said to be so", (t) => {
  const replica = new Replica({ limits: { ...NO_LIMITS, sessionsMax: 2 } });
  const session = replica.session();
  t.false(replica.memory.sessionsFull);
  replica.session();
  t.true(replica.memory.sessionsFull);
  replica.do(session, { kind: "closeSession" });
  t.false(replica.memory.sessionsFull);
});

test("an operation grows the tree if it adds more than it takes away", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a", { data: bytes("12345") }));
  replica.do(session, create("/b", { data: new Uint8Array(2_000) }));
  const grows: readonly (readonly [ClientOperation, boolean])[] = [
    [create("/c"), true],
    [setData("/a", bytes("54321")), false],
    [setData("/a", bytes("543210")), true],
    [setData("/missing", bytes("543210")), false],
    [remove("/a"), false],
    [multi(remove("/a"), create("/c")), false],
    [multi(remove("/b"), create("/c", { data: new Uint8Array(2_010) })), true],
    [multi(setData("/a", bytes("1")), setData("/b", new Uint8Array(2_004))), false],
    [multi(remove("/missing"), create("/c")), true],
    [{ kind: "sync", path: "/" }, false],
  ];
  for (const [operation, expected] of grows) {
    t.is(replica.grows(operation), expected, JSON.stringify(operation));
  }
});

test("watches of all connections of a lane have a limit, and the read that asks for one more is not done", (t) => {
  const replica = new Replica({ limits: { ...NO_LIMITS, watchesMax: 2 } });
  const watched = (reader: number, path: string): object | undefined =>
    replica.readAs("zookeeper/9", reader, { kind: "exists", path, watch: true }).results[0];
  watched(1, "/a");
  t.like(watched(2, "/a"), { kind: "error", code: Code.noNode });
  t.like(watched(3, "/a"), { kind: "error", code: Code.throttled });
  t.like(replica.readAs("zookeeper/9", 3, { kind: "exists", path: "/", watch: false }).results[0], {
    kind: "stat",
  });
  replica.receive({ kind: "forget", from: "zookeeper/9", client: 1 });
  t.like(watched(3, "/a"), { kind: "error", code: Code.noNode });
});

const MEGABYTE = 1024 * 1024;

for (const { what, limits, ephemeral, reason } of [
  {
    what: "heap",
    limits: { ...NO_LIMITS, heapBytesStop: MEGABYTE },
    ephemeral: true,
    reason:
      /^the tree needs 2 MB of heap or more and a lane of this node has 1 MB for it: start it with NODE_OPTIONS/,
  },
  {
    what: "memory",
    limits: { ...NO_LIMITS, bytesStop: MEGABYTE },
    ephemeral: false,
    reason:
      /^the tree needs 2 MB of memory or more and a lane of this node has 1 MB for it: start it with fewer lanes/,
  },
]) {
  test(`a tree that the ${what} cannot hold stops its node, with both figures and what to set`, (t) => {
    const replica = new Replica({ limits });
    const session = replica.session();
    const creates = Array.from({ length: 13_000 }, (_, index) =>
      create(`/n${index}`, { ephemeral }),
    );
    const effects = replica.commit(client(session, multi(...creates)));
    const stop = effects.find(({ kind }) => kind === "stopNode");
    t.regex(stop?.kind === "stopNode" ? stop.reason : "", reason);
  });
}
