/**
 * How V8 collects garbage in the threads of a node. What a node is busy with lies outside of V8's heaps, in array buffers:
 * records, batches, frames. V8 by itself begins a collection after every 64 MB of them, on the main thread several times a second
 * and for nothing. Counted together with the heap, they have the limits of the heap. Why so, and what it costs:
 * docs/decisions/0017-garbage-collection.md.
 */
import { setFlagsFromString } from "node:v8";

/** The first V8, of Node.js 24, that this was measured with; an older one may not know the flags. */
const V8_MIN: readonly [number, number] = [13, 6];

const FLAGS: readonly string[] = [
  "--external-memory-accounted-in-global-limit",
  // The next collection is due when the heap is half as large again as after the last one. By default it may become four times as
  // large.
  "--heap-growing-percent=50",
];

/** The flags; none for a V8 that may not know them. `v8Version` is `process.versions.v8`. */
export function collectorFlags(v8Version: string): readonly string[] {
  const [major = 0, minor = 0] = v8Version.split(".").map(Number);
  const isKnown = major > V8_MIN[0] || (major === V8_MIN[0] && minor >= V8_MIN[1]);
  return isKnown ? FLAGS : [];
}

/** Sets the flags for all threads of this process. To be called before anything is compiled that is kept (`cli/compiled-sources.ts`). */
export function tuneGarbageCollection(): void {
  for (const flag of collectorFlags(process.versions.v8)) setFlagsFromString(flag);
}
