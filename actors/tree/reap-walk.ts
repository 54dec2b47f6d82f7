/** Finds the znodes whose lifetime is over, a bounded part at a time, for the leader's reaper. */
import { BATCH_BYTES_SOFT_MAX, LIFETIMES_LOOKED_AT_MAX } from "../../protocol/limits.ts";
import { tell } from "../inboxes.ts";
import type { TreeMessage } from "./messages.ts";
import type { TreeTurn } from "./state.ts";
import { isDue } from "./store/due.ts";
import type { ZnodeId, Znodes } from "./store/znodes.ts";

export type ReapWalk = {
  /** The walk is over these. A snapshot that is loaded brings others. */
  readonly znodes: Znodes;
  readonly ids: Iterator<ZnodeId>;
};

/** An upper bound of the bytes in a batch, where each unit of a path may take three. */
const BYTES_OF_UNIT = 3;

/** The walk goes over the live map, which keeps the order of insertion: a znode that comes or goes meanwhile does not disturb it. */
export function listDue(turn: TreeTurn, message: Extract<TreeMessage, { kind: "listDue" }>): void {
  const { state: tree, effects, wallMs } = turn;
  const { question, begins, pathsMax, unusedMs } = message;
  const { znodes } = tree;
  if (begins || tree.reapWalk?.znodes !== znodes) {
    tree.reapWalk = { znodes, ids: znodes.lifetimes.keys() };
  }
  const { ids } = tree.reapWalk;
  // The clock of an earlier leader may have been ahead of this one's, and the time of records never goes back.
  const timeMs = Math.max(wallMs, tree.lastTimeMs);
  const paths: string[] = [];
  let isAll = false;
  let bytes = 0;
  for (let looks = 0; looks < LIFETIMES_LOOKED_AT_MAX; looks += 1) {
    const next = ids.next();
    if (next.done === true) {
      isAll = true;
      tree.reapWalk = undefined;
      break;
    }
    if (!isDue(znodes, next.value, timeMs, unusedMs)) continue;
    const path = znodes.path(next.value);
    paths.push(path);
    bytes += path.length * BYTES_OF_UNIT;
    if (paths.length >= pathsMax || bytes >= BATCH_BYTES_SOFT_MAX) break;
  }
  effects.push(tell("reaper", { kind: "due", question, paths, isAll }));
}
