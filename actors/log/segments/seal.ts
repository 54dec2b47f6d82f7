/**
 * The seal: when the log is idle, the mark of the write to come is put behind the last one. An intact mark proves that what
 * is before it was durable once, so damage to the very last write is not taken for a write cut short (Alagappan and others,
 * "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018). It is not synced: without it the last write is
 * judged as it would be anyway.
 */
import { encodeWriteHeader, SEAL_BYTES } from "../format/write-header.ts";
import { performIfSpace, type Procedure } from "../format/procedure.ts";
import { giveBack } from "../disk-space.ts";
import type { LogState, Segment } from "../state.ts";

/** The segment that has no seal behind its last write. */
export function segmentToSeal({ segments }: LogState): Segment | undefined {
  const current = segments.at(-1);
  if (current === undefined || current.sealed) return undefined;
  // Only in place: a file does not grow for it.
  return current.end + SEAL_BYTES <= current.size ? current : undefined;
}

export function* sealSegment(state: LogState, segment: Segment): Procedure {
  const { name: file, end } = segment;
  const seal = new Uint8Array(SEAL_BYTES);
  seal.set(encodeWriteHeader(end, state.index.lastZxid, state.settings.crc32));
  segment.sealed = true;
  if (yield* performIfSpace([{ kind: "write", file, position: end, buffers: [seal] }])) return;
  // On a disk that copies what it overwrites. Half a seal would be damage once a later segment is there.
  yield* giveBack(file, end);
  segment.size = end;
  segment.sealed = false;
}
