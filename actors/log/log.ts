/**
 * The log actor makes records, promises and snapshots durable, and reads them back. Changes are done one at a time, in the order of their
 * messages. Appends that come while the disk is busy are written together, with one sync. The log never reports to log-sync what the
 * disk has not done.
 */
import { assert, unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { hexOfBytes, IDENTITY_BYTES } from "../../protocol/identity.ts";
import { SNAPSHOTS_KEPT_MIN } from "../../protocol/limits.ts";
import { type Crc32, recordHeader } from "../../protocol/record.ts";
import { epochOf, formatZxid } from "../../protocol/zxid.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { DiskOutcome } from "../../runtime/disk.ts";
import { appendGroup } from "./segments/append.ts";
import { storePromise } from "./promise.ts";
import { truncateLog } from "./segments/truncate.ts";
import { askAgain, askForSnapshot } from "./snapshots/schedule.ts";
import { storeConfiguration } from "./configuration.ts";
import { installSnapshot } from "./snapshots/install.ts";
import { isLogEndOutdated, writeLogEnd } from "./segments/log-end.ts";
import type { LogMessage, LogTimer } from "./messages.ts";
import { LogStop, type Procedure } from "./format/procedure.ts";
import { readRecords } from "./segments/read.ts";
import { recoverLog } from "./recovery/recover.ts";
import { prepareSpace, spaceToPrepare } from "./segments/preallocate.ts";
import { becomeWritable, endWait } from "./disk-space.ts";
import { sealSegment, segmentToSeal } from "./segments/seal.ts";
import { nextSnapshotWork } from "./snapshots/work.ts";
import {
  initialState,
  isChangeStalled,
  type LogActorEffect,
  type LogState,
  type LogTurn,
  mayGrow,
  type PendingRecord,
  log,
} from "./state.ts";
import { loseVote, regainVote } from "./recovery/vote-loss.ts";

export type { LogState } from "./state.ts";

export type LogOptions = {
  readonly server: ServerId;
  readonly ensemble: string;
  /** The ensemble's voters, ascending. Default: this node alone. */
  readonly members?: readonly ServerId[];
  /** The size of a segment in bytes, 4096 to 2^30. Smaller ones make more files, larger ones reserve more space. Default 16 MiB. */
  readonly segmentBytes?: number;
  /**
   * Bytes of records after which a snapshot is cut; up to half as many are added at random. With fewer the node starts faster and uses
   * less disk space, but the tree is written more often. Default 64 MiB.
   */
  readonly snapshotEveryBytes?: number;
  /** How many snapshots are kept, and with them the log since the oldest. Default and at least SNAPSHOTS_KEPT_MIN. */
  readonly snapshotsKept?: number;
  /**
   * Whether other nodes have the log too, so that a node with a damaged log starts without a vote and is repaired from theirs. Default
   * false: a node with a damaged log does not start.
   */
  readonly repairable?: boolean;
  readonly crc32: Crc32;
};

const SEGMENT_BYTES_DEFAULT: number = 16 * 1024 * 1024;
const SNAPSHOT_EVERY_BYTES_DEFAULT: number = 64 * 1024 * 1024;
const SEGMENT_BYTES_MIN = 4096;
const SEGMENT_BYTES_MAX: number = 2 ** 30;
/** Log-sync limits the bytes that it has under way. This many messages are far more than that allows. */
const MAILBOX_CAPACITY = 65_536;
/**
 * Milliseconds from an append until the log's end is protected by a seal and by `log-end`. Nobody who waits for an append has to wait for
 * that too, and when a client writes one value after the other it is done once for several.
 */
const IDLE_AFTER_MS = 20;

export function logActor(options: LogOptions): Actor<LogState, LogMessage, LogActorEffect> {
  const { server, ensemble, crc32, repairable = false, members = [server] } = options;
  const { segmentBytes = SEGMENT_BYTES_DEFAULT } = options;
  const { snapshotEveryBytes = SNAPSHOT_EVERY_BYTES_DEFAULT } = options;
  const { snapshotsKept = SNAPSHOTS_KEPT_MIN } = options;
  assert(snapshotsKept >= SNAPSHOTS_KEPT_MIN, "one snapshot may be damaged");
  assert(segmentBytes >= SEGMENT_BYTES_MIN, "a segment is not smaller than a disk block");
  assert(segmentBytes <= SEGMENT_BYTES_MAX, "offsets in a segment fit in 32 bits");
  return {
    name: "log",
    supervision: "stopNode",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: (turn) => {
      const sizes = { segmentBytes, snapshotEveryBytes, snapshotsKept };
      const state = initialState({ server, ensemble, members, repairable, crc32, ...sizes });
      const newIdentity = hexOfBytes(turn.randomBytes(IDENTITY_BYTES));
      state.running = recoverLog(state, { wallMs: turn.wallMs, newIdentity });
      work({ ...turn, state }, () => runOn(state, undefined));
      return state;
    },
    receive: (turn, message) => {
      if (!turn.state.stopped) work(turn, () => take(turn.state, message));
    },
  };
}

/**
 * Does `first`, and then begins whatever can be begun now. A procedure goes on over several turns, so its effects gather in the state and
 * are handed to the runtime at the end of each turn.
 */
function work({ state, effects, nowMs, random }: LogTurn, first: () => void): void {
  try {
    first();
    startNext(state, nowMs);
    if (state.recovered) askForSnapshot(state, random);
  } catch (error) {
    if (!(error instanceof LogStop)) throw error;
    state.stopped = true;
    state.running = undefined;
    state.outbox.push({ kind: "stopNode", reason: error.message });
  }
  effects.push(...state.outbox);
  state.outbox.length = 0;
}

function take(state: LogState, message: LogMessage): void {
  switch (message.kind) {
    case "append":
      return takeAppend(state, message.records);
    case "truncate":
      assert(state.recovered, "the log is recovered before it is truncated");
      if (message.after < state.plannedEnd) state.plannedEnd = message.after;
      state.changes.push(message);
      return;
    case "promise":
    case "installSnapshot":
    case "storeConfiguration":
    case "loseVote":
    case "regainVote":
      state.changes.push(message);
      return;
    case "storeChunk":
    case "askChunk":
    case "dropTransfer":
      state.queue.addSnapshotWork(message);
      return;
    case "read":
      state.queue.addRead(message);
      return;
    case "endOfTurn":
      // All messages of the turn have been taken, so the appends among them share a sync.
      state.flush = "due";
      return;
    case "timer":
      return takeTimer(state, message.timer);
    case "diskDone":
    case "diskFailed":
      assert(message.tag === state.tag, "one disk effect is under way at a time");
      return runOn(state, message);
    default:
      return unreachable(message);
  }
}

function takeAppend(state: LogState, records: readonly Uint8Array[]): void {
  assert(state.recovered, "the log is recovered before it is appended to");
  const pending = records.map(pendingRecord);
  const [first] = pending;
  if (first === undefined) return;
  const follows = first.prevZxid === state.plannedEnd;
  if (state.space.kind === "full" || (state.wasFull && !follows)) {
    log(state, "appendDropped", {
      records: records.length,
      firstZxid: formatZxid(first.firstZxid),
    });
    return;
  }
  for (const record of pending) {
    assert(record.prevZxid === state.plannedEnd, "an append follows the log's end");
    assert(record.firstZxid > record.prevZxid, "zxids grow along the log");
    assert(record.lastZxid >= record.firstZxid, "a record ends where it begins, or later");
    state.plannedEnd = record.lastZxid;
  }
  state.changes.push({ kind: "append", records: pending });
}

function pendingRecord(bytes: Uint8Array): PendingRecord {
  const { firstZxid, prevZxid, lastZxid } = recordHeader(bytes);
  return { bytes, firstZxid, prevZxid, lastZxid };
}

function takeTimer(state: LogState, timer: LogTimer): void {
  switch (timer) {
    case "askAgain":
      askAgain(state);
      return;
    case "idle": {
      const isIdle = state.running === undefined && state.flush === "none";
      state.idle = isIdle ? "due" : "none";
      return;
    }
    case "probe":
      endWait(state);
      return;
    default:
      unreachable(timer);
  }
}

/** Resumes the running procedure with the outcome of its last operations. It yields the next operations, or is done. */
function runOn(state: LogState, outcome: DiskOutcome | undefined): void {
  assert(state.running !== undefined, "a disk outcome belongs to a procedure");
  // A generator takes no value at its first step.
  const step = outcome === undefined ? state.running.next() : state.running.next(outcome);
  if (step.done === true) {
    state.running = undefined;
    return;
  }
  state.tag += 1;
  state.outbox.push({ kind: "disk", tag: state.tag, operations: step.value });
}

function startNext(state: LogState, nowMs: number): void {
  while (state.running === undefined) {
    const procedure = nextProcedure(state, nowMs);
    if (procedure === undefined) return;
    state.running = procedure;
    runOn(state, undefined);
  }
}

function nextProcedure(state: LogState, nowMs: number): Procedure | undefined {
  const mayPrepare = mayGrow(state) && spaceToPrepare(state) !== undefined;
  const next = state.queue.next({
    mayChange: state.changes.length > 0 && !isChangeStalled(state),
    // Keeps ahead of the appends under load: two bytes of zeros are written for each byte that was appended.
    mustPrepare: mayPrepare && state.unpreparedBytes >= state.zeros.length / 2,
  });
  switch (next.kind) {
    case "read":
      return readRecords(state, next.request);
    case "snapshotWork":
      return nextSnapshotWork(state, next.work, nowMs);
    case "prepare":
      return prepareSpace(state);
    case "change": {
      const change = nextChange(state);
      if (change !== undefined) state.queue.changeBegan();
      return change;
    }
    case "nothing":
      return idleProcedure(state, mayPrepare);
    default:
      return unreachable(next);
  }
}

/** What to do when no work is waiting: protect the log's end, then prepare space. When all is prepared the disk has space again. */
function idleProcedure(state: LogState, mayPrepare: boolean): Procedure | undefined {
  const protect = state.flush === "none" ? protectEnd(state) : undefined;
  if (protect !== undefined) return protect;
  if (mayPrepare) return prepareSpace(state);
  if (state.space.kind !== "free" && mayGrow(state)) becomeWritable(state);
  return undefined;
}

/** Writes the log's end to `log-end`, and then a seal behind the last write, when the log has been idle for `IDLE_AFTER_MS`. */
function protectEnd(state: LogState): Procedure | undefined {
  const unsealed = segmentToSeal(state);
  const isOutdated = isLogEndOutdated(state);
  if (state.idle === "due") {
    if (isOutdated) return writeLogEnd(state);
    state.idle = "none";
    if (unsealed !== undefined) return sealSegment(state, unsealed);
  }
  if (state.idle === "none" && (isOutdated || unsealed !== undefined)) {
    state.idle = "scheduled";
    state.outbox.push({ kind: "startTimer", timer: "idle", afterMs: IDLE_AFTER_MS });
  }
  return undefined;
}

function nextChange(state: LogState): Procedure | undefined {
  const [change] = state.changes;
  if (change === undefined) return undefined;
  switch (change.kind) {
    case "append":
      if (state.flush === "due") return appendGroup(state, takeGroup(state));
      if (state.flush === "none") {
        state.flush = "scheduled";
        state.outbox.push({ kind: "endOfTurn" });
      }
      return undefined;
    case "truncate":
      return truncateLog(state, change.after);
    case "promise":
      return storePromise(state, change.promise);
    case "installSnapshot":
      state.changes.shift();
      return installSnapshot(state, change.snapshot);
    case "storeConfiguration":
      return storeConfiguration(state, change);
    case "loseVote":
      return loseVote(state, change.incarnation);
    case "regainVote":
      return regainVote(state);
    default:
      return unreachable(change);
  }
}

/** Takes all appends up to the next change of another kind. They are written together. */
function takeGroup(state: LogState): readonly PendingRecord[] {
  state.flush = "none";
  const end = state.changes.findIndex((change) => change.kind !== "append");
  const appends = state.changes.splice(0, end === -1 ? state.changes.length : end);
  const records = appends.flatMap((change) => (change.kind === "append" ? change.records : []));
  for (const record of records) {
    assert(
      epochOf(record.lastZxid) <= state.promise.epoch,
      "an epoch is promised before its first record is appended",
    );
  }
  return records;
}
