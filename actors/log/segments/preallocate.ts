/**
 * Segments are filled with zeros ahead of their use. Zeros that are there when the disk has no more space are a reserve: log-sync is
 * told, so that it lasts for sessions and promises.
 */
import { SPARE_FILE } from "../format/files.ts";
import { performIfSpace, type Procedure } from "../format/procedure.ts";
import { dropSpares } from "./spares.ts";
import { type LogState, report, log } from "../state.ts";
import { awaitSpace, giveBack } from "../disk-space.ts";

/** The file that wants zeros next, and how many bytes it has. */
export function spaceToPrepare(state: LogState): { file: string; size: number } | undefined {
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
export function* prepareSpace(state: LogState): Procedure {
  const target = spaceToPrepare(state);
  if (target === undefined) return;
  const { file, size } = target;
  const length = Math.min(state.zeros.length, state.settings.segmentBytes - size);
  state.unpreparedBytes = 0;
  const buffers = [state.zeros.subarray(0, length)];
  const done = yield* performIfSpace([
    { kind: "write", file, position: size, buffers },
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
    report(state, { kind: "diskLow" });
    log(state, "diskNearlyFull", { file, bytes: length });
  }
  awaitSpace(state);
}

function setCurrentSize(state: LogState, size: number): void {
  const current = state.segments.at(-1);
  if (current !== undefined) current.size = size;
}
