/**
 * Finds what a data folder's segments and snapshots hold: the intact beginning of the log, the newest snapshot that the log continues, and
 * what must be done before they can be used. Nothing is changed on disk here.
 */
import { assert } from "../../../protocol/assert.ts";
import { type Configuration, decodeConfiguration } from "../../../protocol/configuration.ts";
import { isConfigurationRecord, recordPayload } from "../../../protocol/record.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Crc32 } from "../../../protocol/record.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { isSegmentName, segmentName, snapshotName, snapshotZxid } from "../format/files.ts";
import type { Folder } from "../format/folder.ts";
import { LogStop, type Procedure } from "../format/procedure.ts";
import { firstPrevZxid, type ScannedRecord, scanSegment, type SegmentEnd } from "../format/scan.ts";
import { foreignOwner, verifySnapshot } from "../format/snapshot-file.ts";
import type { LogState, Segment } from "../state.ts";

export type FoundLog = {
  /** The last segment must be cut off at `end`. `bytes` is the length of a write that a crash cut short; 0 if there are only remnants. */
  torn: { readonly file: string; readonly end: number; readonly bytes: number } | undefined;
  /** A text that says which records that were durable are damaged or missing. Undefined: nothing shows that. */
  damage: string | undefined;
  /** Files that can no longer be used, in the order in which they are to be set aside. */
  readonly aside: string[];
  /** If there is damage: the last segment of which at least the beginning is intact, and where that ends. */
  cut: { readonly name: string; readonly size: number; readonly end: number } | undefined;
  /** The snapshot that the log continues. */
  snapshot: SnapshotIdentity | undefined;
  /** The time of the last record in the log or in the snapshot, in milliseconds. */
  timeMs: number;
};

/** Fills the index, the segments and the snapshots of the state with what is intact. */
export function* findLog(state: LogState, folder: Folder): Procedure<FoundLog> {
  const found: FoundLog = {
    torn: undefined,
    damage: undefined,
    aside: [],
    cut: undefined,
    snapshot: undefined,
    timeMs: 0,
  };
  const names = [...folder.keys()].filter(isSegmentName).sort();
  const snapshots = [...folder.keys()]
    .map(snapshotZxid)
    .filter((zxid) => zxid !== undefined)
    .sort((a, b) => b - a);
  const [first] = names;
  const prevZxid =
    first === undefined ? undefined : yield* firstPrevZxid(first, state.settings.crc32);
  state.index.restart(prevZxid ?? snapshots[0] ?? ZXID_NONE);
  yield* findRecords(state, folder, names, found);
  yield* findSnapshot(state, folder, snapshots, found);
  return found;
}

/** Whether this zxid is the end of an intact record, or the log begins after it. Records behind a gap or damage do not count. */
export function* logHolds(folder: Folder, zxid: Zxid, crc32: Crc32): Procedure<boolean> {
  const names = [...folder.keys()].filter(isSegmentName).sort();
  const [first] = names;
  if (first === undefined) return false;
  let lastZxid = (yield* firstPrevZxid(first, crc32)) ?? ZXID_NONE;
  let isHeld = lastZxid === zxid && zxid !== ZXID_NONE;
  for (const file of names) {
    const size = folder.get(file) ?? 0;
    yield* scanSegment({ file, size, lastZxid }, crc32, (record) => {
      lastZxid = record.lastZxid;
      isHeld ||= lastZxid === zxid;
    });
  }
  return isHeld;
}

function* findRecords(
  state: LogState,
  folder: Folder,
  names: readonly string[],
  found: FoundLog,
): Procedure {
  for (const [position, name] of names.entries()) {
    const size = folder.get(name) ?? 0;
    const firstRecord = state.index.count;
    let first: ScannedRecord | undefined;
    const scanned = yield* scanSegment(
      { file: name, size, lastZxid: state.index.lastZxid },
      state.settings.crc32,
      (record, bytes) => {
        first ??= record;
        state.index.push(record.lastZxid, record.offset, record.length);
        noteConfiguration(state, record, bytes);
        found.timeMs = record.timeMs;
      },
    );
    refuseLaterVersion(name, scanned.fault);
    const isLast = position === names.length - 1;
    const damage = damageOf(state, name, scanned, { first, isLast });
    if (damage !== undefined) {
      found.damage = damage;
      const isNamed = first !== undefined && segmentName(first.firstZxid) === name;
      if (!isNamed) state.index.truncate(firstRecord);
      found.aside.push(...names.slice(isNamed ? position + 1 : position).reverse());
      if (isNamed) addSegment(state, { name, firstRecord, end: scanned.end, size });
      cutLast(state, found);
      return;
    }
    if (isLast && scanned.dirtyBytes + scanned.remnantBytes > 0) {
      found.torn = { file: name, end: scanned.end, bytes: scanned.dirtyBytes };
    }
    addSegment(state, { name, firstRecord, end: scanned.end, size });
  }
}

