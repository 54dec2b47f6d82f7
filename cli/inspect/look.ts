/**
 * Looks at everything in a data folder. It is a procedure like those of the log actor; it only reads. The rules are in
 * `docs/internals/disk-format.md`; what a node does about a finding when it starts is decided in `actors/log/recovery`.
 */
import {
  decodeOwner,
  decodeIncarnation,
  decodePromise,
  decodeVoteLoss,
  FileDamaged,
  OWNER_FILE,
  INCARNATION_FILE,
  installZxid,
  isAside,
  isLeftover,
  isOurs,
  isReused,
  isSegmentName,
  isTolerated,
  LOG_END_FILE,
  OTHER_DATA_FILE,
  OTHER_LOG_FILE,
  NO_FILES,
  TRANSFER_FILE,
  PROMISE_FILE,
  SNAPSHOT_NEW_FILE,
  snapshotZxid,
  SPARE_FILE,
  VOTE_LOSS_FILE,
} from "../../actors/log/format/files.ts";
import type { VoteLoss } from "../../actors/log/messages.ts";
import { type Folder, listFolder } from "../../actors/log/format/folder.ts";
import { type Procedure, readBytes } from "../../actors/log/format/procedure.ts";
import { hasAllFiles, readLogEnd, type StoredEnd } from "../../actors/log/recovery/find-end.ts";
import type { ScannedRecord } from "../../actors/log/format/scan.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { EPOCH_NONE, epochOf, formatZxid, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { NoFile } from "../../runtime/disk.ts";
import {
  baseOf,
  type LogFiles,
  logFilesOf,
  unlessUnreadable,
  whyNot,
} from "../../server/offline/log-files.ts";
import type { Finding, Look, OtherFile } from "./findings.ts";
import { beginChain, type Chain, walkSegments } from "./segments.ts";
import { Joints, judgeJoints, lookAtSnapshot, type SnapshotLook } from "./snapshots.ts";

export function* lookAtFolder(crc32: Crc32): Procedure<Look> {
  // `log-end` is read before the log: a running node never records a zxid there that was not durable before.
  const early = yield* listFolder();
  const storedEnd = yield* unlessUnreadable(readLogEnd(early.folder, crc32));
  const { folder, others: noFiles } = yield* listFolder();
  const files = logFilesOf(folder);
  const base = yield* baseOf(files, crc32);
  const joints = new Joints(files.snapshots);
  let end = base;
  const chain = beginChain(base, crc32, (_file: string, { lastZxid }: ScannedRecord) => {
    joints.note(lastZxid);
    if (lastZxid > end) end = lastZxid;
  });
  joints.note(base);
  yield* walkSegments(chain, files.segments);
  const snapshots: SnapshotLook[] = [];
  for (const file of files.snapshots) snapshots.push(yield* lookAtSnapshot(file, crc32));
  for (const { problem } of snapshots) if (problem !== undefined) chain.problems.push(problem);
  judgeJoints(chain, { base, end }, snapshots, joints);
  judgeEnd(chain, end, storedEnd);
  judgeNoFiles(chain, noFiles);
  // The promise is read after the log: in the folder of a running node it is then never older than the records.
  const newest = snapshots.findLast(({ facts }) => facts.valid)?.facts.zxid ?? ZXID_NONE;
  const whole = yield* lookAtWholeFiles(chain, folder, Math.max(end, newest) as Zxid);
  const others = othersOf(chain, folder, files);
  return {
    ...whole,
    baseZxid: base,
    lastZxid: end,
    segments: chain.segments,
    snapshots: snapshots.map(({ facts }) => facts),
    others,
    problems: chain.problems,
    notices: chain.notices,
  };
}

function judgeEnd(chain: Chain, zxid: Zxid, stored: StoredEnd | undefined): void {
  const file = LOG_END_FILE;
  if (stored === undefined || stored.kind === "unknown") {
    const found = stored?.what ?? "cannot be read";
    const what = `it ${found}, though it was written at the first start: it tells how far the log was durable`;
    chain.problems.push({ kind: "fileDamaged", file, what });
  } else if (stored.kind === "stored" && stored.zxid > zxid) {
    const what = `it tells that all up to zxid ${formatZxid(stored.zxid)} was durable, and the log ends before that: the records between are missing, which no crash does`;
    chain.problems.push({ kind: "endMissing", file, zxid, what });
  }
}

function judgeNoFiles(chain: Chain, others: readonly NoFile[]): void {
  for (const { name: file, is } of others) {
    const found = `${NO_FILES[is]}`;
    if (isOurs(file)) {
      const what = `${found}, and must be a regular file: what it holds is not read, and the node does not start`;
      chain.problems.push({ kind: "noFile", file, what });
    } else if (!isTolerated(file)) {
      chain.notices.push({
        kind: "unknownFile",
        file,
        what: `${found}, not zooid's; it does no harm`,
      });
    }
  }
}

type WholeFiles = Pick<Look, "identity" | "incarnation" | "promise" | "voteLoss">;

