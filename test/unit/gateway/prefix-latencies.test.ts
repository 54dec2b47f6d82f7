/** What a gateway keeps of how long requests took by where they went. */
import test from "ava";
import fc from "fast-check";
import { heatOf } from "../../../actors/admin/heat/heat.ts";
import type { PrefixLatencies } from "../../../actors/admin/heat/messages.ts";
import type { Part } from "../../../actors/admin/messages.ts";
import {
  countPrefixOf,
  newPrefixMap,
  prefixLatencies,
  type PrefixMap,
  prefixWeight,
} from "../../../actors/gateway/prefix-latencies.ts";
import type { Queueable } from "../../../actors/gateway/request-queue.ts";
import { addCounts, countsOf, OTHER_PATHS, prefixOf } from "../../../actors/path-prefixes.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import {
  LATENCY_PREFIX_COLUMN_MS,
  LATENCY_PREFIX_COLUMNS,
  LATENCY_PREFIX_COUNTED,
  LATENCY_PREFIX_LENGTH_MAX,
  LATENCY_PREFIXES_MAX,
} from "../../../protocol/limits.ts";

const get = (path: string): Queueable => ({
  kind: "read",
  read: { kind: "getData", path, watch: false },
});

function answer(
  map: PrefixMap,
  request: Queueable,
  { at = 0, took = 1, isSlow = false } = {},
): void {
  const nowMs = at + took;
  const weight = isSlow ? 1 : prefixWeight(map, nowMs);
  if (weight > 0) countPrefixOf(map, request, { startedMs: at, nowMs, weight });
}

const totalOf = ({ counts }: PrefixLatencies): number =>
  counts.reduce((total, [, count]) => total + count, 0);

function totals(listed: readonly PrefixLatencies[]): Readonly<Record<string, number>> {
  return Object.fromEntries(listed.map((each) => [each.prefix, totalOf(each)]));
}

test("requests count by the first two names of their paths, a multi by its first", (t) => {
  const map = newPrefixMap();
  for (const path of ["/", "/app", "/app/locks", "/app/locks/one", "/app/locks/two/three"]) {
    answer(map, get(path));
  }
  const operation = { kind: "delete", path: "/app/jobs/7", version: -1 } as const;
  answer(map, { kind: "write", operation: { kind: "multi", operations: [operation] } });
  answer(map, { kind: "ping" });
  t.deepEqual(totals(prefixLatencies(map, 1)), {
    "/app/locks": 3,
    "/": 1,
    "/app": 1,
    "/app/jobs": 1,
  });
});

test("times are in the buckets of the map, and those of ten minutes are together", (t) => {
  const map = newPrefixMap();
  answer(map, get("/a"), { took: 1 });
  answer(map, get("/a"), { at: LATENCY_PREFIX_COLUMN_MS, took: 8 });
  const [first] = prefixLatencies(map, 2 * LATENCY_PREFIX_COLUMN_MS);
  t.deepEqual(first?.counts, [
    [8, 1],
    [14, 1],
  ]);
  const later = (LATENCY_PREFIX_COLUMNS + 0.5) * LATENCY_PREFIX_COLUMN_MS;
  t.deepEqual(prefixLatencies(map, later)[0]?.counts, [[14, 1]]);
  t.deepEqual(prefixLatencies(map, 2 * later), []);
});

test("of many in a second some stand for all, and every slow one counts", (t) => {
  const map = newPrefixMap();
  const many = 100_000;
  for (let number = 0; number < many; number += 1) {
    const isSlow = number % 10_000 === 9_999;
    answer(map, get(number % 4 === 0 ? "/b" : "/a"), { took: isSlow ? 500 : 1, isSlow });
  }
  const listed = prefixLatencies(map, 0);
  const { "/a": a = 0, "/b": b = 0 } = totals(listed);
  t.true(Math.abs(a + b - many) < many / 10, `${a} and ${b}`);
  t.true(Math.abs(a - 3 * b) < many / 5, `${a} and ${b}`);
  const slow = listed.flatMap(({ counts }) => counts.filter(([bucket]) => bucket > 20));
  t.is(
    slow.reduce((sum, [, count]) => sum + count, 0),
    10,
  );
  // The next second begins again.
  for (let number = 0; number < LATENCY_PREFIX_COUNTED; number += 1) {
    answer(map, get("/c"), { at: 1000 });
  }
  t.is(totals(prefixLatencies(map, 1000))["/c"], LATENCY_PREFIX_COUNTED);
});

