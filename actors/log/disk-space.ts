/**
 * What happens when the disk has no space left. Appends are dropped and refused until there is space for a whole segment again;
 * what must not wait (a promise, a configuration) is written with the space of what was prepared ahead.
 */
import { formatZxid } from "../../protocol/zxid.ts";
import type { DiskOperation } from "../../runtime/disk.ts";
import { LogStop, type Procedure, perform, performIfSpace } from "./format/procedure.ts";
import { SEAL_BYTES } from "./format/write-header.ts";
import { dropSpares } from "./segments/spares.ts";
import { type LogState, report, log } from "./state.ts";

const PROBE_AFTER_MS = 1000;
/** More than a promise takes, in whole blocks of any file system. */
export const RESERVE_PIECE_BYTES: number = 64 * 1024;
/** Performs the operations, which need little room: if the disk has none, with that of waiting segments, or some of the reserve. */
export function* performWithReserve(
  state: LogState,
  operations: readonly DiskOperation[],
): Procedure<boolean> {
  if (yield* performIfSpace(operations)) return true;
  if ((yield* dropSpares(state)) && (yield* performIfSpace(operations))) return true;
  const current = state.segments.at(-1);
  if (current === undefined) return false;
  // A seal stays: half of one would be damage.
  const size = Math.max(current.end + SEAL_BYTES, current.size - RESERVE_PIECE_BYTES);
  if (size >= current.size) return false;
  yield* giveBack(current.name, size);
  current.size = size;
  return yield* performIfSpace(operations);
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
    log(state, "diskFull", { durable: formatZxid(durable) });
  }
  const kept = state.changes.filter((change) => change.kind !== "append");
  state.changes.splice(0, state.changes.length, ...kept);
  state.plannedEnd = durable;
  for (const change of kept) {
    if (change.kind === "truncate" && change.after < state.plannedEnd) {
      state.plannedEnd = change.after;
    }
  }
  awaitSpace(state);
}
/** All that was to be prepared is: there is room for a whole segment. */
export function becomeWritable(state: LogState): void {
  state.low = false;
  state.full = false;
  report(state, { kind: "writable" });
  log(state, "writable", { durable: formatZxid(state.index.lastZxid) });
}
export function awaitSpace(state: LogState): void {
  state.awaitingSpace = true;
  state.outbox.push({ kind: "startTimer", timer: "probe", afterMs: PROBE_AFTER_MS });
}
