/** What the operator profile reads of a node's own measurements. */
import test from "ava";
import { bucketsOf, longestMs } from "../../../bench/profiles/operator/loop-times.ts";

const METRICS = `# HELP zooid_turn_seconds Turns of the loop of a thread.
# TYPE zooid_turn_seconds histogram
zooid_turn_seconds_bucket{thread="main",le="0.001"} 10
zooid_turn_seconds_bucket{thread="main",le="0.25"} 12
zooid_turn_seconds_bucket{thread="main",le="+Inf"} 12
zooid_turn_seconds_sum{thread="main"} 0.3
zooid_turn_seconds_bucket{thread="log",le="0.001"} 4
zooid_turn_seconds_bucket{thread="log",le="0.25"} 4
zooid_turn_seconds_bucket{thread="log",le="+Inf"} 4
zooid_event_loop_delay_seconds_bucket{thread="main",le="0.001"} 0
zooid_event_loop_delay_seconds_bucket{thread="main",le="+Inf"} 1
`;

function later(...changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((text, [from, to]) => text.replace(from, to), METRICS);
}

test("the longest turn between two scrapes is that of the thread and the node that had it", (t) => {
  const before = new Map([...bucketsOf(METRICS, 0), ...bucketsOf(METRICS, 1)]);
  const busy = later(
    ['{thread="log",le="0.25"} 4', '{thread="log",le="0.25"} 5'],
    ['{thread="log",le="+Inf"} 4', '{thread="log",le="+Inf"} 5'],
  );
  const after = new Map([...bucketsOf(METRICS, 0), ...bucketsOf(busy, 1)]);
  t.is(longestMs("zooid_turn_seconds", { before, after }), 250);
  t.is(longestMs("zooid_event_loop_delay_seconds", { before, after }), 0);
});

test("what was counted before is not counted again, and a turn beyond all bounds has none", (t) => {
  const before = new Map(bucketsOf(METRICS, 0));
  t.is(longestMs("zooid_turn_seconds", { before, after: before }), 0);
  const beyond = new Map(
    bucketsOf(later(['{thread="main",le="+Inf"} 12', '{thread="main",le="+Inf"} 13']), 0),
  );
  t.is(longestMs("zooid_turn_seconds", { before, after: beyond }), Number.POSITIVE_INFINITY);
});