test("a name that comes once is not taken for one that comes often", (t) => {
  const map = newPrefixMap();
  const many = 10_000;
  for (let number = 0; number < many; number += 1) {
    answer(map, get(number % 20 === 0 ? "/app/config" : `/members/n-${number}`));
  }
  const {
    "/app/config": config = 0,
    "/members": members = 0,
    ...others
  } = totals(prefixLatencies(map, 0));
  t.true(config > many / 100 && members > many / 2, `${config} and ${members}`);
  for (const [name, count] of Object.entries(others)) t.is(count, 1, name);
});

test("what is seldom is counted with what is above it, nothing is lost, and there are only so many", (t) => {
  const limits = { prefixesMax: 16, lengthMax: 20, kinds: 2 };
  const name = fc.constantFrom("a", "b", "c", "dd", "e".repeat(30));
  const path = fc
    .array(fc.oneof(name, fc.nat(50).map(String)), { maxLength: 4 })
    .map((names) => `/${names.join("/")}`);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(path, { maxLength: 300 }), (paths) => {
        const all = new Map<string, Uint32Array>();
        for (const each of paths) {
          const counts = countsOf(all, prefixOf(each, limits), limits);
          counts[1] = (counts[1] ?? 0) + 1;
          if (all.size > limits.prefixesMax + 1) return false;
        }
        const sum = [...all.values()].reduce((total, counts) => total + (counts[1] ?? 0), 0);
        return sum === paths.length;
      }),
    ),
  );
});

test("a path that is asked for often is apart among as many others as there may be", (t) => {
  const map = newPrefixMap();
  for (let number = 0; number < 5000; number += 1) {
    const isSlow = true;
    answer(map, get(`/members/n-${number}`), { isSlow });
    if (number % 10 === 0) answer(map, get("/app/config/x"), { isSlow });
    answer(map, get(`/${number}`), { isSlow });
  }
  const listed = prefixLatencies(map, 0);
  const {
    "/members": members = 0,
    "/app/config": config,
    [OTHER_PATHS]: others = 0,
  } = totals(listed);
  t.true(listed.length <= LATENCY_PREFIXES_MAX);
  t.true((config ?? 0) >= 400, `${config}`);
  t.true(members > 4800 && others > 4800, `${members} and ${others}`);
  t.is(
    listed.reduce((sum, each) => sum + totalOf(each), 0),
    10_500,
  );
});

test("beginnings have a length, and what is longer counts with what is above it", (t) => {
  const long = "x".repeat(LATENCY_PREFIX_LENGTH_MAX);
  const limits = { lengthMax: LATENCY_PREFIX_LENGTH_MAX };
  t.is(prefixOf(`/a/${long}/b`, limits), "/a");
  t.is(prefixOf(`/${long}/b`, limits), OTHER_PATHS);
  t.is(prefixOf(`/${long}`, limits), OTHER_PATHS);
  t.is(prefixOf("/a/b", limits), "/a/b");
});

test("the gateways of a node are counted together, and no more are told than one may have", (t) => {
  const part = (...prefixes: readonly PrefixLatencies[]): Part => {
    return { kind: "part", question: 1, from: "nats/1", groups: [], omitted: 0, prefixes };
  };
  const { prefixes } = heatOf(1 as ServerId, [
    part({ prefix: "/a", counts: [[3, 2]] }, { prefix: "/b", counts: [[0, 1]] }),
    part({
      prefix: "/a",
      counts: [
        [3, 1],
        [4, 1],
      ],
    }),
  ]);
  t.deepEqual(prefixes, [
    {
      prefix: "/a",
      counts: [
        [3, 3],
        [4, 1],
      ],
    },
    { prefix: "/b", counts: [[0, 1]] },
  ]);
  const many = (from: string): Part => {
    const names = Array.from({ length: LATENCY_PREFIXES_MAX }, (_, index) => `/${from}${index}`);
    return part(...names.map((prefix) => ({ prefix, counts: [[1, 1]] as const })));
  };
  const together = heatOf(1 as ServerId, [many("a"), many("b")]).prefixes;
  t.true(together.length <= LATENCY_PREFIXES_MAX);
  t.is(
    together.reduce((sum, each) => sum + totalOf(each), 0),
    2 * LATENCY_PREFIXES_MAX,
  );
  const all = new Map<string, Uint32Array>();
  addCounts(all, "/a", [[1, 5]], 2);
  addCounts(all, "/a", [[1, 6]], 2);
  t.deepEqual([...(all.get("/a") ?? [])], [0, 11]);
});
