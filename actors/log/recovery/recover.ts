/**
 * The start of a life: whose folder it is, what was promised, what the log holds. Everything is looked at before anything
 * is changed. A node that may have forgotten what it acknowledged starts without a vote, if others can repair it; else its
 * folder is left as it is.
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
  /** For a folder that has none. */
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
  // A folder of an older version is taken over here, once.
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

/** What a link points to may be anywhere, and be another's: its records must neither be taken nor be overlooked. */
function refuseNoFiles(others: readonly NoFile[]): void {
  const found = others.find(({ name }) => isOurs(name));
  if (found === undefined) return;
  const { name, is } = found;
  throw new LogStop(
    `${name} in the data folder is ${NO_FILES[is]}, and must be a regular file: put the file itself in its place, with all that is in it; nothing was changed. To keep the data on another disk, name a folder there as the data folder.`,
  );
}

/** Undefined for a folder that is nobody's yet. */
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
  // The marker of a new node is there before the node is.
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
      ? `the data folder holds ${shown}${more} but no ${OWNER_FILE}, which says whose they are. ${WHAT_TO_DO}`
      : `the data folder is not empty (${shown}${more}) and has no ${OWNER_FILE}, so it is not zooid's: give this node an empty folder of its own.`,
  );
}

/** A node alone is an ensemble at once. Others are founded when they know each other. */
function ownFolder({ settings }: LogState, identity: Identity): FolderIdentity {
  const { server, members } = settings;
  const isAlone = members.length === 1;
  const configuration = isAlone ? foundedBy([{ id: server, identity }]) : undefined;
  return { identity, members, configuration };
}

/** A number that no folder of a node alone counts to; those of an ensemble's members begin at a wall clock's. */
const STARTS_ALONE_MAX: number = 2 ** 40;

/** An older folder does not say with whom it was used. That it was used with others can be seen, and then it is theirs. */
function refuseAlone(state: LogState, incarnation: number): void {
  if (state.settings.members.length > 1 || incarnation < STARTS_ALONE_MAX) return;
  throw new LogStop(
    "the data folder was used by a member of an ensemble, and this start names no other members. Nothing was changed. Start it with the --members that it had, or give this node a folder of its own.",
  );
}

/** Of a marker that cannot be read the worst is assumed. */
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
 * Of the life before. A number that was lost is replaced by one that none can have reached by counting, as is that of a
 * folder that may replace an older one: batches of an earlier life must not be taken for this one's.
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
  // It is written before the first promise and the first record.
  const hasPromised =
    promise.kind === "damaged" || (promise.kind === "stored" && promise.promise.epoch > EPOCH_NONE);
  const isLost = hasPromised || [...folder.keys()].some(isSegmentName);
  return isLost || repairable ? unreached : 0;
}

/** A follower promises an epoch before it takes that epoch's first record. */
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

/** Why this node may not vote, if so. What was promised is the graver question, and an older reason stays. */
function lossNow(
  state: LogState,
  of: {
    readonly isNew: boolean;
    readonly before: VoteLoss | undefined;
    readonly found: FoundLog;
    readonly promiseFault: string | undefined;
  },
): VoteLoss | undefined {
  const { epoch } = state.promise;
  if (of.isNew) return { reason: "new", epoch: EPOCH_NONE };
  if (of.before !== undefined && of.before.reason !== "log") return of.before;
  if (of.promiseFault !== undefined) return { reason: "promise", epoch };
  if (of.before !== undefined) return of.before;
  return of.found.damage === undefined ? undefined : { reason: "log", epoch };
}

function isSameLoss(loss: VoteLoss, before: VoteLoss | undefined): boolean {
  return loss.reason === before?.reason && loss.epoch === before.epoch;
}

/** From here on the folder is changed. The marker is durable by now. */
function* clearUp(state: LogState, found: FoundLog): Procedure {
  for (const file of found.aside) yield* setAside(state, file);
  if (found.cut !== undefined) yield* cutAside(state, found.cut);
  if (found.torn !== undefined) yield* cutTorn(state, found.torn);
  // What an earlier life wrote and did not live to sync is reported from now on, so it must be durable first.
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
