/**
 * The start of a life: whose folder it is, what was promised, what the log holds. Everything is looked at before anything
 * is changed, and a folder that cannot be trusted is left as it is.
 */
import type { Crc32 } from "../../protocol/record.ts";
import { EPOCH_NONE, epochOf, formatZxid } from "../../protocol/zxid.ts";
import type { EpochPromise } from "../log-sync/messages.ts";
import {
  checkIdentity,
  damaged,
  decodeIncarnation,
  decodePromise,
  encodeIdentity,
  encodeIncarnation,
  IDENTITY_FILE,
  INCARNATION_FILE,
  isLeftover,
  isOurs,
  isSegmentName,
  isTolerated,
  PROMISE_FILE,
  segmentName,
  WHAT_TO_DO,
} from "./files.ts";
import { LogStop, perform, type Procedure, readBytes, replaceFile } from "./procedure.ts";
import { type ScannedRecord, scanSegment, type SegmentEnd } from "./scan.ts";
import { type LogState, report, say } from "./state.ts";

/** Name and size of every file. */
type Folder = ReadonlyMap<string, number>;

/** A write that was cut short, at the end of the last segment. */
type Torn = { readonly file: string; readonly end: number; readonly bytes: number };

export function* recoverLog(state: LogState): Procedure {
  const { crc32 } = state.settings;
  const folder = yield* listFolder();
  const isNew = yield* checkOwner(state, folder);
  const promise = yield* readPromise(folder, crc32);
  const incarnation = (yield* readIncarnation(folder, crc32)) + 1;
  if (promise !== undefined) state.promise = promise;
  const torn = yield* readSegments(state, folder);
  checkPromiseCoversLog(state, promise);

  for (const file of [...folder.keys()].filter(isLeftover)) {
    yield* perform([{ kind: "remove", file }]);
  }
  if (isNew) yield* perform(replaceFile(IDENTITY_FILE, encodeIdentity(state.settings, crc32)));
  if (torn !== undefined) yield* cutTorn(state, torn);
  // What an earlier life wrote and did not live to sync is reported from now on, so it must be durable first.
  const last = state.segments.at(-1);
  if (last !== undefined) yield* perform([{ kind: "sync", file: last.name }]);
  yield* perform(replaceFile(INCARNATION_FILE, encodeIncarnation(incarnation, crc32)));

  state.recovered = true;
  state.plannedEnd = state.index.lastZxid;
  report(state, {
    kind: "recovered",
    promise: state.promise,
    lastZxids: state.index.lastZxids(),
    incarnation,
    tornBytes: torn?.bytes ?? 0,
  });
  say(state, "info", "logRecovered", {
    records: state.index.count,
    lastZxid: formatZxid(state.index.lastZxid),
    promisedEpoch: state.promise.epoch,
    incarnation,
    tornBytes: torn?.bytes ?? 0,
  });
}

function* listFolder(): Procedure<Folder> {
  const [result] = yield* perform([{ kind: "list" }]);
  if (result?.kind !== "files") throw new LogStop("listing the data folder gave no files");
  return new Map(result.files.map(({ name, size }) => [name, size]));
}

/** True for a folder that is nobody's yet. */
function* checkOwner(state: LogState, folder: Folder): Procedure<boolean> {
  if (folder.has(IDENTITY_FILE)) {
    const bytes = yield* readWhole(folder, IDENTITY_FILE);
    checkIdentity(bytes, state.settings, state.settings.crc32);
    const unknown = [...folder.keys()].filter((name) => !isOurs(name) && !isTolerated(name));
    if (unknown.length > 0) say(state, "warn", "unknownFiles", { files: unknown.join(", ") });
    return false;
  }
  const found = [...folder.keys()].filter((name) => !isLeftover(name) && !isTolerated(name)).sort();
  if (found.length === 0) return true;
  const names = found.slice(0, 5).join(", ");
  const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
  throw new LogStop(
    found.some(isOurs)
      ? `the data folder holds ${names}${more} but no ${IDENTITY_FILE}, which says whose they are: ${WHAT_TO_DO}`
      : `the data folder is not empty (${names}${more}) and has no ${IDENTITY_FILE}, so it is not zooid's: give this node an empty folder of its own.`,
  );
}

