/**
 * The operations create, delete, setData, setAcl and check on one replica. Each returns the znode that it made or changed, or a code,
 * which is `ok` when there is no znode to show. The checks are in the order of ZooKeeper's PrepRequestProcessor, since the order
 * decides which of several errors a client sees.
 */
import { Permission } from "../../../protocol/access.ts";
import type { Acl } from "../../../protocol/acl.ts";
import { Code } from "../../../protocol/codes.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import { isStatsPath } from "../../../protocol/quota.ts";
import {
  CONFIG_PATH,
  isChildOfConfig,
  pathProblem,
  sequenceSuffix,
} from "../../../protocol/paths.ts";
import { acceptedAcl } from "./acls.ts";
import { isSpecial } from "../store/first-znodes.ts";
import type { ZnodeId } from "../store/znodes.ts";
import type { Session } from "../store/sessions.ts";
import { saveZnode } from "../snapshot/cut.ts";
import { countWrite, isCounted, quotaForbids, rememberQuota } from "../quotas/enforce.ts";
import { allows, changed, noteUndo, type Transaction } from "./transaction.ts";

/** Codes are 0 and below, and numbers of znodes above. */
export type Outcome = ZnodeId | Code;

export function isCode(outcome: Outcome): outcome is Code {
  return outcome <= 0;
}

export type Of<Kind extends ZnodeOperation["kind"]> = Extract<ZnodeOperation, { kind: Kind }>;

export function setData(transaction: Transaction, { path, data, version }: Of<"setData">): Outcome {
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  if (znode === undefined) return missing(path);
  if (path === CONFIG_PATH) return Code.noAuth;
  if (!allows(transaction, znode, Permission.write)) return Code.noAuth;
  const by = isCounted(transaction, path)
    ? { count: 0, bytes: (data?.length ?? 0) - znodes.dataLength(znode) }
    : undefined;
  if (by !== undefined && quotaForbids(transaction, path, by)) return Code.quotaExceeded;
  const before = znodes.version(znode);
  if (version !== -1 && version !== before) return Code.badVersion;
  if (transaction.undo !== undefined) {
    noteUndo(transaction, {
      kind: "data",
      znode,
      data: znodes.data(znode),
      mzxid: znodes.mzxid(znode),
      mtime: znodes.mtime(znode),
      version: before,
    });
  }
  if (by !== undefined) rememberQuota(transaction, path);
  saveZnode(transaction.tree, znode);
  znodes.setData(znode, data);
  znodes.setModified(znode, transaction.zxid, transaction.timeMs, (before + 1) | 0);
  if (by !== undefined) countWrite(transaction, "changed", path, by);
  changed(transaction, "data", path, znode, data);
  return znode;
}

export function create(
  transaction: Transaction,
  session: Session,
  operation: Of<"create">,
): Outcome {
  const { znodes } = transaction.tree;
  const { path: asked, data, mode } = operation;
  if (!asked.includes("/") || asked.includes("\0")) return Code.badArguments;
  const acl = acceptedAcl(operation.acl);
  if (acl === undefined) return Code.invalidAcl;
  const parent = znodes.findParent(asked);
  if (parent === undefined) return Code.noNode;
  if (isChildOfConfig(asked)) return Code.noAuth;
  if (!allows(transaction, parent, Permission.create)) return Code.noAuth;
  const creates = znodes.creates(parent);
  const path = mode.sequential ? asked + sequenceSuffix(creates) : asked;
  if (pathProblem(path) !== undefined) return Code.badArguments;
  if (znodes.findChild(parent, path) !== undefined) return Code.nodeExists;
  if (znodes.ephemeralOwner(parent) !== SESSION_NONE) return Code.noChildrenForEphemerals;
  const by = isCounted(transaction, path) ? { count: 1, bytes: data?.length ?? 0 } : undefined;
  if (by !== undefined && quotaForbids(transaction, path, by)) return Code.quotaExceeded;

  const { zxid, timeMs } = transaction;
  const owner = mode.ephemeral ? session.id : SESSION_NONE;
  const { lifetime } = mode;
  if (by !== undefined) rememberQuota(transaction, path);
  saveZnode(transaction.tree, parent);
  const pzxid = znodes.pzxid(parent);
  const znode = znodes.add(parent, path, { acl, zxid, timeMs, owner, lifetime, data });
  if (transaction.undo !== undefined) {
    noteUndo(transaction, { kind: "created", znode, path, parent, creates, pzxid });
  }
  znodes.setParental(parent, zxid, (creates + 1) | 0);
  if (mode.ephemeral) {
    session.ephemerals ??= new Set();
    session.ephemerals.add(znode);
  }
  if (by !== undefined) countWrite(transaction, "created", path, by);
  // The counts of a quota are another text by now than what they were made with.
  const shown = by !== undefined && isStatsPath(path) ? znodes.data(znode) : data;
  changed(transaction, "created", path, znode, shown, parent);
  return znode;
}

