/** Disk effects in virtual time: each operation takes a while, and a crash may come between any two. */
import type { Clock } from "../../runtime/clock.ts";
import type { Disk, DiskOperation, DiskOutcome, DiskPort, DiskResult } from "../../runtime/disk.ts";
import { diskFailure } from "../../runtime/disks/port.ts";

export class VirtualDiskPort implements DiskPort {
  readonly #disk: Disk;
  readonly #clock: Clock;
  /** The latency of one operation, in virtual milliseconds. */
  readonly #latencyMs: (operation: DiskOperation) => number;
  #crashed = false;

  constructor(disk: Disk, clock: Clock, latencyMs: (operation: DiskOperation) => number) {
    this.#disk = disk;
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /** What is under way stops between two operations. */
  crash(): void {
    this.#crashed = true;
  }

  perform(
    tag: number,
    operations: readonly DiskOperation[],
    done: (outcome: DiskOutcome) => void,
  ): void {
    const results: DiskResult[] = [];
    const next = (): void => {
      if (this.#crashed) return;
      const operation = operations[results.length];
      if (operation === undefined) {
        done({ kind: "diskDone", tag, results });
        return;
      }
      this.#clock.after(this.#latencyMs(operation), () => {
        if (this.#crashed) return;
        try {
          results.push(this.#disk.perform(operation));
        } catch (error) {
          done(diskFailure(tag, results.length, operation, error));
          return;
        }
        next();
      });
    };
    next();
  }
}