function* readWhole(folder: Folder, file: string): Procedure<Uint8Array> {
  return yield* readBytes(file, 0, folder.get(file) ?? 0);
}

function* readPromise(folder: Folder, crc32: Crc32): Procedure<EpochPromise | undefined> {
  if (!folder.has(PROMISE_FILE)) return undefined;
  return decodePromise(yield* readWhole(folder, PROMISE_FILE), crc32);
}

function* readIncarnation(folder: Folder, crc32: Crc32): Procedure<number> {
  if (folder.has(INCARNATION_FILE)) {
    return decodeIncarnation(yield* readWhole(folder, INCARNATION_FILE), crc32);
  }
  // It is written before the first promise and the first record.
  if (folder.has(PROMISE_FILE) || [...folder.keys()].some(isSegmentName)) {
    throw damaged(INCARNATION_FILE);
  }
  return 0;
}

/** Fills the index. Returns what is to be cut off the last segment. */
function* readSegments(state: LogState, folder: Folder): Procedure<Torn | undefined> {
  const names = [...folder.keys()].filter(isSegmentName).sort();
  let torn: Torn | undefined;
  for (const [position, name] of names.entries()) {
    const size = folder.get(name) ?? 0;
    const firstRecord = state.index.count;
    const before = state.index.lastZxid;
    let first: ScannedRecord | undefined;
    const scanned = yield* scanSegment(
      { file: name, size, lastZxid: before },
      state.settings.crc32,
      (record) => {
        first ??= record;
        state.index.push(record.lastZxid, record.offset, record.length);
      },
    );
    if (first === undefined && scanned.follows !== undefined) {
      throw missing(state, name, `it follows zxid ${formatZxid(scanned.follows)}`);
    }
    const isLast = position === names.length - 1;
    if (scanned.dirtyBytes > 0 && (!isLast || scanned.wasDurable)) {
      throw corrupt(state, name, scanned);
    }
    if (first === undefined && !isLast) throw missing(state, name, "it holds no record");
    if (first !== undefined && segmentName(first.firstZxid) !== name) {
      throw missing(state, name, `its first record is ${formatZxid(first.firstZxid)}`);
    }
    if (scanned.dirtyBytes > 0 || scanned.end === 0) {
      torn = { file: name, end: scanned.end, bytes: scanned.dirtyBytes };
    }
    if (scanned.end > 0) state.segments.push({ name, firstRecord, end: scanned.end, size });
  }
  return torn;
}

function corrupt(state: LogState, file: string, scanned: SegmentEnd): LogStop {
  return new LogStop(
    `${file} in the data folder is damaged at offset ${scanned.end}, after zxid ${formatZxid(state.index.lastZxid)} (found there: ${scanned.fault}). What was written later is there, so this is no write cut short by a crash: ${WHAT_TO_DO}`,
  );
}

function missing(state: LogState, file: string, what: string): LogStop {
  return new LogStop(
    `${file} in the data folder does not continue the log, which ends before it at zxid ${formatZxid(state.index.lastZxid)}: ${what}. ${WHAT_TO_DO}`,
  );
}

/** A follower promises an epoch before it takes that epoch's first record. */
function checkPromiseCoversLog(state: LogState, promise: EpochPromise | undefined): void {
  const logged = epochOf(state.index.lastZxid);
  if ((promise?.epoch ?? EPOCH_NONE) >= logged) return;
  const found = promise === undefined ? "missing" : `of epoch ${promise.epoch}`;
  throw new LogStop(
    `the promise file in the data folder is ${found} but the log has records of epoch ${logged}, which were promised before: ${WHAT_TO_DO}`,
  );
}

/** A segment without a record goes as a whole: it was never reported, and its name may not fit what comes next. */
function* cutTorn(state: LogState, torn: Torn): Procedure {
  const { file, end, bytes } = torn;
  if (bytes > 0) say(state, "warn", "tornWriteCut", { file, offset: end, bytes });
  if (end === 0) {
    yield* perform([{ kind: "remove", file }, { kind: "syncFolder" }]);
    return;
  }
  yield* perform([
    { kind: "truncate", file, length: end },
    { kind: "sync", file },
  ]);
  const current = state.segments.at(-1);
  if (current !== undefined) current.size = end;
}