export function remove(transaction: Transaction, { path, version }: Of<"delete">): Outcome {
  if (!path.includes("/") || path.includes("\0") || isSpecial(path)) return Code.badArguments;
  if (isChildOfConfig(path)) return Code.noAuth;
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  // Whether there is such a znode is told only to who could delete it.
  const parent = znode === undefined ? znodes.findParent(path) : znodes.parent(znode);
  if (parent === undefined) return Code.noNode;
  if (!allows(transaction, parent, Permission.delete)) return Code.noAuth;
  if (znode === undefined) return Code.noNode;
  if (version !== -1 && version !== znodes.version(znode)) return Code.badVersion;
  if (znodes.numChildren(znode) > 0) return Code.notEmpty;
  removeZnode(transaction, znode, path);
  return Code.ok;
}

/** Removes a znode that has no children, because of a delete or because the session of an ephemeral has ended. */
export function removeZnode(transaction: Transaction, znode: ZnodeId, path: string): void {
  const { znodes, sessions } = transaction.tree;
  const parent = znodes.parent(znode);
  const creates = znodes.creates(parent);
  const pzxid = znodes.pzxid(parent);
  const counted = isCounted(transaction, path);
  if (counted) rememberQuota(transaction, path);
  saveZnode(transaction.tree, znode);
  saveZnode(transaction.tree, parent);
  znodes.unlink(znode, path);
  znodes.setParental(parent, transaction.zxid, creates);
  const owner = znodes.ephemeralOwner(znode);
  if (owner !== SESSION_NONE) sessions.get(owner)?.ephemerals?.delete(znode);
  if (counted) {
    countWrite(transaction, "deleted", path, { count: -1, bytes: -znodes.dataLength(znode) });
  }
  changed(transaction, "deleted", path, znode, null, parent);
  if (transaction.undo === undefined) znodes.release(znode);
  else noteUndo(transaction, { kind: "deleted", znode, path, parent, creates, pzxid });
}

export function check(transaction: Transaction, { path, version }: Of<"check">): Outcome {
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  if (znode === undefined) return missing(path);
  if (!allows(transaction, znode, Permission.read)) return Code.noAuth;
  return version === -1 || version === znodes.version(znode) ? Code.ok : Code.badVersion;
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
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  if (znode === undefined) return Code.noNode;
  if (path === CONFIG_PATH) return Code.noAuth;
  if (!allows(transaction, znode, Permission.admin)) return Code.noAuth;
  const before = znodes.aversion(znode);
  if (version !== -1 && version !== before) return Code.badVersion;
  saveZnode(transaction.tree, znode);
  znodes.setAcl(znode, accepted, (before + 1) | 0);
  changed(transaction, "acl", path, znode, null);
  return znode;
}

/** The code for a path where no znode is. The path of an existing znode is valid, so only this case needs to check the path. */
function missing(path: string): Code {
  return pathProblem(path) === undefined ? Code.noNode : Code.badArguments;
}