function noteConfiguration(state: LogState, { lastZxid }: ScannedRecord, bytes: Uint8Array): void {
  if (!isConfigurationRecord(bytes)) return;
  const configuration = decodeConfiguration(recordPayload(bytes));
  assert(configuration !== undefined, "a record of a configuration holds one");
  state.logged.push({ zxid: lastZxid, configuration });
}

function addSegment(state: LogState, segment: Omit<Segment, "sealed">): void {
  state.segments.push({ ...segment, sealed: false });
}

/** The last segment is to be cut at the end of its intact records: nothing must be written before old bytes. */
function cutLast(state: LogState, found: FoundLog): void {
  const last = state.segments.at(-1);
  if (last === undefined) return;
  const { name, size, end } = last;
  found.cut = { name, size, end };
  last.size = end;
}

/** Refuses a file with a later format version. Its checksum is right, so it is not damaged, and nothing of it may be cut off. */
export function refuseLaterVersion(name: string, fault: string): void {
  if (fault !== "badVersion") return;
  throw new LogStop(
    `${name} in the data folder has records or chunks of a version that this zooid does not know: start the node with the version that wrote it, or a later one.`,
  );
}

/** Refuses a snapshot of another ensemble. Somebody has put it there, so nothing of the folder itself is wrong or may be changed. */
export function refuseForeign(
  { own }: LogState,
  name: string,
  theirs: Configuration | undefined,
): void {
  const owner = foreignOwner(own.configuration, theirs);
  if (owner === undefined) return;
  throw new LogStop(
    `${name} in the data folder does not belong there: ${owner}. Nothing was changed. Take it out, or give this node the folder that it is of.`,
  );
}

/** A text that says what shows that more of the log was durable than is there. Undefined: nothing does. */
function damageOf(
  state: LogState,
  name: string,
  scanned: SegmentEnd,
  { first, isLast }: { readonly first: ScannedRecord | undefined; readonly isLast: boolean },
): string | undefined {
  const end = formatZxid(state.index.lastZxid);
  const missing = (what: string): string =>
    `${name} in the data folder does not continue the log, which ends before it at zxid ${end}: ${what}.`;
  if (first === undefined && scanned.follows !== undefined) {
    return missing(`it follows zxid ${formatZxid(scanned.follows)}`);
  }
  if (scanned.wasDurable || (scanned.begun && !isLast)) {
    return `${name} in the data folder is damaged at offset ${scanned.end}, after zxid ${end} (found there: ${scanned.fault}). What was written later is there, so this is no write cut short by a crash.`;
  }
  if (first === undefined) {
    return missing(
      "it holds no record, and a segment gets its name when its first ones are durable in it, so no crash left it so",
    );
  }
  if (segmentName(first.firstZxid) !== name) {
    return missing(`its first record is ${formatZxid(first.firstZxid)}`);
  }
  return undefined;
}

/** Finds the newest intact snapshot that the log continues, or that reaches further than what is left of the log. */
function* findSnapshot(
  state: LogState,
  folder: Folder,
  newestFirst: readonly Zxid[],
  found: FoundLog,
): Procedure {
  const { index } = state;
  for (const [position, zxid] of newestFirst.entries()) {
    const name = snapshotName(zxid);
    const file = { name, size: folder.get(name) ?? 0, zxid };
    const verdict = yield* verifySnapshot(file, state.settings.crc32);
    if (verdict.kind === "valid") found.timeMs = Math.max(found.timeMs, verdict.timeMs);
    if (verdict.kind === "damaged") refuseLaterVersion(name, verdict.fault);
    else refuseForeign(state, name, verdict.configuration);
    const isAhead = zxid > index.lastZxid;
    if (verdict.kind === "damaged" || !(isAhead || index.holds(zxid))) {
      found.aside.push(name);
      continue;
    }
    found.snapshot = verdict.identity;
    state.snapshots.push({ zxid, identity: verdict.identity, pinnedUntilMs: undefined });
    if (isAhead) {
      found.damage ??= `the log in the data folder ends at zxid ${formatZxid(index.lastZxid)}, before the snapshot ${name}, which was cut from it.`;
      beginAt(state, zxid, found);
    }
    for (const older of newestFirst.slice(position + 1)) {
      state.snapshots.unshift({ zxid: older, identity: undefined, pinnedUntilMs: undefined });
    }
    return;
  }
  if (index.base === ZXID_NONE) return;
  found.damage ??= `the log in the data folder begins after zxid ${formatZxid(index.base)}, and there is no undamaged snapshot that it continues.`;
  beginAt(state, ZXID_NONE, found);
}

/** Gives up all that is left of the log, which is to begin after `base`. Its segments are set aside. */
function beginAt(state: LogState, base: Zxid, found: FoundLog): void {
  const kept = state.segments.splice(0).map(({ name }) => name);
  found.aside.push(...kept.reverse());
  found.cut = undefined;
  if (found.torn !== undefined) {
    if (!found.aside.includes(found.torn.file)) found.aside.push(found.torn.file);
    found.torn = undefined;
  }
  state.index.restart(base);
}
