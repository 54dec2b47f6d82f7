/** What removeRecursive may look at, which has to be the same on every replica. */
import test from "ava";
import { REMOVAL_LIMITS } from "../../../actors/tree/removal-limits.ts";
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import { client, create, multi, remove, Replica } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

const OWNED: readonly Acl[] = [{ permissions: 31, scheme: "digest", id: "ann:hash" }];
const LIMITS = { znodesMax: 100, recordMax: 330, pathUnit: 128 };

const removeAll = (path: string) => ({ kind: "removeRecursive", path, znodesMax: 10_000 }) as const;

/** What becomes of removeRecursives in one record: codes, 0 for done. */
function codesOf(results: readonly OperationResult[]): readonly number[] {
  return results.map((each) => (each.kind === "error" ? each.code : Code.ok));
}

test("what a record may look at is used up alike, whatever order siblings have", (t) => {
  const replica = new Replica({ removals: LIMITS });
  const session = replica.session();
  for (const top of ["/a", "/b", "/g"]) replica.do(session, create(top));
  // The znode that comes last has the number of one that came first, so a replica that loads a snapshot finds it first.
  const makeBelow = (top: string): void => {
    replica.do(session, create(`${top}/first`));
    const leaves = Array.from({ length: 90 }, (_, index) => create(`${top}/${index}`));
    replica.do(session, multi(...leaves));
    replica.do(session, remove(`${top}/first`));
  };
  makeBelow("/a");
  replica.do(session, create("/a/fat"));
  const many = Array.from({ length: 20 }, (_, index) => create(`/a/fat/${index}`));
  replica.do(session, multi(...many));
  makeBelow("/g");
  replica.do(session, create("/g/guarded", { acl: OWNED }));
  const loaded = new Replica({ removals: LIMITS });
  load(loaded, cut(replica));
  for (const top of ["/a", "/g"]) {
    const asked = [top, top, top, top, "/b"].map((path) => client(session, removeAll(path)));
    loaded.lastZxid = replica.lastZxid;
    loaded.lastSeq = replica.lastSeq;
    loaded.timeMs = replica.timeMs;
    t.deepEqual(loaded.results(...asked), replica.results(...asked));
    t.is(replica.digest(), loaded.digest());
  }
});

test("a tree has the limits that it is given, and by default those of every node", (t) => {
  const codes = (replica: Replica): readonly number[] => {
    const session = replica.session();
    for (const path of ["/a", "/a/b", "/a/b/c", "/d"]) replica.do(session, create(path));
    const asked = ["/a", "/a/b", "/d"].map((path) => client(session, removeAll(path)));
    return codesOf(replica.results(...asked));
  };
  const few = { ...REMOVAL_LIMITS, znodesMax: 2 };
  t.deepEqual(codes(new Replica()), [Code.ok, Code.ok, Code.ok]);
  t.deepEqual(codes(new Replica({ removals: few })), [Code.notEmpty, Code.ok, Code.ok]);
  // One for the first, and one and two for the second; the third finds nothing left.
  t.deepEqual(codes(new Replica({ removals: { ...few, recordMax: 4 } })), [
    ...[Code.notEmpty, Code.ok, Code.throttled],
  ]);
  t.deepEqual(codes(new Replica({ removals: { ...few, recordMax: 6 } })), [
    ...[Code.notEmpty, Code.ok, Code.ok],
  ]);
  t.deepEqual(codes(new Replica({ removals: { ...few, recordMax: 6, pathUnit: 4 } })), [
    ...[Code.notEmpty, Code.ok, Code.throttled],
  ]);
});
