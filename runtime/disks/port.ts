/** How a thread performs disk effects itself: it waits for its disk. */
import type { Clock } from "../clock.ts";
import type { Disk, DiskOperation, DiskOutcome, DiskPort, DiskResult } from "../disk.ts";

/** Performs disk effects at once: the log lane has nothing better to do than to wait for its disk. */
export function immediateDisk(disk: Disk): DiskPort {
  return {
    perform: (tag, operations, done) => done(performAll(disk, tag, operations)),
  };
}

/**
 * Performs disk effects behind the turn of the loop in which they were asked for. What the turn sends to peers and to clients leaves
 * before the thread waits for its disk, so that they work meanwhile.
 */
export class DiskBehindTurn implements DiskPort {
  readonly #disk: Disk;
  readonly #clock: Clock;
  #isClosed = false;

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk;
    this.#clock = clock;
  }

  perform(
    tag: number,
    operations: readonly DiskOperation[],
    done: (outcome: DiskOutcome, heldUpMs: number) => void,
  ): void {
    this.#clock.soon(() => {
      // Whoever has the folder next must not find it written to.
      if (this.#isClosed) return;
      const startedMs = this.#clock.nowMs();
      const outcome = performAll(this.#disk, tag, operations);
      done(outcome, this.#clock.nowMs() - startedMs);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#disk.close();
  }
}

function performAll(disk: Disk, tag: number, operations: readonly DiskOperation[]): DiskOutcome {
  const results: DiskResult[] = [];
  for (const operation of operations) {
    try {
      results.push(disk.perform(operation));
    } catch (error) {
      return diskFailure(tag, results.length, operation, error);
    }
  }
  return { kind: "diskDone", tag, results };
}

export function diskFailure(
  tag: number,
  failedAt: number,
  operation: DiskOperation,
  error: unknown,
): DiskOutcome {
  return {
    kind: "diskFailed",
    tag,
    failedAt,
    operation: operation.kind,
    file: "file" in operation ? operation.file : undefined,
    code: diskErrorCode(error),
  };
}

/** The system's name of it, such as `ENOSPC`. */
export function diskErrorCode(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return String(error);
}
