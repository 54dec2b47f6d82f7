/** The counts of one load process. The clock is read once for the replies of one read, not for each reply. */
import { Histogram } from "./histogram.ts";
import { CODE_OK } from "./wire.ts";

export class Recorder {
  readonly latencies: Histogram = new Histogram();
  readonly errors: Map<number, number> = new Map();
  /** The time of the current read. A connection sets it before it handles the replies of a read. */
  nowMs = 0;
  /** Replies count as measured only while this is true. Errors always count. */
  measuring = false;
  connectionsLost = 0;
  readonly lossReasons: Set<string> = new Set();
  operationsLost = 0;

  get operations(): number {
    return this.latencies.total;
  }

  reply(error: number, sentMs: number): void {
    if (error !== CODE_OK) {
      this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
    } else if (this.measuring) {
      this.latencies.record((this.nowMs - sentMs) * 1000);
    }
  }
}
