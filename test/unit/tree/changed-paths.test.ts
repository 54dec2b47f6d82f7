/** Where something has changed since, and how much is looked at for one answer. */
import test from "ava";
import { CHANGED_LOOKED_MAX } from "../../../protocol/limits.ts";
import type { Changed, ChangedPaths } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { create, multi, remove, Replica, setData } from "../../support/replica.ts";

function changedOf(replica: Replica, asked: Partial<ChangedPaths>): Changed {
  const all = { kind: "changedPaths", path: "/", below: true, after: undefined, pathsMax: 100 };
  const [result] = replica.read({ ...all, ...asked } as ChangedPaths);
  if (result?.kind !== "changed") throw new Error(`a ${result?.kind}`);
  return result;
}

test("changes after a zxid are told by their paths, each once, of the znode or with all below it", (t) => {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/a"));
  const after = replica.lastZxid;
  for (const path of ["/a/b", "/a/b/c", "/ab"]) replica.do(session, create(path));
  replica.do(session, setData("/a/b", new Uint8Array(1)));
  replica.do(session, remove("/a/b/c"));
  const through = replica.lastZxid;
  const whole = { kind: "changed", through, end: "last" } as const;
  t.deepEqual(changedOf(replica, { after, path: "/a" }), {
    ...{ ...whole, changes: 4, paths: ["/a/b", "/a/b/c"], unlisted: 0 },
  });
  t.deepEqual(changedOf(replica, { after, path: "/a/b", below: false }), {
    ...{ ...whole, changes: 2, paths: ["/a/b"], unlisted: 0 },
  });
  t.deepEqual(changedOf(replica, { after, pathsMax: 1 }), {
    ...{ ...whole, changes: 5, paths: ["/a/b"], unlisted: 3 },
  });
  const none = { ...whole, changes: 0, paths: [], unlisted: 0 };
  t.deepEqual(changedOf(replica, {}), none, "from now on");
  t.deepEqual(changedOf(replica, { after: through }), none);
  const ahead = (through + 5) as Zxid;
  t.deepEqual(changedOf(replica, { after: ahead }), { ...none, through: ahead });
});

test("one answer looks at so many changes and to the end of a zxid, and the next goes on there", (t) => {
  const replica = new Replica();
  const session = replica.session();
  const after = replica.lastZxid;
  replica.do(session, create("/p"));
  const size = 1000;
  const multis = Math.ceil(CHANGED_LOOKED_MAX / size) + 2;
  for (let made = 0; made < multis; made += 1) {
    const names = Array.from({ length: size }, (_, index) => `/p/${made}-${index}`);
    replica.do(session, multi(...names.map((name) => create(name))));
  }
  const first = changedOf(replica, { after, pathsMax: 0 });
  const whole = 1 + size * Math.ceil((CHANGED_LOOKED_MAX - 1) / size);
  t.like(first, { changes: whole, unlisted: whole, paths: [], end: "more" });
  const rest = changedOf(replica, { after: first.through, pathsMax: 0 });
  t.like(rest, { changes: 1 + multis * size - whole, end: "last", through: replica.lastZxid });
});

test("what the ring holds no more is said", (t) => {
  const replica = new Replica({ ringBytesMax: 4000 });
  const session = replica.session();
  replica.do(session, create("/p"));
  const after = replica.lastZxid;
  for (let count = 0; count < 100; count += 1) replica.do(session, setData("/p", null));
  t.like(changedOf(replica, { after }), { end: "lost", through: replica.lastZxid, changes: 0 });
});
