/**
 * How the log is recovered when a node starts: to whom the folder belongs, what was promised, and what the log holds. Everything is read
 * before anything is changed. A node that may have forgotten what it acknowledged starts without a vote if other nodes can repair it.
 * If none can, the node does not start and its folder is left as it is.
 */
import { foundedBy } from "../../../protocol/configuration.ts";
import type { Identity } from "../../../protocol/identity.ts";
import type { Crc32 } from "../../../protocol/record.ts";
import { EPOCH_NONE, type Epoch, epochOf, formatZxid } from "../../../protocol/zxid.ts";
import type { NoFile } from "../../../runtime/disk.ts";
import type { EpochPromise } from "../../../protocol/replication.ts";
import {
  checkOwner,
  decodeIncarnation,
  decodePromise,
  decodeVoteLoss,
  decodeOwner,
  encodeOwner,
  encodeIncarnation,
  encodePromise,
  type FolderIdentity,
  OWNER_FILE,
  INCARNATION_FILE,
  isAside,
  isLeftover,
  isOurs,
  isSegmentName,
  isTolerated,
  LOG_END_FILE,
  NO_FILES,
  PROMISE_FILE,
  type StoredOwner,
  VOTE_LOSS_FILE,
  WHAT_TO_DO,
  ZOOKEEPER_ADVICE,
  ZOOKEEPER_FOLDER,
} from "../format/files.ts";
import { decodeOr, type Folder, type Listed, listFolder, readWhole } from "../format/folder.ts";
import { encodeLogEnd } from "../segments/log-end.ts";
import type { VoteLoss } from "../messages.ts";
import {
  LogStop,
  perform,
  type Procedure,
  removeIfThere,
  replaceFile,
} from "../format/procedure.ts";
import { faultOfEnd, hasAllFiles, readLogEnd } from "./find-end.ts";
import { findInstall, installAgain } from "./finish-install.ts";
import { findLog, type FoundLog } from "./find-log.ts";
import { performWithReserve } from "../disk-space.ts";
import { type LogState, report, log } from "../state.ts";
import { cutAside, setAside, storeVoteLoss } from "./vote-loss.ts";

export type Start = {
  readonly wallMs: number;
  /** The identity of the folder, if it has none yet. */
  readonly newIdentity: Identity;
};

export function* recoverLog(state: LogState, { wallMs, newIdentity }: Start): Procedure {
  const { crc32, repairable } = state.settings;
  const listed = yield* listFolder();
  let { folder } = listed;
  const owner = yield* readOwner(state, listed);
  const isNew = owner === undefined;
  state.own = owner?.own ?? ownFolder(state, newIdentity);
  const storedEnd = yield* readLogEnd(folder, crc32);
  const install = yield* findInstall(state, folder, storedEnd);
  if (install.zxid !== undefined) folder = yield* installAgain(state, folder, install.zxid);
  const before = yield* readVoteLoss(folder, crc32);
  const promise = yield* readPromise(folder, crc32);
  const isPromiseLost = promise.kind === "missing" && (yield* hasAllFiles(folder, crc32));
  const incarnation = (yield* readIncarnation(state, folder, { wallMs, promise })) + 1;
  if (owner !== undefined && owner.own === undefined) refuseAlone(state, incarnation);
  const found = yield* findLog(state, folder);
  found.damage ??= install.damage ?? faultOfEnd(state, storedEnd);
  found.aside.push(...install.aside);
  const logged = epochOf(state.index.lastZxid);
  const promiseFault = faultOfPromise(promise, isPromiseLost, logged);
  const fault = found.damage ?? promiseFault;
  if (!repairable) refuseDamage(fault, before);
  state.promise =
    promise.kind === "stored" && promiseFault === undefined
      ? promise.promise
      : { epoch: logged, candidate: state.settings.server };
  const loss = repairable ? lossNow(state, { isNew, before, found, promiseFault }) : undefined;

  for (const file of [...folder.keys()].filter(isLeftover)) {
    yield* perform([{ kind: "remove", file }]);
  }
  state.damagedFiles.push(...[...folder.keys()].filter(isAside));
  if (loss !== undefined && !isSameLoss(loss, before)) yield* storeVoteLoss(state, loss);
  state.voteLoss = loss;
  if (!repairable) yield* removeIfThere(VOTE_LOSS_FILE);
  // A folder of an older version gets its identity here, once.
  if (owner?.own === undefined) {
    yield* perform(replaceFile(OWNER_FILE, encodeOwner(state.settings, state.own, crc32)));
  }
  yield* clearUp(state, found);
  const { promise: promised, index } = state;
  if (promise.kind === "missing" && !isPromiseLost) {
    yield* replaceWithReserve(state, PROMISE_FILE, encodePromise(promised, crc32));
  }
  yield* replaceWithReserve(state, LOG_END_FILE, encodeLogEnd(index.lastZxid, crc32));
  state.logEnd = index.lastZxid;
  yield* replaceWithReserve(state, INCARNATION_FILE, encodeIncarnation(incarnation, crc32));
  if (loss !== undefined) logWithoutVote(state, loss, fault);
  reportRecovered(state, found, incarnation);
}

