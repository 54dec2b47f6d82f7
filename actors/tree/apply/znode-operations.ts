/**
 * create, delete, setData, setAcl and check on one replica. Each answers with the znode it made or changed, or with a
 * code (ok when there is nothing to show). The order of the checks is that of ZooKeeper's PrepRequestProcessor: it
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
  insertNode,
  isSpecial,
  putData,
  removeNode,
  type Znode,
} from "../store/znodes.ts";
import type { Session } from "../store/sessions.ts";
import { saveNode } from "../snapshot/cut.ts";
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
  const { nodes } = transaction.tree;
  const node = nodes.byPath.get(path);
  if (node === undefined) return missing(path);
  if (version !== -1 && version !== node.version) return Code.badVersion;
  if (transaction.undo !== undefined) {
    const { data: before, mzxid, mtime } = node;
    noteUndo(transaction, {
      kind: "data",
      node,
      data: before,
      mzxid,
      mtime,
      version: node.version,
    });
  }
  saveNode(transaction.tree, node);
  putData(nodes, node, data);
  node.version = (node.version + 1) | 0;
  node.mzxid = transaction.zxid;
  node.mtime = transaction.timeMs;
  changed(transaction, "data", node);
  return node;
}

function create(transaction: Transaction, session: Session, operation: Of<"create">): Outcome {
  const { nodes } = transaction.tree;
  const asked = operation.path;
  if (!asked.includes("/") || asked.includes("\0")) return Code.badArguments;
  const acl = acceptedAcl(operation.acl);
  if (acl === undefined) return Code.invalidAcl;
  const parent = nodes.byPath.get(parentOf(asked));
  if (parent === undefined) return Code.noNode;
  const suffix = operation.mode.sequential ? sequenceSuffix(parent.creates) : "";
  // Joined anew: a decoded string may be a slice that keeps its whole batch alive.
  const path = `${parent.path === "/" ? "" : parent.path}/${asked.slice(asked.lastIndexOf("/") + 1)}${suffix}`;
  if (pathProblem(asked + suffix) !== undefined) return Code.badArguments;
  if (nodes.byPath.has(path)) return Code.nodeExists;
  if (parent.ephemeralOwner !== SESSION_NONE) return Code.noChildrenForEphemerals;

  const { zxid, timeMs } = transaction;
  const owner = operation.mode.ephemeral ? session.id : SESSION_NONE;
  const node = createZnode(path, acl, zxid, timeMs, owner);
  if (transaction.undo !== undefined) {
    const { creates, pzxid } = parent;
    noteUndo(transaction, { kind: "created", node, parent, creates, pzxid });
  }
  saveNode(transaction.tree, parent);
  insertNode(nodes, parent, node);
  putData(nodes, node, operation.data);
  parent.creates = (parent.creates + 1) | 0;
  parent.pzxid = zxid;
  if (operation.mode.ephemeral) {
    session.ephemerals ??= new Set();
    session.ephemerals.add(path);
  }
  changed(transaction, "created", node);
  return node;
}

function remove(transaction: Transaction, { path, version }: Of<"delete">): Outcome {
  if (!path.includes("/") || path.includes("\0") || isSpecial(path)) return Code.badArguments;
  const node = transaction.tree.nodes.byPath.get(path);
  if (node === undefined) return Code.noNode;
  if (version !== -1 && version !== node.version) return Code.badVersion;
  if (node.numChildren > 0) return Code.notEmpty;
  removeZnode(transaction, node);
  return Code.ok;
}

/** Takes out a node without children: a delete, or an ephemeral whose session ended. */
export function removeZnode(transaction: Transaction, node: Znode): void {
  const { nodes, sessions } = transaction.tree;
  const parent = nodes.byPath.get(parentOf(node.path));
  assert(parent !== undefined, "a znode's parent exists as long as it does");
  if (transaction.undo !== undefined) {
    noteUndo(transaction, { kind: "deleted", node, parent, pzxid: parent.pzxid });
  }
  saveNode(transaction.tree, node);
  saveNode(transaction.tree, parent);
  removeNode(nodes, parent, node);
  parent.pzxid = transaction.zxid;
  if (node.ephemeralOwner !== SESSION_NONE) {
    sessions.get(node.ephemeralOwner)?.ephemerals?.delete(node.path);
  }
  changed(transaction, "deleted", node);
}

function check(transaction: Transaction, { path, version }: Of<"check">): Outcome {
  const node = transaction.tree.nodes.byPath.get(path);
  if (node === undefined) return missing(path);
  return version === -1 || version === node.version ? Code.ok : Code.badVersion;
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
  const node = transaction.tree.nodes.byPath.get(path);
  if (node === undefined) return Code.noNode;
  if (version !== -1 && version !== node.aversion) return Code.badVersion;
  saveNode(transaction.tree, node);
  node.acl = accepted;
  node.aversion = (node.aversion + 1) | 0;
  changed(transaction, "acl", node);
  return node;
}

/** A path that is there is valid, so only a missing one needs to be looked at. */
function missing(path: string): Code {
  return pathProblem(path) === undefined ? Code.noNode : Code.badArguments;
}
