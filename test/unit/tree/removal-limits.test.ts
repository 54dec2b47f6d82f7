/** What removeRecursive may look at, which has to be the same on every replica. */
import test from "ava";
import type { Acl } from "../../../protocol/acl.ts";
import { REMOVE_RECURSIVE_MAX } from "../../../protocol/limits.ts";
import { client, create, multi, remove, Replica } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

const OWNED: readonly Acl[] = [{ permissions: 31, scheme: "digest", id: "ann:hash" }];

const removeAll = (path: string) =>
  ({ kind: "removeRecursive", path, znodesMax: REMOVE_RECURSIVE_MAX }) as const;

test("what a record may look at is used up alike, whatever order siblings have", (t) => {
  const replica = new Replica();
  const session = replica.session();
  for (const top of ["/a", "/b", "/g"]) replica.do(session, create(top));
  // The znode that comes last has the number of one that came first, so a replica that loads a snapshot finds it first.
  const makeBelow = (top: string): void => {
    replica.do(session, create(`${top}/first`));
    for (let made = 0; made < 9000; made += 1000) {
      const leaves = Array.from({ length: 1000 }, (_, index) => create(`${top}/${made + index}`));
      replica.do(session, multi(...leaves));
    }
    replica.do(session, remove(`${top}/first`));
  };
  makeBelow("/a");
  replica.do(session, create("/a/fat"));
  const many = Array.from({ length: 2000 }, (_, index) => create(`/a/fat/${index}`));
  replica.do(session, multi(...many));
  makeBelow("/g");
  replica.do(session, create("/g/guarded", { acl: OWNED }));
  const loaded = new Replica();
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
