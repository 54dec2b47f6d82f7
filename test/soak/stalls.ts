/** Stalls of this very process: while it stands still every node seems silent, so they excuse what they delay. */
import type { FaultLog } from "./fault-log.ts";

const EVERY_MS = 100;
/** Timers that are late by less are no stall. */
const LATE_MS = 500;

export class StallWatch {
  readonly #faults: FaultLog;
  #beforeMs: number | undefined;

  constructor(faults: FaultLog) {
    this.#faults = faults;
  }

  start(): NodeJS.Timeout {
    this.#beforeMs = performance.now();
    return setInterval(() => this.look(), EVERY_MS);
  }

  /** Also before anything is judged: after a stall other timers may come first. */
  look(atMs: number = performance.now()): void {
    if (this.#beforeMs === undefined) return;
    if (atMs - this.#beforeMs > EVERY_MS + LATE_MS) {
      this.#faults.end(this.#faults.begin("stall of this machine", [], this.#beforeMs), atMs);
    }
    this.#beforeMs = atMs;
  }
}
