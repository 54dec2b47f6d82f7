/**
 * Where something has changed after a zxid, from the ring of changes that streams are fed from: for whoever looks now and then and reads again
 * what he shows. It costs when he asks, and nothing as others write.
 */
import { CHANGED_LOOKED_MAX, CHANGED_UNITS_SOFT_MAX } from "../../protocol/limits.ts";
import type { Who } from "../../protocol/identities.ts";
import { isAtOrBelow } from "../../protocol/paths.ts";
import type { Changed, ChangedPaths } from "../../protocol/reads.ts";
import type { TreeState } from "./state.ts";
import { visitChanges } from "./store/change-ring.ts";
import { guardOf, mayRead, readersOf } from "./watch/readers.ts";

export function changedPaths(tree: TreeState, asked: ChangedPaths, who: Who): Changed {
  const { ring, lastApplied } = tree;
  const { path, below, after = lastApplied, pathsMax } = asked;
  const none = { kind: "changed", changes: 0, paths: [], unlisted: 0 } as const;
  // A client that comes from a node that is ahead has seen all that is here.
  if (after >= lastApplied) return { ...none, through: after, end: "last" };
  if (after < ring.oldest) return { ...none, through: lastApplied, end: "lost" };
  const readers = readersOf(who, false);
  const paths = new Set<string>();
  let [changes, unlisted, units, looked] = [0, 0, 0, 0];
  let through = after;
  let isEnough = false;
  visitChanges(ring, after, (changed, zxid, _build, { isClosed }, lists) => {
    if (looked >= CHANGED_LOOKED_MAX && zxid !== through) {
      isEnough = true;
      return "enough";
    }
    looked += 1;
    through = zxid;
    if (below ? !isAtOrBelow(changed, path) : changed !== path) return undefined;
    if (!mayRead(tree, readers, guardOf(changed, isClosed, lists))) return undefined;
    changes += 1;
    if (paths.has(changed)) return undefined;
    if (paths.size >= pathsMax || units >= CHANGED_UNITS_SOFT_MAX) {
      unlisted += 1;
      return undefined;
    }
    paths.add(changed);
    units += changed.length;
    return undefined;
  });
  tree.lookedAt += looked;
  const end = isEnough ? "more" : "last";
  return {
    ...{ kind: "changed", changes, paths: [...paths], unlisted, end },
    through: isEnough ? through : lastApplied,
  };
}
