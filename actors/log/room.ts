/**
 * Room on the disk: segments are filled with zeros ahead of their use, and a full disk is waited out. Zeros that are there
 * when no more can be written are a reserve, and log-sync is told, so that it lasts for what an ensemble cannot do without.
 */
import { formatZxid } from "../../protocol/zxid.ts";
import type { DiskOperation } from "../../runtime/disk.ts";
import { SPARE_FILE } from "./files.ts";
import { LogStop, perform, performIfRoom, type Procedure } from "./procedure.ts";
import { SEAL_BYTES } from "./mark.ts";
import { dropSpares } from "./spares.ts";
import { type LogState, report, say } from "./state.ts";

export const PROBE_TIMER = "probe";
const PROBE_AFTER_MS = 1000;
/** More than a promise takes, in whole blocks of any file system. */
const RESERVE_PIECE_BYTES: number = 64 * 1024;

/** The file that wants zeros next, and how many bytes it has. */
export function roomToPrepare(state: LogState): { file: string; size: number } | undefined {
  const { segmentBytes } = state.settings;
  const current = state.segments.at(-1);
  if (current !== undefined && current.size < segmentBytes) {
    return { file: current.name, size: current.size };
  }
  // A log that hardly grows needs no spare yet; one that had no room shows with it that there is room again.
  const isFilling = current !== undefined && current.end >= segmentBytes / 4;
  const wanted = state.low || (isFilling && state.spares.length === 0);
  if (wanted && state.spareBytes < segmentBytes) {
    return { file: SPARE_FILE, size: state.spareBytes };
  }
  return undefined;
}

/**
 * Writes one piece of zeros. Real zeros, not a hole: with its blocks in place, the sync of a later append writes no
 * metadata.
 */
export function* prepareRoom(state: LogState): Procedure {
  const target = roomToPrepare(state);
  if (target === undefined) return;
  const { file, size } = target;
  const length = Math.min(state.zeros.length, state.settings.segmentBytes - size);
  state.unpreparedBytes = 0;
  const chunks = [state.zeros.subarray(0, length)];
  const done = yield* performIfRoom([
    { kind: "write", file, position: size, chunks },
    { kind: "sync", file },
  ]);
  if (done) {
    if (file === SPARE_FILE) state.spareBytes = size + length;
    else setCurrentSize(state, size + length);
    return;
  }
  yield* giveBack(file, size);
  // Tried again at once, with the room of the segments in waiting.
  if (yield* dropSpares(state)) return;
  if (!state.low) {
    state.low = true;
    report(state, { kind: "roomLow" });
    say(state, "warn", "diskNearlyFull", { file, bytes: length });
  }
  awaitRoom(state);
}

/** Performs the operations, which need little room: if the disk has none, with that of waiting segments, or some of the reserve. */
export function* performWithReserve(
  state: LogState,
  operations: readonly DiskOperation[],
): Procedure<boolean> {
  if (yield* performIfRoom(operations)) return true;
  if ((yield* dropSpares(state)) && (yield* performIfRoom(operations))) return true;
  const current = state.segments.at(-1);
  if (current === undefined) return false;
  // A seal stays: half of one would be damage.
  const size = Math.max(current.end + SEAL_BYTES, current.size - RESERVE_PIECE_BYTES);
  if (size >= current.size) return false;
  yield* giveBack(current.name, size);
  current.size = size;
  return yield* performIfRoom(operations);
}

/** Cuts off what a write that found no room left behind. */
export function* giveBack(file: string, length: number): Procedure {
  const outcome = yield [{ kind: "truncate", file, length }];
  if (outcome.kind === "diskDone") yield* perform([{ kind: "sync", file }]);
  else if (outcome.code !== "ENOENT") {
    throw new LogStop(`${file} could not be cut back after a failed write: ${outcome.code}`);
  }
}

/** Refuses appends until room is back. Those at hand are dropped: none of them was reported. */
export function becomeFull(state: LogState): void {
  const durable = state.index.lastZxid;
  if (!state.full) {
    state.low = true;
    state.full = true;
    state.wasFull = true;
    report(state, { kind: "diskFull", durable });
    say(state, "warn", "diskFull", { durable: formatZxid(durable) });
  }
  const kept = state.changes.filter((change) => change.kind !== "append");
  state.changes.splice(0, state.changes.length, ...kept);
  state.plannedEnd = durable;
  for (const change of kept) {
    if (change.kind === "truncate" && change.after < state.plannedEnd) {
      state.plannedEnd = change.after;
    }
  }
  awaitRoom(state);
}

/** All that was to be prepared is: there is room for a whole segment. */
export function becomeWritable(state: LogState): void {
  state.low = false;
  state.full = false;
  report(state, { kind: "writable" });
  say(state, "info", "writable", { durable: formatZxid(state.index.lastZxid) });
}

function awaitRoom(state: LogState): void {
  state.awaitingRoom = true;
  state.outbox.push({ kind: "startTimer", timer: PROBE_TIMER, afterMs: PROBE_AFTER_MS });
}

function setCurrentSize(state: LogState, size: number): void {
  const current = state.segments.at(-1);
  if (current !== undefined) current.size = size;
}