function* replaceWithReserve(state: LogState, file: string, bytes: Uint8Array): Procedure {
  if (yield* performWithReserve(state, replaceFile(file, bytes))) return;
  throw new LogStop("the disk is full. Make room, then start the node again.");
}

function reportRecovered(state: LogState, found: FoundLog, incarnation: number): void {
  const { index, promise, voteLoss } = state;
  const tornBytes = found.torn?.bytes ?? 0;
  state.recovered = true;
  state.plannedEnd = index.lastZxid;
  state.loggedBytes = index.bytesFrom(index.countUpTo(found.snapshot?.zxid ?? index.base));
  report(state, {
    kind: "recovered",
    identity: state.own.identity,
    configuration: state.own.configuration,
    logged: state.logged.filter(({ zxid }) => zxid > index.base && index.holds(zxid)),
    promise,
    baseZxid: index.base,
    lastZxids: index.lastZxids(),
    snapshot: found.snapshot,
    timeMs: found.timeMs,
    voteLoss,
    incarnation,
    tornBytes,
  });
  log(state, "logRecovered", {
    records: index.lastZxids().length,
    baseZxid: formatZxid(index.base),
    lastZxid: formatZxid(index.lastZxid),
    snapshotZxid: formatZxid(found.snapshot?.zxid ?? index.base),
    promisedEpoch: promise.epoch,
    incarnation,
    tornBytes,
  });
}

/**
 * Refuses a folder in which one of the log's files is a link or a folder. What a link points to may be anywhere and belong to another node,
 * so its records must neither be used nor be overlooked.
 */
function refuseNoFiles(others: readonly NoFile[]): void {
  const found = others.find(({ name }) => isOurs(name));
  if (found === undefined) return;
  const { name, is } = found;
  throw new LogStop(
    `${name} in the data folder is ${NO_FILES[is]}, and must be a regular file: put the file itself in its place, with all that is in it; nothing was changed. To keep the data on another disk, name a folder there as the data folder.`,
  );
}

