/**
 * Reads that stand behind writes of this lane's own batches. They are answered between two operations: they see the write before them
 * and nothing of the next. The submitter sends them before their batch can be in a record, or when the batch is applied already.
 */
import { readsOfOthers } from "../../waiting-reads.ts";
import type { ReadsBehind, TreeMessage } from "../messages.ts";
import { answerAll } from "../reads.ts";
import type { TreeState, TreeTurn } from "../state.ts";
import { submitterEntry } from "../store/submitters.ts";

export type BatchReads = {
  readonly incarnation: number;
  readonly seq: number;
  behind: ReadsBehind[];
};

const NONE: readonly ReadsBehind[] = [];

export function takeReadsBehind(
  turn: TreeTurn,
  { incarnation, seq, behind }: Extract<TreeMessage, { readonly kind: "readsBehind" }>,
): void {
  const { state: tree } = turn;
  const { server, lane } = tree.options;
  const applied = submitterEntry(tree.submitters, server, lane);
  if (applied?.incarnation === incarnation && seq <= applied.seq) {
    for (const each of behind) answerAll(turn, each, tree.lastApplied);
    return;
  }
  const last = tree.behind.at(-1);
  if (last?.incarnation !== incarnation || last.seq !== seq) {
    tree.behind.push({ incarnation, seq, behind: [...behind] });
    return;
  }
  for (const each of behind) last.behind.push(each);
}

/** Takes the reads of a batch that is about to be applied. Those of batches before it are dropped: nobody waits for them. */
export function takeBatchReads(
  tree: TreeState,
  incarnation: number,
  seq: number,
): readonly ReadsBehind[] {
  for (let [first] = tree.behind; first !== undefined; [first] = tree.behind) {
    const isSame = first.incarnation === incarnation;
    if (first.incarnation > incarnation || (isSame && first.seq > seq)) return NONE;
    tree.behind.shift();
    if (isSame && first.seq === seq) return readsOfOthers(tree.ended, first.behind);
  }
  return NONE;
}
