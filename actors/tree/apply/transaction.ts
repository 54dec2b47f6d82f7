/**
 * The transaction that is being applied: its zxid, its time, and within a multi what must be undone if a later operation is refused,
 * and which changes become visible to watches and change streams only if none is.
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
  /** The changes of a multi that watches and streams have not seen yet. */
  invisible: InvisibleChange[];
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

type InvisibleChange = { readonly kind: Change["kind"]; readonly znode: Znode };

export function createTransaction(tree: TreeState, timeMs: number, zxid: Zxid): Transaction {
  return { tree, timeMs, zxid, undo: undefined, invisible: [] };
}

export function noteUndo(transaction: Transaction, undo: Undo): void {
  assert(transaction.undo !== undefined, "only a multi is undone");
  transaction.undo.push(undo);
}

/** To be called after the znode has changed or was removed. Outside a multi the change becomes visible at once. */
export function changed(transaction: Transaction, kind: Change["kind"], znode: Znode): void {
  if (transaction.undo === undefined) makeVisible(transaction, kind, znode);
  // The znode is copied, since a later operation of the multi may change it again.
  else transaction.invisible.push({ kind, znode: { ...znode } });
}

function makeVisible(transaction: Transaction, kind: Change["kind"], znode: Znode): void {
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
      // ZooKeeper has no watch for a change of the ACL.
      return;
  }
}

export function beginMulti(transaction: Transaction): void {
  transaction.undo = [];
  transaction.invisible = [];
}

/** No operation of the multi was refused, so its changes become visible. */
export function finishMulti(transaction: Transaction): void {
  transaction.undo = undefined;
  for (const { kind, znode } of transaction.invisible) makeVisible(transaction, kind, znode);
  transaction.invisible = [];
}

/** An operation of the multi was refused, so the tree is brought back to what it was before the first. */
export function abandonMulti(transaction: Transaction): void {
  const { undo } = transaction;
  assert(undo !== undefined, "only a multi is undone");
  transaction.undo = undefined;
  transaction.invisible = [];
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