/** Reads to whom the folder belongs. Undefined: it is empty and belongs to nobody yet. */
function* readOwner(
  state: LogState,
  { folder, others }: Listed,
): Procedure<StoredOwner | undefined> {
  refuseNoFiles(others);
  const names = [...folder.keys(), ...others.map(({ name }) => name)];
  if (folder.has(OWNER_FILE)) {
    const bytes = yield* readWhole(folder, OWNER_FILE);
    const owner = decodeOwner(bytes, state.settings.crc32);
    checkOwner(owner, state.settings);
    const unknown = names.filter((name) => !isOurs(name) && !isTolerated(name));
    if (unknown.length > 0) log(state, "unknownFiles", { files: unknown.join(", ") });
    return owner;
  }
  // A new node writes the marker of its lost vote before anything else, so a marker alone does not mean that the folder was used.
  const found = names
    .filter((name) => !isLeftover(name) && !isTolerated(name) && name !== VOTE_LOSS_FILE)
    .sort();
  if (found.length === 0) return undefined;
  if (found.includes(ZOOKEEPER_FOLDER)) {
    throw new LogStop(
      `the data folder holds ${ZOOKEEPER_FOLDER}, the transaction logs and snapshots of Apache ZooKeeper: ${ZOOKEEPER_ADVICE}`,
    );
  }
  const shown = found.slice(0, 5).join(", ");
  const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
  throw new LogStop(
    found.some(isOurs)
      ? `the data folder holds ${shown}${more} but no ${OWNER_FILE}, which says whose they are. ${WHAT_TO_DO} ${RESTORE_UNFINISHED}`
      : `the data folder is not empty (${shown}${more}) and has no ${OWNER_FILE}, so it is not zooid's: give this node an empty folder of its own.`,
  );
}

/** A restore writes `zooid.json` last, so what a killed one has left is found here. */
const RESTORE_UNFINISHED =
  "If it is what a zooid restore has left that did not finish, empty it and restore again.";

/** The identity of a new folder. A node alone is an ensemble at once; several nodes found theirs when all know of each other. */
function ownFolder({ settings }: LogState, identity: Identity): FolderIdentity {
  const { server, members } = settings;
  const isAlone = members.length === 1;
  const configuration = isAlone ? foundedBy([{ id: server, identity }]) : undefined;
  return { identity, members, configuration };
}

/** A node alone counts its starts from 1 and never reaches this number. The folders of an ensemble's members begin at the wall clock. */
const STARTS_ALONE_MAX: number = 2 ** 40;

/** Refuses to start a member of an ensemble as a node alone. An older folder does not name its members, but its incarnation shows them. */
function refuseAlone(state: LogState, incarnation: number): void {
  if (state.settings.members.length > 1 || incarnation < STARTS_ALONE_MAX) return;
  throw new LogStop(
    "the data folder was used by a member of an ensemble, and this start names no other members. Nothing was changed. Start it with the --members that it had, or give this node a folder of its own.",
  );
}

/** Reads why this node has no vote. A marker that cannot be read counts as the worst case, a lost promise. */
function* readVoteLoss(folder: Folder, crc32: Crc32): Procedure<VoteLoss | undefined> {
  if (!folder.has(VOTE_LOSS_FILE)) return undefined;
  const bytes = yield* readWhole(folder, VOTE_LOSS_FILE);
  return decodeOr(() => decodeVoteLoss(bytes, crc32), { reason: "promise", epoch: EPOCH_NONE });
}

type ReadPromise =
  | { readonly kind: "stored"; readonly promise: EpochPromise }
  | { readonly kind: "missing" }
  | { readonly kind: "damaged" };

function* readPromise(folder: Folder, crc32: Crc32): Procedure<ReadPromise> {
  if (!folder.has(PROMISE_FILE)) return { kind: "missing" };
  const bytes = yield* readWhole(folder, PROMISE_FILE);
  const promise = decodeOr(() => decodePromise(bytes, crc32), undefined);
  return promise === undefined ? { kind: "damaged" } : { kind: "stored", promise };
}

/**
 * Reads the number of the folder's last start. Batches of an earlier incarnation must not be taken for those of this one. So if the number
 * was lost, or if an empty folder may replace an older one, the wall clock in milliseconds is used, which is larger than any count of
 * starts.
 */