/** Looks at the files that are replaced as a whole. `lastZxid` is the last zxid of the log and the snapshots. */
function* lookAtWholeFiles(chain: Chain, folder: Folder, lastZxid: Zxid): Procedure<WholeFiles> {
  const { crc32 } = chain;
  const read = <Value>(
    file: string,
    decode: (bytes: Uint8Array) => Value,
  ): Procedure<Value | undefined> => readWhole(chain, folder, file, decode);
  const identity = yield* read(OWNER_FILE, (bytes) => decodeOwner(bytes, crc32));
  const promise = yield* read(PROMISE_FILE, (bytes) => decodePromise(bytes, crc32));
  const incarnation = yield* read(INCARNATION_FILE, (bytes) => decodeIncarnation(bytes, crc32));
  const voteLoss = yield* read(VOTE_LOSS_FILE, (bytes) => decodeVoteLoss(bytes, crc32));
  const logged = epochOf(lastZxid);
  const missing = (file: string, what: string): void => {
    if (!folder.has(file)) chain.problems.push({ kind: "fileMissing", file, what });
  };
  missing(OWNER_FILE, "missing: it says whose folder this is");
  if (folder.has(PROMISE_FILE) || logged > EPOCH_NONE) {
    missing(INCARNATION_FILE, "missing, though the node has been started before");
  }
  if (logged > EPOCH_NONE) {
    missing(
      PROMISE_FILE,
      `missing, though the log has records of epoch ${logged}, which was promised before`,
    );
  } else if (yield* hasAllFiles(folder, crc32)) {
    missing(PROMISE_FILE, "missing, though it was written at the first start");
  }
  if (promise !== undefined && promise.epoch < logged) {
    const what = `it promises epoch ${promise.epoch}, and the log has records of epoch ${logged}, which was promised before`;
    chain.problems.push({ kind: "promiseTooLow", file: PROMISE_FILE, zxid: lastZxid, what });
  }
  if (voteLoss !== undefined) {
    const what = `the node has no vote until its leader has repaired it: ${VOTE_LOSS_REASONS[voteLoss.reason]}`;
    chain.notices.push({ kind: "withoutVote", file: VOTE_LOSS_FILE, what });
  }
  return { identity, incarnation, promise, voteLoss };
}

const VOTE_LOSS_REASONS: Readonly<Record<VoteLoss["reason"], string>> = {
  guest: "its folder was empty, and its number was another folder's",
  new: "its folder was empty when it started",
  log: "records were missing or damaged when it started",
  promise: "what it had promised was unknown when it started",
};

function* readWhole<Value>(
  chain: Chain,
  folder: Folder,
  file: string,
  decode: (bytes: Uint8Array) => Value,
): Procedure<Value | undefined> {
  const size = folder.get(file);
  if (size === undefined) return undefined;
  try {
    return decode(yield* readBytes(file, 0, size));
  } catch (error) {
    const isDamaged = error instanceof FileDamaged;
    const what = isDamaged ? "damaged: it is not what its checksum says" : whyNot(error);
    chain.problems.push({ kind: isDamaged ? "fileDamaged" : "fileUnreadable", file, what });
    return undefined;
  }
}

const WHOLE_FILES: readonly string[] = [OWNER_FILE, PROMISE_FILE, INCARNATION_FILE, VOTE_LOSS_FILE];

/** Returns the files that are neither part of the log nor reported elsewhere. */
function othersOf(chain: Chain, folder: Folder, files: LogFiles): readonly OtherFile[] {
  const others: OtherFile[] = [];
  const pending = files.snapshots.find(({ file }) => installZxid(file) !== undefined);
  for (const [file, size] of [...folder].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isReplaced = files.replaced.includes(file);
    const isLog = isSegmentName(file) || snapshotZxid(file) !== undefined;
    if (WHOLE_FILES.includes(file) || (isLog && !isReplaced) || file === pending?.file) continue;
    others.push({ file, size, what: isReplaced ? REPLACED : purposeOf(file) });
    const notice = isReplaced ? undefined : noticeOf(file);
    if (notice !== undefined) chain.notices.push(notice);
  }
  if (pending !== undefined) {
    const { file, zxid } = pending;
    const what =
      "a peer's snapshot, which takes the place of the log and the snapshots at the next start";
    chain.notices.push({ kind: "installPending", file, zxid, what });
  }
  return others;
}

const REPLACED = "gives way to the peer's snapshot at the next start";

function purposeOf(file: string): string {
  if (file === SPARE_FILE) return "zeros: the next segment being prepared";
  if (isReused(file)) return "a purged segment, to be written to again";
  if (file === SNAPSHOT_NEW_FILE) return "a snapshot being cut, or one that was not finished";
  if (file === TRANSFER_FILE)
    return "a peer's snapshot being received, or one that was not finished";
  if (file === LOG_END_FILE) return "how far the log was durable";
  if (file === OTHER_LOG_FILE) return "names the folder of the log, which is read as well";
  if (file === OTHER_DATA_FILE) return "names the data folder whose log lies here";
  if (isLeftover(file)) return "a replacement that was not finished";
  if (isAside(file)) return "damaged, kept until it is repaired";
  return isTolerated(file) ? "of ZooKeeper's; never written" : "not zooid's";
}

function noticeOf(file: string): Finding | undefined {
  if (isAside(file)) {
    return {
      kind: "setAside",
      file,
      what: "set aside because it was damaged; kept until the node is repaired",
    };
  }
  if (purposeOf(file) !== "not zooid's") return undefined;
  return { kind: "unknownFile", file, what: "not zooid's; it does no harm" };
}
