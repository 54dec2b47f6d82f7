/**
 * The seal: when the log is idle, the header of the next write is put behind the last one. An intact write header proves that everything
 * before it was durable once, so with a seal even damage to the very last write is not taken for a write that a crash cut short (Alagappan
 * and others, "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018). The seal is not synced: if it is lost, the last write
 * is judged as it would be without one.
 */
import { encodeWriteHeader, SEAL_BYTES } from "../format/write-header.ts";
import { performIfSpace, type Procedure } from "../format/procedure.ts";
import { giveBack } from "../disk-space.ts";
import type { LogState, Segment } from "../state.ts";

/** The segment that is to be sealed. Undefined: it has a seal already, or no space for one. */
export function segmentToSeal({ segments }: LogState): Segment | undefined {
  const current = segments.at(-1);
  if (current === undefined || current.sealed) return undefined;
  // A seal is written only into space that the file has already.
  return current.end + SEAL_BYTES <= current.size ? current : undefined;
}

export function* sealSegment(state: LogState, segment: Segment): Procedure {
  const { name: file, end } = segment;
  const seal = new Uint8Array(SEAL_BYTES);
  seal.set(encodeWriteHeader(end, state.index.lastZxid, state.settings.crc32));
  segment.sealed = true;
  if (yield* performIfSpace([{ kind: "write", file, position: end, buffers: [seal] }])) return;
  // A file system that copies what it overwrites had no space. Half a seal would be damage as soon as there is a later segment.
  yield* giveBack(file, end);
  segment.size = end;
  segment.sealed = false;
}
