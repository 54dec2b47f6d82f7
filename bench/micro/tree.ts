/** The tree actor: what every lane does for every committed batch, and for its own clients' reads. */
import type { Bench } from "tinybench";
import type { TreeMessage } from "../../actors/tree/messages.ts";
import { treeActor } from "../../actors/tree/tree.ts";
import type { Context } from "../../runtime/actor.ts";
import { BENCH_SERVER, makeRecords, znodePath } from "../records.ts";

const OPERATIONS = 64;
const ZNODES = 1000;
/** Each can be applied once; then the tree begins anew. */
const BATCHES = 5000;

const context: Context = {
  nowMs: 0,
  wallMs: 0,
  random: () => 0,
  randomBytes: (length) => new Uint8Array(length),
};

export function addTreeBenches(bench: Bench): void {
  const plan = {
    znodes: ZNODES,
    valueBytes: 128,
    batches: BATCHES,
    operationsPerBatch: OPERATIONS,
  };
  const { setUp, batches } = makeRecords({ ...plan, lanes: 1 });
  // Lane 1 submitted the batches, so lane 2 makes no results of them.
  for (const lane of [1, 2]) {
    const actor = treeActor({ server: BENCH_SERVER, lane });
    const fresh = () => {
      const { state } = actor.start(context);
      return actor.receive(state, { kind: "committed", records: setUp }, context).state;
    };
    let state = fresh();
    let next = 0;
    const whose = lane === 1 ? "its own" : "another lane's";
    bench.add(`tree: apply ${OPERATIONS} setData, ${whose}`, () => {
      const record = batches[next];
      next += 1;
      if (record === undefined) {
        state = fresh();
        next = 0;
      } else {
        state = actor.receive(state, { kind: "committed", records: [record] }, context).state;
      }
    });
  }
  addReadBench(bench, setUp);
}

function addReadBench(bench: Bench, setUp: readonly Uint8Array[]): void {
  const actor = treeActor({ server: BENCH_SERVER, lane: 1 });
  const started = actor.start(context).state;
  const { state } = actor.receive(started, { kind: "committed", records: setUp }, context);
  const message: TreeMessage = {
    kind: "read",
    from: "bench",
    client: 1,
    reads: Array.from({ length: OPERATIONS }, (_, index) => {
      return { kind: "getData", path: znodePath(index), watch: false };
    }),
  };
  bench.add(`tree: ${OPERATIONS} getData`, () => {
    actor.receive(state, message, context);
  });
}
