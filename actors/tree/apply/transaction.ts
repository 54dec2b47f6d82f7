/**
 * The transaction that is being applied: its zxid and time, and, within a multi, what must be undone if a later
 * operation is refused and what becomes visible only if none is.
 */
import { assert } from "../../../protocol/assert.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { linkZnode, putData, unlinkZnode, type Znode } from "../store/znodes.ts";
import { appendChange } from "../store/change-ring.ts";
import type { TreeState } from "../state.ts";
import { putValue } from "../store/values.ts";
import { fireCreated, fireData, fireDeleted } from "../watch/watches.ts";

export type Transaction = {
  readonly tree: TreeState;
  readonly timeMs: number;
  zxid: Zxid;
  /** Undefined outside a multi, where nothing is ever undone. */
  undo: Undo[] | undefined;
  held: HeldChange[];
};

export type Undo =
  | {
      readonly kind: "created";
      readonly znode: Znode;
      readonly parent: Znode;
      readonly creates: number;
      readonly pzxid: Zxid;
    }
  | {
      readonly kind: "deleted";
      readonly znode: Znode;
      readonly parent: Znode;
      readonly pzxid: Zxid;
    }
  | {
      readonly kind: "data";
      readonly znode: Znode;
      readonly data: Uint8Array | null;
      readonly mzxid: Zxid;
      readonly mtime: number;
      readonly version: number;
    };

type HeldChange = { readonly kind: Change["kind"]; readonly znode: Znode };

export function createTransaction(tree: TreeState, timeMs: number, zxid: Zxid): Transaction {
  return { tree, timeMs, zxid, undo: undefined, held: [] };
}

export function noteUndo(transaction: Transaction, undo: Undo): void {
  assert(transaction.undo !== undefined, "only a multi is undone");
  transaction.undo.push(undo);
}

/** `node` has just changed, or been removed. */
export function changed(transaction: Transaction, kind: Change["kind"], znode: Znode): void {
  if (transaction.undo === undefined) publish(transaction, kind, znode);
  // As it is now: a later operation of the multi may change it again.
  else transaction.held.push({ kind, znode: { ...znode } });
}

function publish(transaction: Transaction, kind: Change["kind"], znode: Znode): void {
  const { tree, zxid } = transaction;
  appendChange(tree.ring, zxid, kind, znode);
  switch (kind) {
    case "data":
      fireData(tree.watches, znode.path, zxid);
      return;
    case "created":
      fireCreated(tree.watches, znode.path, zxid);
      return;
    case "deleted":
      fireDeleted(tree.watches, znode.path, zxid);
      return;
    case "acl":
      // ZooKeeper has no watch for it.
      return;
  }
}

export function beginMulti(transaction: Transaction): void {
  transaction.undo = [];
  transaction.held = [];
}

/** All operations were taken: what they changed becomes visible. */
export function finishMulti(transaction: Transaction): void {
  transaction.undo = undefined;
  for (const { kind, znode } of transaction.held) publish(transaction, kind, znode);
  transaction.held = [];
}

/** One was refused: the tree is as it was before. */
export function abandonMulti(transaction: Transaction): void {
  const { undo } = transaction;
  assert(undo !== undefined, "only a multi is undone");
  transaction.undo = undefined;
  transaction.held = [];
  for (const step of undo.reverse()) undoStep(transaction.tree, step);
}

function undoStep({ znodes, sessions }: TreeState, step: Undo): void {
  const { znode } = step;
  const ephemerals =
    znode.ephemeralOwner === SESSION_NONE
      ? undefined
      : sessions.get(znode.ephemeralOwner)?.ephemerals;
  switch (step.kind) {
    case "created":
      unlinkZnode(znodes, step.parent, znode);
      ephemerals?.delete(znode.path);
      step.parent.creates = step.creates;
      step.parent.pzxid = step.pzxid;
      return;
    case "deleted":
      linkZnode(znodes, step.parent, znode);
      putValue(znodes.values, znode, znode.data);
      ephemerals?.add(znode.path);
      step.parent.pzxid = step.pzxid;
      return;
    case "data":
      putData(znodes, znode, step.data);
      znode.mzxid = step.mzxid;
      znode.mtime = step.mtime;
      znode.version = step.version;
      return;
  }
}
