/**
 * A node's clock: each process has a new one, it may run fast or slow, its wall time may jump, and while the node is
 * paused nothing that it waits for happens. What became due meanwhile happens when it goes on, in order, as after SIGSTOP and
 * SIGCONT.
 */
import type { Clock } from "../clock.ts";

/** Why a node stands still: it was stopped, or its only thread waits for its disk. */
export type Hold = "stopped" | "disk";

export type Pause = { readonly fromMs: number; readonly toMs: number };

export class NodeClock implements Clock {
  readonly #base: Clock;
  #rate: number;
  #baseMs: number;
  #ownMs: number;
  #wallOffsetMs: number;
  readonly #holds = new Set<Hold>();
  #held: (() => void)[] | undefined;
  #ended = false;
  #pausedAtMs = 0;
  readonly #pauses: Pause[] = [];

  /** `rate`: its milliseconds in one of true time. `startMs`: what it shows at first. */
  constructor(
    base: Clock,
    of: { readonly rate: number; readonly wallOffsetMs: number; readonly startMs: number },
  ) {
    this.#base = base;
    this.#rate = of.rate;
    this.#baseMs = base.nowMs();
    this.#ownMs = of.startMs;
    this.#wallOffsetMs = of.wallOffsetMs;
  }

  /** Those that are over, by its own time. */
  get pauses(): readonly Pause[] {
    return this.#pauses;
  }

  get paused(): boolean {
    return this.#held !== undefined;
  }

  /** Its process was stopped, and does not only wait for its disk. */
  get isStopped(): boolean {
    return this.#holds.has("stopped");
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

  pause(hold: Hold = "stopped"): void {
    this.#holds.add(hold);
    if (this.#held === undefined) this.#pausedAtMs = this.nowMs();
    this.#held ??= [];
  }

  /** It goes on once nothing holds it any more. */
  resume(hold: Hold = "stopped"): void {
    this.#holds.delete(hold);
    if (this.#holds.size > 0) return;
    const held = this.#held ?? [];
    if (this.paused) this.#pauses.push({ fromMs: this.#pausedAtMs, toMs: this.nowMs() });
    this.#held = undefined;
    for (const run of held) this.after(0, run);
  }

  /** The process is gone: nothing happens any more. */
  end(): void {
    this.#ended = true;
    this.#holds.clear();
    this.#held = undefined;
  }
}
