/** Disk effects in virtual time: each operation takes a while, and a crash may come between any two. */
import type { Clock } from "../clock.ts";
import type { Disk, DiskOperation, DiskOutcome, DiskPort, DiskResult } from "../disk.ts";
import { diskFailure } from "../disks/port.ts";

/** A disk effect, and who waits for its outcome. */
export type DiskWork = {
  readonly tag: number;
  readonly operations: readonly DiskOperation[];
  readonly done: (outcome: DiskOutcome) => void;
};

export type DiskInTime = {
  readonly clock: Clock;
  readonly durationMs: (operation: DiskOperation) => number;
  /** Asked when the operation is due. True: the process is gone, and nothing more happens. */
  readonly isGone: (operation: DiskOperation) => boolean;
  /** Throws as `Disk` does. */
  readonly perform: (operation: DiskOperation) => DiskResult;
};

/** Performs one operation after the other. */
export function performInTime(disk: DiskInTime, { tag, operations, done }: DiskWork): void {
  const results: DiskResult[] = [];
  const next = (): void => {
    const operation = operations[results.length];
    if (operation === undefined) {
      done({ kind: "diskDone", tag, results });
      return;
    }
    disk.clock.after(disk.durationMs(operation), () => {
      if (disk.isGone(operation)) return;
      try {
        results.push(disk.perform(operation));
      } catch (error) {
        done(diskFailure(tag, results.length, operation, error));
        return;
      }
      next();
    });
  };
  next();
}

export class VirtualDiskPort implements DiskPort {
  readonly #disk: DiskInTime;
  #isGone = false;

  /** `durationMs`: how long one operation takes, in virtual milliseconds. */
  constructor(disk: Disk, clock: Clock, durationMs: (operation: DiskOperation) => number) {
    const isGone = (): boolean => this.#isGone;
    this.#disk = { clock, durationMs, isGone, perform: (operation) => disk.perform(operation) };
  }

  /** The process is gone: what is under way stops between two operations. */
  end(): void {
    this.#isGone = true;
  }

  perform(
    tag: number,
    operations: readonly DiskOperation[],
    done: (outcome: DiskOutcome) => void,
  ): void {
    performInTime(this.#disk, { tag, operations, done });
  }
}
