/** Purges snapshots, and the segments that they replace, one file at a time, so that appends never wait for more than that. */
import type { DiskOperation } from "../../../runtime/disk.ts";
import { snapshotName } from "../format/files.ts";
import { perform, type Procedure, removeIfThere } from "../format/procedure.ts";
import { retireSegment } from "../segments/spares.ts";
import { log, type LogState, report, type StoredSnapshot } from "../state.ts";

/** The newest two are kept: should one be damaged, the log still continues the other. */
const SNAPSHOTS_KEPT = 2;

/**
 * Removes one file, durably before the next one goes: the oldest first, so that what is left of the log has no gap whenever
 * it ends.
 */
export function* purgeOne(state: LogState, nowMs: number): Procedure {
  const { snapshots, segments, index } = state;
  const old = snapshots
    .slice(0, -SNAPSHOTS_KEPT)
    .find((snapshot) => !isBeingRead(state, snapshot, nowMs));
  if (old !== undefined) {
    yield* remove(snapshotName(old.zxid));
    snapshots.splice(snapshots.indexOf(old), 1);
    state.queue.addSnapshotWork({ kind: "purge" });
    return;
  }
  const damaged = state.voteLoss === undefined ? state.damagedFiles.pop() : undefined;
  if (damaged !== undefined) {
    yield* removeIfThere(damaged);
    state.queue.addSnapshotWork({ kind: "purge" });
    return;
  }
  const [oldest] = snapshots;
  const [first, second] = segments;
  const isNeeded =
    oldest === undefined ||
    snapshots.length < SNAPSHOTS_KEPT ||
    second === undefined ||
    index.lastZxidOf(second.firstRecord - 1) > oldest.zxid;
  if (first === undefined || isNeeded) return;
  yield* retireSegment(state, first);
  segments.shift();
  index.purge(second.firstRecord);
  log(state, "segmentPurged", { file: first.name });
  report(state, { kind: "purged", baseZxid: index.base });
  state.queue.addSnapshotWork({ kind: "purge" });
}

/** By a lane, or by a peer while there is room: a disk that is nearly full comes first. */
function isBeingRead(
  { loads, low }: LogState,
  { zxid, pinnedUntilMs }: StoredSnapshot,
  nowMs: number,
): boolean {
  for (const loaded of loads.values()) if (loaded === zxid) return true;
  return !low && pinnedUntilMs !== undefined && nowMs < pinnedUntilMs;
}

function* remove(file: string): Procedure {
  const operations: readonly DiskOperation[] = [{ kind: "remove", file }, { kind: "syncFolder" }];
  yield* perform(operations);
}
