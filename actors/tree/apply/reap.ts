/** The end of a znode whose lifetime is over. The leader proposes it; whether it is so is decided here, in the order of the log. */
import type { Operation } from "../../../protocol/operations.ts";
import { isDue } from "../store/due.ts";
import type { Transaction } from "./transaction.ts";
import { removeZnode } from "./znode-operations.ts";

/** Removes the znode, unless it has children again, was written again, or is another one by now. */
export function reap(
  transaction: Transaction,
  { path, unusedMs }: Extract<Operation, { readonly kind: "deleteContainer" }>,
): void {
  const { tree, timeMs } = transaction;
  const znode = tree.znodes.find(path);
  if (znode === undefined || !isDue(tree.znodes, znode, timeMs, unusedMs)) return;
  removeZnode(transaction, znode, path);
}
