/** The store of znodes, which lies outside of the heap, against a plain map. */
import test from "ava";
import fc from "fast-check";
import { ENTRY_DATA_BYTES_MAX, SLAB_BYTES } from "../../../actors/tree/store/arena.ts";
import { Znodes } from "../../../actors/tree/store/znodes.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { belowOf, entriesOf, heldBy, totalsOf, ZnodesModel } from "../../support/znodes-model.ts";

const KEY = new Uint8Array(8).fill(7);
const LARGE = { key: KEY, slabBytes: SLAB_BYTES };
const SMALL = { key: KEY, slabBytes: 512 };
const READ_ACL = [{ permissions: 1, scheme: "world", id: "anyone" }];

const name = fc.constantFrom("a", "b", "ab", "é", "名前", "x".repeat(300), "y".repeat(9_000));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const length = fc.constantFrom(
  0,
  1,
  7,
  8,
  100,
  ENTRY_DATA_BYTES_MAX,
  ENTRY_DATA_BYTES_MAX + 1,
  9e4,
);
const data = fc.option(
  fc.tuple(length, fc.nat(255)).map(([bytes, value]) => new Uint8Array(bytes).fill(value)),
);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("create"), path, data, owner: fc.nat(1) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("set"), path, data }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove"), path, back: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("acl"), path, isOpen: fc.boolean() }) },
);
type Step = {
  readonly kind: string;
  readonly path: string;
  readonly data?: Uint8Array | null;
  readonly owner?: number;
  readonly back?: boolean;
  readonly isOpen?: boolean;
};

function perform(model: ZnodesModel, each: Step): void {
  if (each.kind === "create") model.create(each.path, each.data ?? null, each.owner);
  else if (each.kind === "set") model.set(each.path, each.data ?? null);
  else if (each.kind === "remove") model.remove(each.path, each.back);
  else model.setAcl(each.path, each.isOpen === true ? OPEN_ACL : READ_ACL);
}

for (const setup of [LARGE, SMALL]) {
  test(`with slabs of ${setup.slabBytes} bytes the store holds what a map of paths holds, whatever is done to both`, (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new ZnodesModel(setup);
        for (const each of steps) perform(model, each);
        t.deepEqual(byPath(model.held()), byPath(model.plain));
        t.deepEqual(totalsOf(model.znodes), model.totals);
        t.deepEqual(byPath(belowOf(model.znodes)), byPath(model.below));
      }),
      { numRuns: 100 },
    );
  });
}

test("a store that is restored from another's znodes, in any order, holds the same", (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, order) => {
      const model = new ZnodesModel(LARGE);
      for (const each of steps) perform(model, each);
      const entries = entriesOf(model.znodes);
      const shuffled = entries
        .map((entry, index) => ({ entry, at: Math.imul(index + 1, (order | 1) * 0x9e37_79b1) }))
        .sort((a, b) => a.at - b.at);
      const other = new Znodes({ key: new Uint8Array(8), slabBytes: SLAB_BYTES });
      for (const { entry } of shuffled) t.not(other.restore(entry), undefined);
      t.deepEqual(sorted(heldBy(other)), sorted(model.held()));
      t.deepEqual(totalsOf(other), model.totals);
      for (const [at, below] of belowOf(other)) t.deepEqual(below, model.below.get(at));
      t.is(other.bytes, model.znodes.bytes, "the size depends only on what there is");
      for (const { entry } of shuffled) t.is(other.restore(entry), undefined, "it is there");
    }),
    { numRuns: 50 },
  );
});

type Held = ReturnType<typeof heldBy>;

function byPath<Value>(held: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map([...held].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Children come in the order of the restoring. */
function sorted(held: Held): Held {
  const plain = [...held].map(([at, each]) => {
    return [at, { ...each, children: each.children.toSorted() }] as const;
  });
  return byPath(new Map(plain));
}

test("data that changes its size again and again leaves no more dead bytes than live ones", (t) => {
  const model = new ZnodesModel(LARGE);
  const count = 3_000;
  for (let index = 0; index < count; index += 1) {
    model.create(`/n${index}`, new Uint8Array(50));
  }
  for (let round = 1; round <= 60_000; round += 1) {
    const index = (round * 7_919) % count;
    model.set(`/n${index}`, new Uint8Array((round * 31) % 200).fill(round));
  }
  t.true(model.znodes.slabBytes < 2 * model.znodes.entryBytes + 3 * 65_536);
  for (const at of model.paths) {
    const expected = model.plain.get(at)?.data;
    t.deepEqual(model.znodes.data(model.id(at)), expected, at);
  }
});

test("removed znodes leave their memory to others", (t) => {
  const model = new ZnodesModel(LARGE);
  const fill = (): void => {
    for (let index = 0; index < 2_000; index += 1) model.create(`/n${index}`, new Uint8Array(100));
  };
  fill();
  const { end, slabBytes, bytes } = model.znodes;
  for (let round = 0; round < 5; round += 1) {
    for (const at of model.paths.toReversed()) model.remove(at);
    fill();
  }
  t.is(model.znodes.end, end, "numbers are used again");
  t.is(model.znodes.bytes, bytes);
  t.true(model.znodes.slabBytes <= slabBytes + 65_536);
});

test("data that was read stays as it was when the znode changes", (t) => {
  const model = new ZnodesModel(LARGE);
  model.create("/a", new Uint8Array(100).fill(1));
  const before = model.znodes.data(model.id("/a"));
  model.set("/a", new Uint8Array(100).fill(2));
  t.deepEqual(before, new Uint8Array(100).fill(1));
});

test("paths that cannot be are not found", (t) => {
  const model = new ZnodesModel(LARGE);
  model.create("/a", null);
  for (const wrong of ["", "a", "a/", "/a/", "//a", "/a//", "//", "/A", "/a\u0000", "/\ud800"]) {
    t.is(model.znodes.find(wrong), undefined, JSON.stringify(wrong));
  }
  t.is(model.znodes.find("/"), model.id("/"));
});

test("a hundred thousand children of one parent are found and listed in their order", (t) => {
  const znodes = new ZnodesModel(LARGE).znodes;
  const root = znodes.findParent("/n");
  if (root === undefined) throw new Error("there is a root");
  const made = { acl: OPEN_ACL, zxid: 1, timeMs: 1, owner: 0, data: null } as Parameters<
    typeof znodes.add
  >[2];
  const names = Array.from({ length: 100_000 }, (_, index) => `n${index}`);
  const ids = names.map((each) => znodes.add(root, `/${each}`, made));
  t.deepEqual(znodes.children(root), names);
  t.true(names.every((each, index) => znodes.find(`/${each}`) === ids[index]));
  for (let index = 0; index < names.length; index += 2) {
    const id = ids[index];
    if (id !== undefined) znodes.unlink(id, `/n${index}`);
  }
  t.deepEqual(
    znodes.children(root),
    names.filter((_, index) => index % 2 === 1),
  );
});
