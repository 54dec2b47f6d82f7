/** How long requests took, as a map and as numbers. */
import test from "ava";
import { fieldsOf, figuresOf, LEVELS } from "../../../dashboard/src/format/heat.ts";

const SCALE = { columnMs: 10_000, columns: 60, kinds: ["get", "set"], upToMs: [1, 2, 4] };

test("fields add up what is asked for, and the most frequent has the strongest colour", (t) => {
  const cells = [
    [0, 0, 1, 1],
    [0, 1, 1, 99],
    [5, 0, 2, 1],
  ] as const;
  t.deepEqual(fieldsOf(cells, undefined), [
    { column: 0, bucket: 1, count: 100, level: LEVELS },
    { column: 5, bucket: 2, count: 1, level: 1 },
  ]);
  t.deepEqual(
    fieldsOf(cells, 1).map(({ count }) => count),
    [99],
  );
  t.deepEqual(fieldsOf([], undefined), []);
});

test("the figures of a kind are bounds of its times over all columns", (t) => {
  const cells = [
    [0, 0, 0, 50],
    [3, 0, 1, 49],
    [4, 0, 2, 1],
    [4, 1, 2, 1],
  ] as const;
  t.deepEqual(figuresOf(cells, SCALE), [
    { kind: "get", count: 100, p50Ms: 1, p99Ms: 2, mostMs: 4 },
    { kind: "set", count: 1, p50Ms: 4, p99Ms: 4, mostMs: 4 },
  ]);
});
