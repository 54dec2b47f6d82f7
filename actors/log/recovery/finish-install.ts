/** How an installation of a leader's snapshot is finished at the next start, if the node stopped while the snapshot replaced the log. */
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { installZxid, isSegmentName, snapshotZxid } from "../format/files.ts";
import { type Folder, listFolder } from "../format/folder.ts";
import { finishInstall } from "../snapshots/install.ts";
import type { Procedure } from "../format/procedure.ts";
import type { StoredEnd } from "./find-end.ts";
import { logHolds, refuseForeign, refuseLaterVersion } from "./find-log.ts";
import { verifySnapshot } from "../format/snapshot-file.ts";
import { type LogState, log } from "../state.ts";

type FoundInstall = {
  /** The zxid of an intact snapshot that was replacing the log. */
  readonly zxid: Zxid | undefined;
  readonly damage: string | undefined;
  /** Files that can no longer be used. */
  readonly aside: readonly string[];
};

/**
 * Finds a snapshot that was replacing the log. The log will be removed because of it, so it must be intact, and must not be older than the
 * log.
 */
export function* findInstall(
  state: LogState,
  folder: Folder,
  stored: StoredEnd,
): Procedure<FoundInstall> {
  const names = [...folder.keys()].filter((name) => installZxid(name) !== undefined).sort();
  const name = names.pop();
  const zxid = name === undefined ? undefined : installZxid(name);
  if (name === undefined || zxid === undefined) {
    return { zxid: undefined, damage: undefined, aside: names };
  }
  const file = { name, size: folder.get(name) ?? 0, zxid };
  const verdict = yield* verifySnapshot(file, state.settings.crc32);
  if (verdict.kind === "damaged") refuseLaterVersion(name, verdict.fault);
  else refuseForeign(state, name, verdict.configuration);
  // `log-end` is never above the zxid of the file when the file gets its name. If it is above now, the file is of an earlier time.
  const isOlder = stored.kind === "stored" && stored.zxid > zxid;
  const isOld = isOlder && !(yield* logHolds(folder, zxid, state.settings.crc32));
  if (verdict.kind === "valid" && !isOld) return { zxid, damage: undefined, aside: names };
  const fault =
    verdict.kind === "damaged"
      ? `is damaged at offset ${verdict.position} (${verdict.fault})`
      : "is older than the log";
  const damage = `${name} in the data folder ${fault}, so it is not the snapshot that was to take the place of the log.`;
  return { zxid: undefined, damage, aside: [name, ...names] };
}

/**
 * Finishes the installation. If what is left of the log holds the snapshot's zxid, the log continues the snapshot, perhaps with records
 * that were acknowledged. Then the log stays beside the snapshot. Otherwise it is removed.
 */
export function* installAgain(state: LogState, folder: Folder, zxid: Zxid): Procedure<Folder> {
  const goesOn = yield* logHolds(folder, zxid, state.settings.crc32);
  if (goesOn) log(state, "installedBesideLog", { zxid: formatZxid(zxid) });
  const replaced = [...folder.keys()].filter(
    (name) => isSegmentName(name) || snapshotZxid(name) !== undefined,
  );
  yield* finishInstall(zxid, goesOn ? [] : replaced);
  return (yield* listFolder()).folder;
}
