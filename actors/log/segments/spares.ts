/**
 * Segments in waiting. A purged segment is used again as it is: its blocks are in place, so nothing needs to be written ahead
 * of the appends. What it held stays behind them, and `scan.ts` tells it by its zxids. Without one, a file of zeros is
 * prepared (`room.ts`).
 */
import { reusedName, SPARE_FILE } from "../format/files.ts";
import { WRITE_HEADER_BYTES } from "../format/write-header.ts";
import { perform, performIfSpace, type Procedure, removeIfThere } from "../format/procedure.ts";
import { type LogState, log, type Segment } from "../state.ts";

/** As many as are filled until the next purge. */
function sparesMax({ settings }: LogState): number {
  return Math.ceil((1.5 * settings.snapshotEveryBytes) / settings.segmentBytes);
}

/**
 * The oldest segment, whose records a snapshot holds, is out of the log durably once this is done. Its first mark is wiped
 * before it gets a segment's name again: so a mark at the beginning is always the segment's own.
 */
export function* retireSegment(state: LogState, segment: Segment): Procedure {
  const { name, size } = segment;
  const isReusable = size === state.settings.segmentBytes && !state.full && !state.awaitingSpace;
  if (!isReusable || state.spares.length >= sparesMax(state)) {
    yield* perform([{ kind: "remove", file: name }, { kind: "syncFolder" }]);
    return;
  }
  const file = reusedName(name);
  yield* perform([{ kind: "rename", file: name, to: file }, { kind: "syncFolder" }]);
  const wiped = yield* performIfSpace([
    { kind: "write", file, position: 0, buffers: [new Uint8Array(WRITE_HEADER_BYTES)] },
    { kind: "sync", file },
  ]);
  if (wiped) state.spares.push(file);
  else yield* removeIfThere(file);
}

/** A file to begin a segment with, and its size; of no bytes if nothing was prepared. */
export function takeSpare(state: LogState): { file: string; size: number } {
  const file = state.spares.shift();
  if (file !== undefined) return { file, size: state.settings.segmentBytes };
  const size = state.spareBytes;
  state.spareBytes = 0;
  return { file: SPARE_FILE, size };
}

/** Room for what is needed more. False: there was none to give. */
export function* dropSpares(state: LogState): Procedure<boolean> {
  const files = state.spares.splice(0);
  for (const file of files) {
    yield* removeIfThere(file);
    log(state, "spareDropped", { file });
  }
  return files.length > 0;
}
