/**
 * Segments are filled with zeros ahead of their use. When the disk has no more space, the zeros that are there are a reserve. The log
 * reports that to log-sync, which keeps the reserve for sessions and promises.
 */
import { SPARE_FILE } from "../format/files.ts";
import { performIfSpace, type Procedure } from "../format/procedure.ts";
import { dropSpares } from "./spares.ts";
import { type LogState, report, log } from "../state.ts";
import { awaitSpace, giveBack } from "../disk-space.ts";

/** The file that is to be filled with zeros next, and how many bytes it has. Undefined: everything is prepared. */
export function spaceToPrepare(state: LogState): { file: string; size: number } | undefined {
  const { segmentBytes } = state.settings;
  const current = state.segments.at(-1);
  if (current !== undefined && current.size < segmentBytes) {
    return { file: current.name, size: current.size };
  }
  // A log that hardly grows needs no spare yet. After the disk was out of space, a full spare shows that there is space again.
  const isFilling = current !== undefined && current.end >= segmentBytes / 4;
  const wanted = state.space.kind !== "free" || (isFilling && state.spares.length === 0);
  if (wanted && state.spareBytes < segmentBytes) {
    return { file: SPARE_FILE, size: state.spareBytes };
  }
  return undefined;
}

/**
 * Writes one piece of zeros. They are written and not left as a hole, so that the file has its blocks, and the sync of a later append
 * writes no metadata.
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
  // If spare segments could be given up, the preparation is tried again at once.
  if (yield* dropSpares(state)) return;
  if (state.space.kind === "free") {
    state.space = { kind: "low", waits: "nothing" };
    report(state, { kind: "diskLow" });
    log(state, "diskNearlyFull", { file, bytes: length });
  }
  awaitSpace(state);
}

function setCurrentSize(state: LogState, size: number): void {
  const current = state.segments.at(-1);
  if (current !== undefined) current.size = size;
}
