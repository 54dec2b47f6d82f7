/**
 * The Stats of children whose names the client knows, all of one moment, so that whoever shows a page of children asks once and not for each.
 * No permission is needed, as with `exists`, which tells the same.
 */
import { CONFIG_PATH, parentOf } from "../../protocol/paths.ts";
import type { ChildStats, ReadResult } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import { withConfiguration } from "./ensemble-config.ts";
import type { TreeState } from "./state.ts";
import type { ZnodeId } from "./store/znodes.ts";

const ABOVE_CONFIG = parentOf(CONFIG_PATH);

export function childStats(
  tree: TreeState,
  parent: ZnodeId,
  { path, names }: ChildStats,
): ReadResult {
  const { znodes } = tree;
  const statOf = (name: string): Stat | null => {
    // A child is found by the end of its path, so that a long parent's path is not copied for each.
    const end = `/${name}`;
    const child = znodes.findChild(parent, end);
    if (child === undefined) return null;
    const found = { kind: "stat", stat: znodes.stat(child) } as const;
    if (path !== ABOVE_CONFIG) return found.stat;
    const shown = withConfiguration(tree, path + end, found);
    return shown.kind === "stat" ? shown.stat : null;
  };
  return { kind: "stats", stats: names.map(statOf) };
}
