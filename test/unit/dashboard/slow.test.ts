/** Slow requests and where their time went, and how long requests took by path, as they are drawn and written. */
import test from "ava";
import { prefixRows } from "../../../dashboard/src/format/prefixes.ts";
import {
  barsOf,
  longestOf,
  operationInWords,
  type Span,
  stagesIn,
  tookIn,
} from "../../../dashboard/src/format/slow.ts";

const STAGES: readonly Span[] = [
  { stage: "gateway", fromMs: 0, toMs: 10 },
  { stage: "log", fromMs: 10, toMs: 60 },
  { stage: "quorum", fromMs: 10, toMs: 90 },
  { stage: "reply", fromMs: 90, toMs: 100 },
];

test("bars lie on one scale, and what goes on beside each other is below each other", (t) => {
  t.deepEqual(barsOf({ stages: STAGES }, 200), [
    { stage: "gateway", from: 0, width: 0.05, row: 0 },
    { stage: "log", from: 0.05, width: 0.25, row: 1 },
    { stage: "quorum", from: 0.05, width: 0.4, row: 0 },
    { stage: "reply", from: 0.45, width: 0.05, row: 0 },
  ]);
  for (const { from, width } of barsOf({ stages: STAGES }, 0)) {
    t.true(from >= 0 && from <= 1 && width >= 0 && width <= 1, "nothing is drawn beyond the edge");
  }
});

test("the stages that some have are shown in their order, and the longest is named", (t) => {
  const one = { stages: STAGES.slice(2) };
  t.deepEqual(stagesIn([one, { stages: STAGES.slice(0, 1) }]), ["gateway", "quorum", "reply"]);
  t.is(tookIn(one, "quorum"), 80);
  t.is(tookIn(one, "log"), undefined);
  t.is(longestOf({ stages: STAGES })?.stage, "quorum");
  t.is(longestOf({ stages: [] }), undefined);
  t.is(operationInWords({ operation: "multi", operations: 1200 }), "multi of 1,200");
  t.is(operationInWords({ operation: "create", operations: 1 }), "create");
});

test("paths of several nodes are counted together, the most frequent first", (t) => {
  const upToMs = [1, 2, 4];
  const rows = prefixRows(
    [
      {
        prefix: "/a",
        counts: [
          [0, 50],
          [1, 49],
        ],
      },
      { prefix: "", counts: [[0, 1]] },
      { prefix: "/a", counts: [[2, 1]] },
      { prefix: "/b", counts: [[2, 7]] },
    ],
    upToMs,
    2,
  );
  t.deepEqual(
    rows.map(({ fields, ...row }) => [row, fields.map(({ bucket, count }) => [bucket, count])]),
    [
      [
        { prefix: "/a", count: 100, p50Ms: 1, p99Ms: 2, mostMs: 4 },
        [
          [0, 50],
          [1, 49],
          [2, 1],
        ],
      ],
      [{ prefix: "/b", count: 7, p50Ms: 4, p99Ms: 4, mostMs: 4 }, [[2, 7]]],
    ],
  );
  t.deepEqual(
    rows[0]?.fields.map(({ level }) => level),
    [5, 5, 1],
  );
  t.deepEqual(prefixRows([], upToMs, 2), []);
});
