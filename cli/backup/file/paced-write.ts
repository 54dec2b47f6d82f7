/**
 * Writes to a disk that a node may be syncing its log to, so that the node hardly waits longer for it. Bytes that the system holds back go
 * to the disk at once when a file is synced, and whoever syncs another file meanwhile waits for them, too: with a backup of 60 MB that was
 * synced once, syncs of 4 KiB took three times as long for the better half of a second (docs/decisions/0064). So no more than a piece waits for
 * the disk at any time, and half of the time nothing does.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** How many bytes are written before they are synced. */
export const PIECE_BYTES: number = 256 * 1024;
/** The longest pause, however long the disk took. */
const PAUSE_MS_MAX = 1000;

/** What is needed of a `FileHandle`. */
export type PacedFile = {
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
};

export type PacingClock = {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
};

const SYSTEM_CLOCK: PacingClock = { nowMs: () => performance.now(), sleep };

/** Writes all of the bytes, and syncs them: piece by piece, and after each a pause for as long as the disk took. */
export async function writePaced(
  file: PacedFile,
  bytes: Uint8Array,
  { nowMs, sleep: pause }: PacingClock = SYSTEM_CLOCK,
): Promise<void> {
  let left = bytes;
  while (left.length > 0) {
    const startedMs = nowMs();
    let piece = left.subarray(0, PIECE_BYTES);
    left = left.subarray(piece.length);
    while (piece.length > 0) {
      const { bytesWritten } = await file.write(piece);
      piece = piece.subarray(bytesWritten);
    }
    await file.datasync();
    await pause(Math.min(nowMs() - startedMs, PAUSE_MS_MAX));
  }
}
