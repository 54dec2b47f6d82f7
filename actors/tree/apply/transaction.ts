/**
 * The transaction that is being applied: its zxid, its time, and within a multi what must be undone if a later operation is refused,
 * and which changes become visible to watches and change streams only if none is.
 */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import { grants, isPublic } from "../../../protocol/access.ts";
import { assert } from "../../../protocol/assert.ts";
import { ANYONE, type Who } from "../../../protocol/identities.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { RecordHeader } from "../../../protocol/record.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { ZnodeId } from "../store/znodes.ts";
import { appendChange, CHANGE_DATA_COPIED_MAX, type ChangeContent } from "../store/change-ring.ts";
import type { QuotaBefore } from "../quotas/enforce.ts";
import type { TreeState } from "../state.ts";
import { fireCreated, fireData, fireDeleted } from "../watch/watches.ts";

export type Transaction = {
  readonly tree: TreeState;
  readonly timeMs: number;
  /** Whether writes beyond a hard limit of a quota are refused: the leader that made the record says so. */
  readonly quotasEnforced: boolean;
  /** Within a multi: the quotas that it has changed, as they were before. */
  readonly quotasBefore: Map<string, QuotaBefore>;
  zxid: Zxid;
  /** How many znodes the removeRecursives of the record have looked at. */
  looked: number;
  /** Who asks for the operation. */
  who: Who;
  /** Undefined outside a multi, where nothing is ever undone. */
  undo: Undo[] | undefined;
  /** The changes of a multi that watches and streams have not seen yet. */
  invisible: ChangeContent[];
};

export type Undo =
  | {
      readonly kind: "created" | "deleted";
      readonly znode: ZnodeId;
      readonly path: string;
      readonly parent: ZnodeId;
      /** What the parent had before. */
      readonly creates: number;
      readonly pzxid: Zxid;
    }
  | {
      readonly kind: "data";
      readonly znode: ZnodeId;
      readonly data: Uint8Array | null;
      readonly mzxid: Zxid;
      readonly mtime: number;
      readonly version: number;
    };

/** Begins with the first operation of a record. */
export function createTransaction(
  tree: TreeState,
  { timeMs, firstZxid: zxid, quotasEnforced = false }: RecordHeader,
): Transaction {
  const quotasBefore = new Map<string, QuotaBefore>();
  return {
    ...{ tree, timeMs, quotasEnforced, quotasBefore, zxid, who: ANYONE, looked: 0 },
    ...{ undo: undefined, invisible: [] },
  };
}

/** Whether who asks for the operation has this permission for the znode. */
export function allows({ tree, who }: Transaction, znode: ZnodeId, permission: number): boolean {
  return grants(tree.znodes.acl(znode), permission, who);
}

export function noteUndo(transaction: Transaction, undo: Undo): void {
  assert(transaction.undo !== undefined, "only a multi is undone");
  transaction.undo.push(undo);
}

/**
 * To be called after the znode has changed or was unlinked; `data` is what a create or a setData came with, `parent` what has gained or
 * lost the znode. Outside a multi the change becomes visible at once.
 */
export function changed(
  transaction: Transaction,
  kind: Change["kind"],
  path: string,
  znode: ZnodeId,
  data: Uint8Array | null,
  parent?: ZnodeId,
): void {
  const { znodes } = transaction.tree;
  // Large data is kept by the ring of changes, so it must be the tree's own, which is never overwritten.
  const isLarge = data !== null && data.length > CHANGE_DATA_COPIED_MAX;
  const own = isLarge ? znodes.data(znode) : data;
  const acl = znodes.acl(znode);
  const isClosed = !isPublic(acl);
  // The lists say who may be told of it: the znode's, and its parent's if that has gained or lost it.
  const parentAcl = parent === undefined ? OPEN_ACL : znodes.acl(parent);
  const lists = acl === OPEN_ACL && parentAcl === OPEN_ACL ? undefined : { acl, parentAcl };
  const stat = znodes.stat(znode);
  const change: ChangeContent = { kind, path, stat, data: own, isClosed, lists };
  if (transaction.undo === undefined) makeVisible(transaction, change);
  else transaction.invisible.push(change);
}

function makeVisible({ tree, zxid }: Transaction, change: ChangeContent): void {
  const { kind, path, lists } = change;
  const acl = lists?.acl ?? OPEN_ACL;
  const parentAcl = lists?.parentAcl ?? OPEN_ACL;
  appendChange(tree.ring, zxid, change);
  switch (kind) {
    case "data":
      fireData(tree.watches, path, zxid, acl, () => tree.znodes.parentAcl(path));
      return;
    case "created":
      fireCreated(tree.watches, path, zxid, acl, parentAcl);
      return;
    case "deleted":
      fireDeleted(tree.watches, path, zxid, acl, parentAcl);
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

/** No operation of the multi was refused, so its changes become visible, and what it deleted can no longer come back. */
export function finishMulti(transaction: Transaction): void {
  const { undo, tree } = transaction;
  assert(undo !== undefined, "a multi was begun");
  transaction.undo = undefined;
  for (const step of undo) if (step.kind === "deleted") tree.znodes.release(step.znode);
  for (const change of transaction.invisible) makeVisible(transaction, change);
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
  if (step.kind === "data") {
    znodes.setData(znode, step.data);
    znodes.setModified(znode, step.mzxid, step.mtime, step.version);
    return;
  }
  const { path, parent, creates, pzxid } = step;
  const ephemerals = sessions.get(znodes.ephemeralOwner(znode))?.ephemerals;
  if (step.kind === "deleted") {
    znodes.relink(znode, parent, path);
    ephemerals?.add(znode);
  } else {
    ephemerals?.delete(znode);
    znodes.unlink(znode, path);
    znodes.release(znode);
  }
  znodes.setParental(parent, pzxid, creates);
}
