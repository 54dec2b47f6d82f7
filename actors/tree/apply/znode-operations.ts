/**
 * The operations create, delete, setData, setAcl and check on one replica. Each returns the znode that it made or changed, or a code,
 * which is `ok` when there is no znode to show. The checks are in the order of ZooKeeper's PrepRequestProcessor, since the order
 * decides which of several errors a client sees.
 */
import type { Acl } from "../../../protocol/acl.ts";
import { assert } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import { parentOf, pathProblem, sequenceSuffix } from "../../../protocol/paths.ts";
import { acceptedAcl } from "./acls.ts";
import {
  createZnode,
  linkZnode,
  isSpecial,
  putData,
  unlinkZnode,
  type Znode,
} from "../store/znodes.ts";
import type { Session } from "../store/sessions.ts";
import { saveZnode } from "../snapshot/cut.ts";
import { changed, noteUndo, type Transaction } from "./transaction.ts";

export type Outcome = Znode | Code;

type Of<Kind extends ZnodeOperation["kind"]> = Extract<ZnodeOperation, { kind: Kind }>;

export function applyZnodeOperation(
  transaction: Transaction,
  session: Session,
  operation: ZnodeOperation,
): Outcome {
  switch (operation.kind) {
    case "setData":
      return setData(transaction, operation);
    case "create":
      return create(transaction, session, operation);
    case "delete":
      return remove(transaction, operation);
    case "check":
      return check(transaction, operation);
  }
}

function setData(transaction: Transaction, { path, data, version }: Of<"setData">): Outcome {
  const { znodes } = transaction.tree;
  const znode = znodes.byPath.get(path);
  if (znode === undefined) return missing(path);
  if (version !== -1 && version !== znode.version) return Code.badVersion;
  if (transaction.undo !== undefined) {
    const { data: before, mzxid, mtime } = znode;
    noteUndo(transaction, {
      kind: "data",
      znode,
      data: before,
      mzxid,
      mtime,
      version: znode.version,
    });
  }
  saveZnode(transaction.tree, znode);
  putData(znodes, znode, data);
  znode.version = (znode.version + 1) | 0;
  znode.mzxid = transaction.zxid;
  znode.mtime = transaction.timeMs;
  changed(transaction, "data", znode);
  return znode;
}

function create(transaction: Transaction, session: Session, operation: Of<"create">): Outcome {
  const { znodes } = transaction.tree;
  const asked = operation.path;
  if (!asked.includes("/") || asked.includes("\0")) return Code.badArguments;
  const acl = acceptedAcl(operation.acl);
  if (acl === undefined) return Code.invalidAcl;
  const parent = znodes.byPath.get(parentOf(asked));
  if (parent === undefined) return Code.noNode;
  const suffix = operation.mode.sequential ? sequenceSuffix(parent.creates) : "";
  // The path is joined from its pieces, since a decoded string may be a slice that keeps the memory of its whole batch alive.
  const path = `${parent.path === "/" ? "" : parent.path}/${asked.slice(asked.lastIndexOf("/") + 1)}${suffix}`;
  if (pathProblem(asked + suffix) !== undefined) return Code.badArguments;
  if (znodes.byPath.has(path)) return Code.nodeExists;
  if (parent.ephemeralOwner !== SESSION_NONE) return Code.noChildrenForEphemerals;

  const { zxid, timeMs } = transaction;
  const owner = operation.mode.ephemeral ? session.id : SESSION_NONE;
  const znode = createZnode(path, acl, zxid, timeMs, owner);
  if (transaction.undo !== undefined) {
    const { creates, pzxid } = parent;
    noteUndo(transaction, { kind: "created", znode, parent, creates, pzxid });
  }
  saveZnode(transaction.tree, parent);
  linkZnode(znodes, parent, znode);
  putData(znodes, znode, operation.data);
  parent.creates = (parent.creates + 1) | 0;
  parent.pzxid = zxid;
  if (operation.mode.ephemeral) {
    session.ephemerals ??= new Set();
    session.ephemerals.add(path);
  }
  changed(transaction, "created", znode);
  return znode;
}

function remove(transaction: Transaction, { path, version }: Of<"delete">): Outcome {
  if (!path.includes("/") || path.includes("\0") || isSpecial(path)) return Code.badArguments;
  const znode = transaction.tree.znodes.byPath.get(path);
  if (znode === undefined) return Code.noNode;
  if (version !== -1 && version !== znode.version) return Code.badVersion;
  if (znode.numChildren > 0) return Code.notEmpty;
  removeZnode(transaction, znode);
  return Code.ok;
}

/** Removes a znode that has no children, because of a delete or because the session of an ephemeral has ended. */
export function removeZnode(transaction: Transaction, znode: Znode): void {
  const { znodes, sessions } = transaction.tree;
  const parent = znodes.byPath.get(parentOf(znode.path));
  assert(parent !== undefined, "a znode's parent exists as long as it does");
  if (transaction.undo !== undefined) {
    noteUndo(transaction, { kind: "deleted", znode, parent, pzxid: parent.pzxid });
  }
  saveZnode(transaction.tree, znode);
  saveZnode(transaction.tree, parent);
  unlinkZnode(znodes, parent, znode);
  parent.pzxid = transaction.zxid;
  if (znode.ephemeralOwner !== SESSION_NONE) {
    sessions.get(znode.ephemeralOwner)?.ephemerals?.delete(znode.path);
  }
  changed(transaction, "deleted", znode);
}

function check(transaction: Transaction, { path, version }: Of<"check">): Outcome {
  const znode = transaction.tree.znodes.byPath.get(path);
  if (znode === undefined) return missing(path);
  return version === -1 || version === znode.version ? Code.ok : Code.badVersion;
}

export function setAcl(
  transaction: Transaction,
  path: string,
  acl: readonly Acl[],
  version: number,
): Outcome {
  if (pathProblem(path) !== undefined) return Code.badArguments;
  const accepted = acceptedAcl(acl);
  if (accepted === undefined) return Code.invalidAcl;
  const znode = transaction.tree.znodes.byPath.get(path);
  if (znode === undefined) return Code.noNode;
  if (version !== -1 && version !== znode.aversion) return Code.badVersion;
  saveZnode(transaction.tree, znode);
  znode.acl = accepted;
  znode.aversion = (znode.aversion + 1) | 0;
  changed(transaction, "acl", znode);
  return znode;
}

/** The code for a path where no znode is. The path of an existing znode is valid, so only this case needs to check the path. */
function missing(path: string): Code {
  return pathProblem(path) === undefined ? Code.noNode : Code.badArguments;
}
