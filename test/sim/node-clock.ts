/**
 * A node's clock: it may run fast or slow, its wall time may jump, and while the node is paused nothing that it waits for
 * happens. What became due meanwhile happens when it goes on, in order, as after SIGSTOP and SIGCONT.
 */
import type { Clock } from "../../runtime/clock.ts";

export class NodeClock implements Clock {
  readonly #base: Clock;
  #rate: number;
  #baseMs: number;
  #ownMs: number;
  #wallOffsetMs: number;
  #held: (() => void)[] | undefined;
  #ended = false;

  /** `rate`: its milliseconds in one of true time. */
  constructor(base: Clock, of: { readonly rate: number; readonly wallOffsetMs: number }) {
    this.#base = base;
    this.#rate = of.rate;
    this.#baseMs = base.nowMs();
    this.#ownMs = this.#baseMs;
    this.#wallOffsetMs = of.wallOffsetMs;
  }

  get paused(): boolean {
    return this.#held !== undefined;
  }

  get rate(): number {
    return this.#rate;
  }

  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  nowMs(): number {
    return this.#ownMs + (this.#base.nowMs() - this.#baseMs) * this.#rate;
  }

  wallMs(): number {
    return Math.floor(this.#base.wallMs() + this.#wallOffsetMs);
  }

  after(delayMs: number, run: () => void): () => void {
    let cancelled = false;
    const cancel = this.#base.after(delayMs / this.#rate, () => {
      if (this.#ended || cancelled) return;
      if (this.#held === undefined) run();
      else this.#held.push(() => (cancelled ? undefined : run()));
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  /** Timers that run keep the length they had. */
  setRate(rate: number): void {
    this.#ownMs = this.nowMs();
    this.#baseMs = this.#base.nowMs();
    this.#rate = rate;
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) this.after(0, run);
  }

  /** The process is gone: nothing happens any more. */
  end(): void {
    this.#ended = true;
    this.#held = undefined;
  }
}
