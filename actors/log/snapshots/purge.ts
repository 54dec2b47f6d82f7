/** Removes old snapshots, and segments whose effects a snapshot contains, one file at a time, so that appends never wait for more. */
import { SNAPSHOTS_KEPT_MIN } from "../../../protocol/limits.ts";
import type { DiskOperation } from "../../../runtime/disk.ts";
import { snapshotName } from "../format/files.ts";
import { perform, type Procedure, removeIfThere } from "../format/procedure.ts";
import { retireSegment } from "../segments/spares.ts";
import { log, type LogState, report, type StoredSnapshot } from "../state.ts";

/**
 * Removes one file durably, and has itself called again if there is another. The oldest file goes first, so that the rest of the log has
 * no gap whenever the node stops.
 */
export function* purgeOne(state: LogState, nowMs: number): Procedure {
  const { snapshots, segments, index, settings } = state;
  const old = snapshots
    .slice(0, -settings.snapshotsKept)
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
    snapshots.length < SNAPSHOTS_KEPT_MIN ||
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

/** Whether a tree reads this snapshot, or a peer does. When disk space is low, peers do not keep a snapshot from being removed. */
function isBeingRead(
  { loads, space }: LogState,
  { zxid, pinnedUntilMs }: StoredSnapshot,
  nowMs: number,
): boolean {
  for (const loaded of loads.values()) if (loaded === zxid) return true;
  return space.kind === "free" && pinnedUntilMs !== undefined && nowMs < pinnedUntilMs;
}

function* remove(file: string): Procedure {
  const operations: readonly DiskOperation[] = [{ kind: "remove", file }, { kind: "syncFolder" }];
  yield* perform(operations);
}
