/** What the first chunk of a snapshot says about the whole of it. */
import type { Configuration } from "./configuration.ts";
import { ChunkError, ChunkReader } from "./snapshot-entries.ts";

export type SnapshotStart = {
  /** The time of the last record that the snapshot holds; 0 if the chunk cannot be read. */
  readonly timeMs: number;
  readonly configuration: Configuration | undefined;
};

export function snapshotStart(chunk: Uint8Array): SnapshotStart {
  const reader = new ChunkReader(chunk);
  try {
    const head = reader.next();
    if (head?.kind !== "head") return { timeMs: 0, configuration: undefined };
    const { timeMs } = head.head;
    const second = reader.next();
    const configuration = second?.kind === "configuration" ? second.configuration : undefined;
    return { timeMs, configuration };
  } catch (error) {
    // The fault is reported when the chunk is loaded.
    if (error instanceof ChunkError) return { timeMs: 0, configuration: undefined };
    throw error;
  }
}
