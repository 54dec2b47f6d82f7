/**
 * A peer's snapshot takes the place of this node's log, which is too far behind to be continued. Received chunk by chunk, verified
 * as a whole, and then one rename decides: before it the old log stands, after it the new one. A log that holds the snapshot's
 * zxid may go on after it with what was acknowledged, so it stands.
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

/** Why the log stands. Asked last: records may have come while the snapshot was verified. */
function faultOfPlace({ index, snapshots, changes }: LogState, zxid: Zxid): string | undefined {
  const newest = snapshots.at(-1)?.zxid ?? ZXID_NONE;
  // What is before the base, or in a snapshot of this node, was committed.
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

/** Also what a crash left to be done: what stands in the way may be partly gone. */
export function* finishInstall(zxid: Zxid, replaced: readonly string[]): Procedure {
  const file = installName(zxid);
  for (const name of replaced) yield* removeIfThere(name);
  yield* perform([{ kind: "rename", file, to: snapshotName(zxid) }, { kind: "syncFolder" }]);
}
