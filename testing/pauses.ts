/** The pauses of one process, each of which ends by itself. */
import type { NodeClock } from "../runtime/testing/node-clock.ts";
import type { VirtualClock } from "../runtime/testing/virtual-clock.ts";

export class Pauses {
  readonly #clock: NodeClock;
  readonly #base: VirtualClock;
  #untilMs = 0;

  constructor(clock: NodeClock, base: VirtualClock) {
    this.#clock = clock;
    this.#base = base;
  }

  /** It stands still for so long from now on, or until a pause ends that began before. */
  begin(ms: number): void {
    this.#untilMs = Math.max(this.#untilMs, this.#base.nowMs() + ms);
    this.#clock.pause();
    this.#base.after(ms, () => {
      if (this.#base.nowMs() >= this.#untilMs) this.#clock.resume();
    });
  }

  /** It goes on at once. */
  end(): void {
    this.#untilMs = this.#base.nowMs();
    this.#clock.resume();
  }
}
