/** The counts of one load process. The clock is read once for the replies of one read, not for each reply. */
import { LatencyHistogram } from "../../cli/latency-histogram.ts";
import type { SampleLog } from "./samples.ts";

export class Recorder {
  readonly reads: LatencyHistogram = new LatencyHistogram();
  readonly writes: LatencyHistogram = new LatencyHistogram();
  readonly errors: Map<string | number, number> = new Map();
  /** The time of the current read. A connection sets it before it handles the replies of a read. */
  nowMs = 0;
  /** What counts as measured lies between these times. Errors always count. */
  startMs: number = Number.POSITIVE_INFINITY;
  endMs: number = Number.POSITIVE_INFINITY;
  readonly #openLoop: boolean;
  readonly #samples: SampleLog | undefined;
  connectionsLost = 0;
  readonly lossReasons: Set<string> = new Set();
  operationsLost = 0;

  /** In a closed loop a request is measured if its reply comes within the time, in an open loop if it was due within it. */
  constructor({
    openLoop = false,
    samples,
  }: { readonly openLoop?: boolean; readonly samples?: SampleLog | undefined } = {}) {
    this.#openLoop = openLoop;
    this.#samples = samples;
  }

  get operations(): number {
    return this.reads.total + this.writes.total;
  }

  /** `error` is 0 if there is none. */
  reply(error: string | number, sentMs: number, isRead: boolean): void {
    if (error !== 0) {
      this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
      return;
    }
    const atMs = this.#openLoop ? sentMs : this.nowMs;
    if (atMs >= this.startMs && atMs < this.endMs) {
      (isRead ? this.reads : this.writes).record((this.nowMs - sentMs) * 1000);
      this.#samples?.add(sentMs, this.nowMs - sentMs, isRead);
    }
  }
}
