/**
 * Spare segments. A purged segment is kept and used again: it has its blocks already, so no zeros need to be written ahead of the appends.
 * The old records remain behind the new ones, and `scan.ts` recognises them by their lower zxids. If there is no spare segment, a file of
 * zeros is prepared (`preallocate.ts`).
 */
import { reusedName, SPARE_FILE } from "../format/files.ts";
import { WRITE_HEADER_BYTES } from "../format/write-header.ts";
import { perform, performIfSpace, type Procedure, removeIfThere } from "../format/procedure.ts";
import { type LogState, log, mayGrow, type Segment } from "../state.ts";

/** The largest number of spare segments: as many as are filled until the next purge. */
function sparesMax({ settings }: LogState): number {
  return Math.ceil((1.5 * settings.snapshotEveryBytes) / settings.segmentBytes);
}

/**
 * Removes the oldest segment, whose effects a snapshot contains, durably from the log. If it becomes a spare, its first write header is
 * overwritten before it can get a segment's name again, so a write header at the beginning of a segment is always the segment's own.
 */
export function* retireSegment(state: LogState, segment: Segment): Procedure {
  const { name, size } = segment;
  const isRightSize = size === state.settings.segmentBytes;
  const isReusable = isRightSize && state.space.kind !== "full" && mayGrow(state);
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

/** Takes a file that a new segment can be written to, and its size. The size is 0 if nothing was prepared. */
export function takeSpare(state: LogState): { file: string; size: number } {
  const file = state.spares.shift();
  if (file !== undefined) return { file, size: state.settings.segmentBytes };
  const size = state.spareBytes;
  state.spareBytes = 0;
  return { file: SPARE_FILE, size };
}

/** Removes the spare segments, so that the disk has space for something more urgent. Returns false if there were none. */
export function* dropSpares(state: LogState): Procedure<boolean> {
  const files = state.spares.splice(0);
  for (const file of files) {
    yield* removeIfThere(file);
    log(state, "spareDropped", { file });
  }
  return files.length > 0;
}
