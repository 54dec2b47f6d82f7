/** How a node's actors are shared out to threads. */
import test from "ava";
import { placementOf } from "../../../server/threads/choice.ts";

const of = (lanes: number | "auto", cores: number, laneHeapBytes = 0): [string, number] => {
  const surroundings = { cores, ownsProcess: true };
  const { threads, lanes: count } = placementOf({ lanes, laneHeapBytes }, surroundings);
  return [threads, count];
};

test("a node that has less than three cores for itself does all in one thread", (t) => {
  for (const cores of [2 / 3, 1, 2, 2.9]) t.deepEqual(of("auto", cores), ["one", 1], `${cores}`);
});

test("with more cores the log and the lanes have threads, and lanes grow with the cores", (t) => {
  const lanes = [3, 5, 6, 11, 12, 64].map((cores) => of("auto", cores));
  t.deepEqual(
    lanes.map(([threads]) => threads),
    lanes.map(() => "own"),
  );
  t.deepEqual(
    lanes.map(([, count]) => count),
    [1, 1, 2, 2, 4, 4],
  );
});

test("what is configured is taken as it is, whatever the cores are", (t) => {
  t.deepEqual(of(0, 64), ["one", 1]);
  t.deepEqual(of(1, 1), ["own", 1]);
  t.deepEqual(of(3, 1), ["own", 3]);
});

test("lanes whose heap is limited have threads of their own, which alone have heaps of their own", (t) => {
  t.deepEqual(of("auto", 1, 64 * 1024 * 1024), ["own", 1]);
});

test("the reason names the cores of the node, or what was configured", (t) => {
  const settings = { lanes: "auto", laneHeapBytes: 0 } as const;
  const surroundings = { cores: 2 / 3, ownsProcess: true };
  t.is(placementOf(settings, surroundings).because, "0.7 cores for the node");
  t.is(placementOf({ ...settings, lanes: 2 }, surroundings).because, "lanes = 2");
});

test("the main thread of a process that others use does not wait for a disk, unless it is told to", (t) => {
  const shared = { cores: 1, ownsProcess: false };
  const settings = { lanes: "auto", laneHeapBytes: 0 } as const;
  t.like(placementOf(settings, shared), { threads: "own", lanes: 1 });
  t.is(placementOf({ ...settings, lanes: 0 }, shared).threads, "one");
});
