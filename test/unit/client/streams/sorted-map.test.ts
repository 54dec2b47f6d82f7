import test from "ava";
import fc from "fast-check";
import { SortedMap } from "../../../../client/streams/sorted-map.ts";

const key = fc.oneof(fc.string({ maxLength: 3 }), fc.nat(40).map(String));
const steps = fc.array(fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) }), {
  maxLength: 200,
  size: "max",
});

const inOrder = (map: ReadonlyMap<string, number>): [string, number][] =>
  [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));

test("a sorted map has what a map has, in order, and earlier ones stay as they were", (t) => {
  fc.assert(
    fc.property(steps, (list) => {
      const model = new Map<string, number>();
      let map: SortedMap<number> = SortedMap.empty;
      const earlier: { readonly map: SortedMap<number>; readonly entries: [string, number][] }[] =
        [];
      for (const each of list) {
        earlier.push({ map, entries: inOrder(model) });
        if (each.value === undefined) model.delete(each.key);
        else model.set(each.key, each.value);
        map = each.value === undefined ? map.without(each.key) : map.with(each.key, each.value);
        t.is(map.size, model.size);
        t.is(map.get(each.key), each.value);
        t.is(map.has(each.key), each.value !== undefined);
      }
      t.deepEqual([...map], inOrder(model));
      for (const one of earlier) t.deepEqual([...one.map], one.entries);
      t.deepEqual([...SortedMap.of(inOrder(model))], inOrder(model));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test("a map is walked by keys, values and visits alike", (t) => {
  const map = SortedMap.of([
    ["a", 1],
    ["b", 2],
  ]);
  const visited: [string, number][] = [];
  map.forEach((value, each) => visited.push([each, value]));
  t.deepEqual(visited, [...map.entries()]);
  t.deepEqual(
    [[...map.keys()], [...map.values()]],
    [
      ["a", "b"],
      [1, 2],
    ],
  );
});

test("a map that grows from one end stays in balance, and so does one that shrinks", (t) => {
  let map: SortedMap<number> = SortedMap.empty;
  const name = (index: number): string => String(index).padStart(6, "0");
  // Without balance the recursion would be as deep as the map is large.
  for (let index = 0; index < 50_000; index += 1) map = map.with(name(index), index);
  t.is(map.size, 50_000);
  for (let index = 0; index < 49_990; index += 1) map = map.without(name(index));
  t.deepEqual(
    [...map.values()],
    Array.from({ length: 10 }, (_, index) => 49_990 + index),
  );
});
