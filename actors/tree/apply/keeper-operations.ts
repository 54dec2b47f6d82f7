/**
 * The operations that ClickHouse Keeper has beyond ZooKeeper's. Their checks are in the order of Keeper's storage, since the order decides
 * which of several errors a client sees; only a removeRecursive looks whether there is too much to delete before it looks who may (`subtree`
 * says why). What they do to znodes, and to the Stats of parents, is what ZooKeeper's create and delete do.
 * Source: KeeperStorage's request processors (docs/operations/clickhouse.md names the version).
 */
import { Permission } from "../../../protocol/access.ts";
import { assert } from "../../../protocol/assert.ts";
import { Code } from "../../../protocol/codes.ts";
import { SESSION_NONE } from "../../../protocol/ids.ts";
import { isAtOrBelow, isChildOfConfig, SPECIAL_PATHS } from "../../../protocol/paths.ts";
import { STAT_FIELDS } from "../../../protocol/stat.ts";
import { isSpecial } from "../store/first-znodes.ts";
import type { Session } from "../store/sessions.ts";
import type { ZnodeId } from "../store/znodes.ts";
import { allows, type Transaction } from "./transaction.ts";
import { create, type Of, type Outcome, removeZnode } from "./znode-operations.ts";

/** A znode that is there already is the outcome, too, whoever made it and whatever it is. */
export function createIfNotExists(
  transaction: Transaction,
  session: Session,
  operation: Of<"create">,
): Outcome {
  const { path, mode } = operation;
  const { znodes } = transaction.tree;
  const parent = znodes.findParent(path);
  if (parent === undefined) return path.includes("/") ? Code.noNode : Code.badArguments;
  if (!allows(transaction, parent, Permission.create)) return Code.noAuth;
  if (znodes.ephemeralOwner(parent) !== SESSION_NONE) return Code.noChildrenForEphemerals;
  // Its name is known only when it is made, so it is never there.
  if (mode.sequential) return Code.badArguments;
  return znodes.find(path) ?? create(transaction, session, operation);
}

export function checkNotExists(
  transaction: Transaction,
  { path, version }: Of<"checkNotExists">,
): Outcome {
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  if (znode === undefined) return Code.ok;
  if (!allows(transaction, znode, Permission.read)) return Code.noAuth;
  return version === -1 || version === znodes.version(znode) ? Code.nodeExists : Code.ok;
}

export function checkStat(
  transaction: Transaction,
  { path, version, stat }: Of<"checkStat">,
): Outcome {
  const { znodes } = transaction.tree;
  const znode = znodes.find(path);
  if (znode === undefined) return Code.noNode;
  if (!allows(transaction, znode, Permission.read)) return Code.noAuth;
  if (version !== -1 && version !== znodes.version(znode)) return Code.badVersion;
  const is = znodes.stat(znode);
  const isSame = STAT_FIELDS.every((field) => stat[field] === -1 || stat[field] === is[field]);
  return isSame ? Code.ok : Code.badVersion;
}

export function tryRemove(transaction: Transaction, { path, version }: Of<"tryRemove">): Outcome {
  if (!path.includes("/") || path.includes("\0") || isSpecial(path)) return Code.badArguments;
  if (isChildOfConfig(path)) return Code.noAuth;
  const { znodes } = transaction.tree;
  const parent = znodes.findParent(path);
  if (parent === undefined) return Code.ok;
  if (!allows(transaction, parent, Permission.delete)) return Code.noAuth;
  const znode = znodes.find(path);
  if (znode === undefined) return Code.ok;
  if (version !== -1 && version !== znodes.version(znode)) return Code.ok;
  if (znodes.numChildren(znode) === 0) removeZnode(transaction, znode, path);
  return Code.ok;
}

/** Deletes all of the znodes or none. Each is deleted as by a delete of its own, its children before it. */
export function removeRecursive(
  transaction: Transaction,
  { path, znodesMax }: Of<"removeRecursive">,
): Outcome {
  if (!path.includes("/") || path.includes("\0")) return Code.badArguments;
  if (SPECIAL_PATHS.some((special) => isAtOrBelow(special, path))) return Code.badArguments;
  if (isChildOfConfig(path)) return Code.noAuth;
  const { znodes } = transaction.tree;
  const parent = znodes.findParent(path);
  if (parent === undefined) return Code.ok;
  if (!allows(transaction, parent, Permission.delete)) return Code.noAuth;
  const top = znodes.find(path);
  if (top === undefined) return Code.ok;
  const found = subtree(transaction, top, znodesMax);
  if (typeof found === "number") return found;
  // A snapshot may have changed the order of siblings on some nodes, and every node must delete in the same order.
  const removed = found.map((znode) => ({ znode, at: znodes.path(znode) }));
  removed.sort((a, b) => (a.at < b.at ? 1 : -1));
  for (const { znode, at } of removed) {
    assert(znodes.numChildren(znode) === 0, "children are deleted before their parent");
    removeZnode(transaction, znode, at);
  }
  return Code.ok;
}

/**
 * The znode and all below it, level by level; or why they may not be deleted: there are too many, or one of them is guarded. Siblings stand in
 * another order on other nodes, so neither the answer nor what later operations of the record may look at depends on it: the walk has no
 * early end but the record's limit, which the sum of all passes in any order.
 */
function subtree(transaction: Transaction, top: ZnodeId, askedMax: number): ZnodeId[] | Code {
  const { znodes, options } = transaction.tree;
  const { recordMax, pathUnit } = options.removals;
  const znodesMax = Math.min(askedMax, options.removals.znodesMax);
  if (transaction.looked > recordMax) return Code.throttled;
  transaction.looked += 1;
  if (1 + znodes.below.count(top) > znodesMax) return Code.notEmpty;
  const found = [top];
  let isGuarded = false;
  for (const znode of found) {
    // What a delete takes grows with the path, and it is undone if the multi fails.
    const pathUnits = Math.floor(znodes.path(znode).length / pathUnit);
    transaction.looked += 1 + pathUnits;
    if (transaction.looked > recordMax) return Code.throttled;
    isGuarded ||= !allows(transaction, znode, Permission.delete);
    znodes.visitChildren(znode, (child) => found.push(child));
  }
  return isGuarded ? Code.noAuth : found;
}
