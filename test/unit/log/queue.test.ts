import test from "ava";
import { type NextWork, WorkQueue } from "../../../actors/log/queue.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { zxid } from "./harness.ts";

const CHANGES = { mayChange: true, mustPrepare: false };
const NO_CHANGES = { mayChange: false, mustPrepare: false };

function queueOf({ reads, works }: { reads: number; works: number }): WorkQueue {
  const queue = new WorkQueue();
  for (let read = 1; read <= reads; read += 1) addRead(queue, zxid(1, read));
  for (let work = 1; work <= works; work += 1) queue.addSnapshotWork({ kind: "purge" });
  return queue;
}

function addRead(queue: WorkQueue, after: Zxid): void {
  queue.addRead({ kind: "read", purpose: { kind: "delivery" }, after, bytesMax: 1 });
}

/** What the queue gives when every change that it names begins. */
function taken(queue: WorkQueue, times: number, may: typeof CHANGES): NextWork["kind"][] {
  return Array.from({ length: times }, () => {
    const { kind } = queue.next(may);
    if (kind === "change") queue.changeBegan();
    return kind;
  });
}

test("an empty queue has nothing to do, or the change that may begin", (t) => {
  const queue = queueOf({ reads: 0, works: 0 });
  t.deepEqual(taken(queue, 2, NO_CHANGES), ["nothing", "nothing"]);
  t.deepEqual(taken(queue, 2, CHANGES), ["change", "change"]);
});

test("a read does not follow a read while a change may begin", (t) => {
  const queue = queueOf({ reads: 3, works: 0 });
  const kinds = taken(queue, 6, CHANGES);
  t.deepEqual(kinds, ["read", "change", "read", "change", "read", "change"]);
});

test("reads follow one another while no change may begin, in the order in which they were asked", (t) => {
  const queue = queueOf({ reads: 3, works: 0 });
  const after = [1, 2, 3].map(() => {
    const next = queue.next(NO_CHANGES);
    return next.kind === "read" ? next.request.after : undefined;
  });
  t.deepEqual(after, [zxid(1, 1), zxid(1, 2), zxid(1, 3)]);
  t.is(queue.next(NO_CHANGES).kind, "nothing");
});

test("one piece of work on snapshots is done between two changes", (t) => {
  const queue = queueOf({ reads: 0, works: 3 });
  const kinds = taken(queue, 5, CHANGES);
  t.deepEqual(kinds, ["snapshotWork", "change", "snapshotWork", "change", "snapshotWork"]);
});

test("work on snapshots follows itself while no change may begin", (t) => {
  const queue = queueOf({ reads: 0, works: 2 });
  t.deepEqual(taken(queue, 3, NO_CHANGES), ["snapshotWork", "snapshotWork", "nothing"]);
});

test("of all three kinds every second piece is a read, and the others are by turns work on snapshots and changes", (t) => {
  const queue = queueOf({ reads: 4, works: 2 });
  const kinds = taken(queue, 8, CHANGES);
  t.deepEqual(kinds, [
    "read",
    "snapshotWork",
    "read",
    "change",
    "read",
    "snapshotWork",
    "read",
    "change",
  ]);
});

test("space is prepared before a change when it must be, and after reads and work on snapshots", (t) => {
  const queue = queueOf({ reads: 1, works: 1 });
  const may = { mayChange: true, mustPrepare: true };
  t.deepEqual(taken(queue, 4, may), ["read", "snapshotWork", "prepare", "prepare"]);
  t.deepEqual(taken(queue, 1, CHANGES), ["change"]);
});

test("space that must be prepared is prepared while no change may begin, too", (t) => {
  const queue = queueOf({ reads: 0, works: 0 });
  t.deepEqual(taken(queue, 1, { mayChange: false, mustPrepare: true }), ["prepare"]);
});

test("a change that was named and did not begin keeps its turn before work on snapshots", (t) => {
  const queue = queueOf({ reads: 0, works: 2 });
  t.is(queue.next(CHANGES).kind, "snapshotWork");
  t.is(queue.next(CHANGES).kind, "change");
  t.is(queue.next(CHANGES).kind, "change");
  queue.changeBegan();
  t.is(queue.next(CHANGES).kind, "snapshotWork");
});
