/** A snapshot of a peer that was taking the place of the log when the node stopped: it goes on at the next start. */
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
  /** A whole snapshot that was to take the place of the log when the node stopped. */
  readonly zxid: Zxid | undefined;
  readonly damage: string | undefined;
  /** Of no use. */
  readonly aside: readonly string[];
};

/** It is believed only when it is whole, and was there last: the log goes for it. */
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
  // The log is told to end there before the file gets its name.
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
 * What is left of a log that holds the snapshot's zxid goes on after it, perhaps with what was acknowledged: then the log stays,
 * and the snapshot joins those that it continues.
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
