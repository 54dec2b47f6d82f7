/**
 * How a leader's snapshot replaces this node's log, which ends too early to be continued. When all chunks are stored, the snapshot is
 * verified as a whole, and then one rename decides: before it the old log is valid, after it the snapshot. A log that holds the
 * snapshot's zxid may continue it with records that were acknowledged, so it is never replaced.
 */
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { noteSnapshot } from "./schedule.ts";
import { installName, TRANSFER_FILE, snapshotName } from "../format/files.ts";
import { lowerEnd } from "../segments/log-end.ts";
import { perform, type Procedure, removeIfThere } from "../format/procedure.ts";
import { foreignOwner, verifySnapshot } from "../format/snapshot-file.ts";
import { type LogState, report, log } from "../state.ts";
import { dropTransfer } from "./store.ts";

export function* installSnapshot(state: LogState, snapshot: SnapshotIdentity): Procedure {
  const { zxid } = snapshot;
  const verdict = yield* verifyTransfer(state, snapshot);
  let fault = verdict.fault ?? faultOfPlace(state, zxid);
  if (fault === undefined && !(yield* lowerEnd(state, zxid))) fault = "the disk is full";
  fault ??= faultOfPlace(state, zxid);
  if (fault !== undefined) {
    yield* dropTransfer(state);
    log(state, "installRefused", { zxid: formatZxid(zxid), fault });
    report(state, { kind: "installRefused", zxid, reason: fault });
    return;
  }
  yield* perform([
    { kind: "rename", file: TRANSFER_FILE, to: installName(zxid) },
    { kind: "syncFolder" },
  ]);
  yield* finishInstall(zxid, [
    ...state.segments.map(({ name }) => name),
    ...state.snapshots.map((stored) => snapshotName(stored.zxid)),
  ]);
  state.transfer = undefined;
  state.loads.clear();
  state.segments.splice(0);
  state.snapshots.splice(0, state.snapshots.length, {
    zxid,
    identity: snapshot,
    pinnedUntilMs: undefined,
  });
  state.index.restart(zxid);
  state.plannedEnd = zxid;
  noteSnapshot(state, 0);
  state.truncations += 1;
  log(state, "snapshotInstalled", { zxid: formatZxid(zxid), bytes: snapshot.bytes });
  const { truncations } = state;
  report(state, { kind: "installed", snapshot, timeMs: verdict.timeMs, truncations });
}

/**
 * A text that says why the log must not be replaced. It is asked for again after the verification, since records may have come meanwhile.
 * Undefined: the log may be replaced.
 */
function faultOfPlace({ index, snapshots, changes }: LogState, zxid: Zxid): string | undefined {
  const newest = snapshots.at(-1)?.zxid ?? ZXID_NONE;
  // What is before the base, or in a snapshot of this node, is committed.
  if (zxid <= index.base || zxid <= newest) return "the log begins there or later";
  if (index.holds(zxid)) return "the log goes on from there";
  return changes.some(({ kind }) => kind === "append") ? "the log goes on" : undefined;
}

function* verifyTransfer(
  state: LogState,
  { zxid, bytes, checksum }: SnapshotIdentity,
): Procedure<{ readonly fault: string | undefined; readonly timeMs: number }> {
  const wrong = (fault: string): { fault: string; timeMs: number } => ({ fault, timeMs: 0 });
  if (state.transfer?.zxid !== zxid || state.transfer.bytes !== bytes) {
    return wrong("not all chunks are there");
  }
  const file = { name: TRANSFER_FILE, size: bytes, zxid };
  const verdict = yield* verifySnapshot(file, state.settings.crc32);
  if (verdict.kind === "damaged") return wrong(`${verdict.fault} at offset ${verdict.position}`);
  if (verdict.identity.checksum !== checksum) return wrong("not the snapshot that was offered");
  const { timeMs, configuration } = verdict;
  return { fault: foreignOwner(state.own.configuration, configuration), timeMs };
}

/** Removes the log and gives the snapshot its name. After a crash it is called again, when some of the files may be removed already. */
export function* finishInstall(zxid: Zxid, replaced: readonly string[]): Procedure {
  const file = installName(zxid);
  for (const name of replaced) yield* removeIfThere(name);
  yield* perform([{ kind: "rename", file, to: snapshotName(zxid) }, { kind: "syncFolder" }]);
}
