/** The way from one end to another: what is sent on it takes a while, and nothing overtakes what was sent before. */
import type { Clock } from "../clock.ts";

export class OrderedPath {
  readonly #clock: Clock;
  readonly #deliveries: (() => void)[] = [];
  #lastAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Delivers after `waitMs`, or with the delivery before it if that comes later. */
  send(waitMs: number, deliver: () => void): void {
    const nowMs = this.#clock.nowMs();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + waitMs);
    this.#deliveries.push(deliver);
    // Two sums of fractions may come out in the wrong order, so each event takes the oldest.
    this.#clock.after(this.#lastAtMs - nowMs, () => this.#deliveries.shift()?.());
  }
}
