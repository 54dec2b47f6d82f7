/**
 * What happens when the disk has no space left. Appends are dropped until there is space for a whole segment again. A promise or a
 * configuration cannot wait: it is written in the space that is freed by giving up some of what was prepared ahead.
 */
import { assert } from "../../protocol/assert.ts";
import { formatZxid } from "../../protocol/zxid.ts";
import type { DiskOperation } from "../../runtime/disk.ts";
import { LogStop, type Procedure, perform, performIfSpace } from "./format/procedure.ts";
import { SEAL_BYTES } from "./format/write-header.ts";
import { dropSpares } from "./segments/spares.ts";
import { type LogState, report, log } from "./state.ts";

/** Milliseconds after which it is tried again whether the disk has space. */
const PROBE_AFTER_MS = 1000;
/** How many bytes of the reserve are given up for one small file: more than that takes in whole blocks of any file system. */
export const RESERVE_PIECE_BYTES: number = 64 * 1024;

/**
 * Performs operations that need little space. If the disk has none, it gives up the spare segments, and then a piece of the reserve.
 * Returns false if there was no space even then.
 */
export function* performWithReserve(
  state: LogState,
  operations: readonly DiskOperation[],
): Procedure<boolean> {
  if (yield* performIfSpace(operations)) return true;
  if ((yield* dropSpares(state)) && (yield* performIfSpace(operations))) return true;
  const current = state.segments.at(-1);
  if (current === undefined) return false;
  // A seal must stay whole, since half a seal would be damage.
  const size = Math.max(current.end + SEAL_BYTES, current.size - RESERVE_PIECE_BYTES);
  if (size >= current.size) return false;
  yield* giveBack(current.name, size);
  current.size = size;
  return yield* performIfSpace(operations);
}

/** Cuts off what was written before the disk was full. A file that the write did not make is no error. */
export function* giveBack(file: string, length: number): Procedure {
  const outcome = yield [{ kind: "truncate", file, length }];
  if (outcome.kind === "diskDone") yield* perform([{ kind: "sync", file }]);
  else if (outcome.code !== "ENOENT") {
    throw new LogStop(`${file} could not be cut back after a failed write: ${outcome.code}`);
  }
}

/** Drops the appends that were taken, none of which was reported, and all further ones until there is space again. */
export function becomeFull(state: LogState): void {
  const durable = state.index.lastZxid;
  if (state.space.kind !== "full") {
    state.space = { kind: "full", waits: "nothing" };
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

/** The change at the head, which is not an append, has found no space. It stays there and is tried again at the next probe. */
export function stallChange(state: LogState): void {
  becomeFull(state);
  state.space = { kind: "full", waits: "change" };
}

/** Takes appends again. Everything is prepared that was to be, so there is space for a whole segment. */
export function becomeWritable(state: LogState): void {
  state.space = { kind: "free" };
  report(state, { kind: "writable" });
  log(state, "writable", { durable: formatZxid(state.index.lastZxid) });
}

/** Stops whatever makes a file longer until the next probe. The disk has been found low or full. */
export function awaitSpace(state: LogState): void {
  const { space } = state;
  assert(space.kind !== "free", "space is awaited when there is little");
  if (space.waits === "nothing") state.space = { ...space, waits: "growth" };
  state.outbox.push({ kind: "startTimer", timer: "probe", afterMs: PROBE_AFTER_MS });
}

/** The probe is due: what has waited for space is tried again. */
export function endWait(state: LogState): void {
  const { space } = state;
  if (space.kind !== "free") state.space = { ...space, waits: "nothing" };
}