function* readIncarnation(
  state: LogState,
  folder: Folder,
  { wallMs, promise }: { readonly wallMs: number; readonly promise: ReadPromise },
): Procedure<number> {
  const { crc32, repairable } = state.settings;
  const unreached = Math.max(0, Math.floor(wallMs));
  if (folder.has(INCARNATION_FILE)) {
    const bytes = yield* readWhole(folder, INCARNATION_FILE);
    return decodeOr(() => decodeIncarnation(bytes, crc32), unreached);
  }
  // The file is written before the first promise and the first record. If there is one of those, the file was lost.
  const hasPromised =
    promise.kind === "damaged" || (promise.kind === "stored" && promise.promise.epoch > EPOCH_NONE);
  const isLost = hasPromised || [...folder.keys()].some(isSegmentName);
  return isLost || repairable ? unreached : 0;
}

/** A text that says why the stored promise cannot be right: an epoch is promised before its first record is taken. Undefined: it can. */
function faultOfPromise(promise: ReadPromise, isLost: boolean, logged: Epoch): string | undefined {
  const isStored = promise.kind === "stored";
  if (isStored && promise.promise.epoch >= logged) return undefined;
  if (promise.kind === "missing" && logged === EPOCH_NONE && !isLost) return undefined;
  const found = isStored ? `of epoch ${promise.promise.epoch}` : promise.kind;
  return `the promise file in the data folder is ${found}; the log has records of epoch ${logged}, which were promised before.`;
}

function refuseDamage(fault: string | undefined, before: VoteLoss | undefined): void {
  if (fault !== undefined) throw new LogStop(`${fault} ${WHAT_TO_DO}`);
  if (before === undefined || before.reason === "new") return;
  throw new LogStop(
    `the data folder was found damaged when this node had others to be repaired from (${VOTE_LOSS_FILE}): start it as the member that it was. Only if what is left is all there is, remove that file first.`,
  );
}

/** Why this node has no vote. A lost promise is the graver loss, so it counts before a damaged log. An older reason stays. */
function lossNow(
  state: LogState,
  facts: {
    readonly isNew: boolean;
    readonly before: VoteLoss | undefined;
    readonly found: FoundLog;
    readonly promiseFault: string | undefined;
  },
): VoteLoss | undefined {
  const { epoch } = state.promise;
  if (facts.isNew) return { reason: "new", epoch: EPOCH_NONE };
  if (facts.before !== undefined && facts.before.reason !== "log") return facts.before;
  if (facts.promiseFault !== undefined) return { reason: "promise", epoch };
  if (facts.before !== undefined) return facts.before;
  return facts.found.damage === undefined ? undefined : { reason: "log", epoch };
}

function isSameLoss(loss: VoteLoss, before: VoteLoss | undefined): boolean {
  return loss.reason === before?.reason && loss.epoch === before.epoch;
}

/** Sets aside and cuts what cannot be used. The folder is changed from here on, and the marker of a lost vote is durable by now. */
function* clearUp(state: LogState, found: FoundLog): Procedure {
  for (const file of found.aside) yield* setAside(state, file);
  if (found.cut !== undefined) yield* cutAside(state, found.cut);
  if (found.torn !== undefined) yield* cutTorn(state, found.torn);
  // The last start may have written records without syncing them. They are reported as durable from now on, so they are synced first.
  const last = state.segments.at(-1);
  if (last !== undefined) yield* perform([{ kind: "sync", file: last.name }]);
}

function* cutTorn(state: LogState, torn: NonNullable<FoundLog["torn"]>): Procedure {
  const { file, end, bytes } = torn;
  if (bytes > 0) log(state, "tornWriteCut", { file, offset: end, bytes });
  yield* perform([
    { kind: "truncate", file, length: end },
    { kind: "sync", file },
  ]);
  const current = state.segments.at(-1);
  if (current !== undefined) current.size = end;
}

function logWithoutVote(state: LogState, loss: VoteLoss, fault: string | undefined): void {
  const { reason } = loss;
  if (fault !== undefined) log(state, "damaged", { reason, found: fault });
  log(state, "withoutVote", { reason, repair: "from the leader" });
}
