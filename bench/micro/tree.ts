/** Measures the tree actor: what every lane does for each committed batch, and for the reads of its own clients. */
import { crc32 } from "node:zlib";
import type { Bench } from "tinybench";
import type { TreeMessage } from "../../actors/tree/messages.ts";
import type { TreeEffect } from "../../actors/tree/state.ts";
import { treeActor, type TreeState } from "../../actors/tree/tree.ts";
import { DrivenActor } from "../../runtime/testing/driven.ts";
import { BENCH_SERVER, makeRecords, znodePath } from "../lanes/records.ts";

const OPERATIONS = 64;
/** How many batches are made. Each can be applied once; after the last, the tree starts empty again. */
const BATCHES = 5000;

const PLAN = {
  lanes: 1,
  znodes: 1000,
  valueBytes: 128,
  batches: BATCHES,
  operationsPerBatch: OPERATIONS,
};

type Tree = DrivenActor<TreeState, TreeMessage, TreeEffect>;

export function addTreeBenches(bench: Bench): void {
  // Lane 1 submits the batches, so a tree of lane 2 applies them without making results.
  addApplyBench(bench, "setData", 1);
  addApplyBench(bench, "setData", 2);
  addApplyBench(bench, "create", 2);
  addReadBench(bench);
}

function addApplyBench(bench: Bench, operation: "setData" | "create", lane: number): void {
  const { setUp, batches } = makeRecords({ ...PLAN, operation });
  const actor = treeActor({ server: BENCH_SERVER, lane, crc32 });
  const fresh = (): Tree => {
    const tree = new DrivenActor(actor);
    tree.receive({ kind: "committed", records: setUp });
    return tree;
  };
  let tree = fresh();
  let next = 0;
  const whose = lane === 1 ? "its own" : "another lane's";
  bench.add(`tree: apply ${OPERATIONS} ${operation}, ${whose}`, () => {
    const record = batches[next];
    next += 1;
    if (record === undefined) {
      tree = fresh();
      next = 0;
    } else {
      tree.receive({ kind: "committed", records: [record] });
    }
  });
}

function addReadBench(bench: Bench): void {
  const { setUp } = makeRecords({ ...PLAN, operation: "setData" });
  const actor = treeActor({ server: BENCH_SERVER, lane: 1, crc32 });
  const tree = new DrivenActor(actor);
  tree.receive({ kind: "committed", records: setUp });
  const message: TreeMessage = {
    kind: "read",
    from: "zookeeper/1",
    client: 1,
    answerBytesMax: Number.POSITIVE_INFINITY,
    reads: Array.from({ length: OPERATIONS }, (_, index) => {
      return { kind: "getData", path: znodePath(index), watch: false };
    }),
  };
  bench.add(`tree: ${OPERATIONS} getData`, () => {
    tree.receive(message);
  });
}
