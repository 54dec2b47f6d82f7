/** Children by pages: what is there all the time is on one page, and a page costs what it has. */
import { crc32 } from "node:zlib";
import test from "ava";
import { childrenPage } from "../../../actors/tree/children-page.ts";
import { createState } from "../../../actors/tree/state.ts";
import { type ZnodeId, Znodes } from "../../../actors/tree/store/znodes.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { type ServerId, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { PAGE_CHILDREN_MAX } from "../../../protocol/limits.ts";
import type { PageBefore, ReadResult } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { check, create, multi, remove, Replica } from "../../support/replica.ts";
import { cut, load } from "../../support/snapshots.ts";

type Page = Extract<ReadResult, { readonly kind: "page" }>;

function page(
  replica: Replica,
  path: string,
  childrenMax: number,
  after?: PageBefore,
): Page & { readonly before: PageBefore } {
  const { results, zxid } = replica.readAs("nats/0", 1, {
    ...{ kind: "childrenPage", path, childrenMax, after },
  });
  const [result] = results;
  if (result?.kind !== "page") throw new Error(`a ${result?.kind}`);
  return { ...result, before: { names: result.children.slice(-16), zxid, order: result.order } };
}

function parentOf(count: number): { readonly replica: Replica; readonly session: SessionId } {
  const replica = new Replica();
  const session = replica.session();
  replica.do(session, create("/p"));
  for (let made = 0; made < count; made += 1000) {
    const names = Array.from({ length: Math.min(1000, count - made) }, (_, at) => made + at);
    replica.do(session, multi(...names.map((name) => create(`/p/${name}`))));
  }
  return { replica, session };
}

test("pages follow each other to the last child, whatever their size", (t) => {
  const { replica } = parentOf(10);
  const all = Array.from({ length: 10 }, (_, index) => String(index));
  for (const size of [1, 3, 5, 10, 11]) {
    const names: string[] = [];
    let next = page(replica, "/p", size);
    for (; next.end === "more"; next = page(replica, "/p", size, next.before)) {
      t.is(next.children.length, size);
      names.push(...next.children);
    }
    t.is(next.end, "last");
    t.deepEqual([...names, ...next.children], all, `of ${size}`);
  }
  t.like(page(replica, "/p/3", 5), { children: [], end: "last" });
  t.like(page(replica, "/", 5), { children: ["zookeeper", "p"], end: "last" });
  const absent = { kind: "childrenPage", path: "/absent", childrenMax: 1 } as const;
  t.deepEqual(replica.read({ ...absent, after: undefined }), [
    { kind: "error", code: Code.noNode },
  ]);
});

test("children that come and go between two pages change nothing for the others", (t) => {
  const { replica, session } = parentOf(9);
  const first = page(replica, "/p", 4);
  t.deepEqual(first.children, ["0", "1", "2", "3"]);
  replica.do(session, remove("/p/3"));
  replica.do(session, remove("/p/2"));
  // It has the name of one that was given, and stands behind all others.
  replica.do(session, create("/p/3"));
  replica.do(session, remove("/p/5"));
  replica.do(session, create("/p/new"));
  const second = page(replica, "/p", 4, first.before);
  t.deepEqual(second.children, ["4", "6", "7", "8"]);
  const third = page(replica, "/p", 4, second.before);
  t.like(third, { children: ["3", "new"], end: "last" });
});

test("where it cannot be known where to go on, the answer says so", (t) => {
  const { replica, session } = parentOf(6);
  const first = page(replica, "/p", 3);
  const lost = { children: [], end: "lost" } as const;
  t.like(page(replica, "/p", 3, { ...first.before, names: [] }), lost);
  t.like(page(replica, "/p", 3, { ...first.before, names: ["absent"] }), lost);
  t.like(page(replica, "/p", 3, { ...first.before, order: "another" }), lost);
  const other = new Replica();
  load(other, cut(replica));
  t.like(page(other, "/p", 3, first.before), lost);
  // What an undone multi had deleted stands behind all others.
  replica.do(session, multi(remove("/p/2"), check("/p", 7)));
  t.like(page(replica, "/p", 3, first.before), lost);
  t.deepEqual(page(replica, "/p", 10).children, ["0", "1", "3", "4", "5", "2"]);
});

test("a page of a parent with 200,000 children looks at those that it has, and at no others", (t) => {
  const tree = createState({ server: 1 as ServerId, lane: 1, crc32 }, new Uint8Array(8));
  const { znodes } = tree;
  const zxid = 1 as Zxid;
  const made = { acl: OPEN_ACL, zxid, timeMs: 1, owner: SESSION_NONE, lifetime: undefined };
  const parent = znodes.add(znodes.findParent("/p") as ZnodeId, "/p", { ...made, data: null });
  const count = 200_000;
  for (let index = 0; index < count; index += 1) {
    znodes.add(parent, `/p/child-${index}`, { ...made, data: null });
  }
  const original = Znodes.prototype;
  let looked = 0;
  znodes.childAfter = (...args) => {
    looked += 1;
    return original.childAfter.apply(znodes, args);
  };
  znodes.visitChildren = () => t.fail("all children are visited");
  const seen = new Set<string>();
  let after: PageBefore | undefined;
  for (let end = "more"; end === "more"; ) {
    looked = 0;
    const asked = { kind: "childrenPage", path: "/p", childrenMax: 1_000_000, after } as const;
    const result = childrenPage(tree, parent, asked);
    if (result.kind !== "page") return t.fail(result.kind);
    t.true(looked <= PAGE_CHILDREN_MAX + 1);
    for (const name of result.children) seen.add(name);
    after = { names: result.children.slice(-16), zxid, order: result.order };
    end = result.end;
  }
  t.is(seen.size, count);
});
