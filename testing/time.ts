/**
 * How virtual time meets real promises. Events of the virtual clock run in turns of the real event loop. A turn ends as soon as code of the
 * test's own may have something to do: all its promises and callbacks run at that moment of virtual time, before the next event.
 *
 * Time moves for three reasons only: somebody asked the ensemble for a time or a condition (a goal); a call of a client waits for its
 * outcome; something was done less than `SETTLE_MS` ago, so that what it brings about is brought to its end. Without any of them nothing
 * is scheduled, so an idle ensemble costs nothing and keeps no process alive.
 */
import type { VirtualClock } from "../runtime/testing/virtual-clock.ts";

/** Taken here, since a test may put fake timers in the places of the real ones. */
const setImmediateReal: (run: () => void) => unknown = globalThis.setImmediate;

/** Milliseconds for which time moves on after the last call: in them every change has reached every client that is connected. */
export const SETTLE_MS = 500;
/** After so many events other work of the process has its turn. */
const TURN_EVENTS_MAX = 2_000;

type Goal = {
  /** Time stops here for its owner, whatever else would move it on. */
  readonly untilMs: number;
  /** Undefined: only the time counts. */
  readonly isDone: (() => boolean) | undefined;
  readonly reached: (isDone: boolean) => void;
};

export class TestTime {
  readonly #clock: VirtualClock;
  readonly #autoAdvance: boolean;
  #goals: Goal[] = [];
  /** Calls of clients without an outcome. */
  #waiting = 0;
  #settledMs = Number.NEGATIVE_INFINITY;
  #scheduled = false;
  #inTurn = false;
  #told = false;
  #ended = false;

  /** `autoAdvance`: waiting calls, and what was done, move time on. */
  constructor(clock: VirtualClock, autoAdvance: boolean) {
    this.#clock = clock;
    this.#autoAdvance = autoAdvance;
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Time moves on until the promise of a call has settled, for `SETTLE_MS` at least. */
  wait<Value>(call: Promise<Value>): Promise<Value> {
    this.#waiting += 1;
    const settled = (): void => {
      this.#waiting -= 1;
      this.settle();
    };
    call.then(settled, settled);
    this.#schedule();
    return call;
  }

  /** Something was done: what it brings about is brought to its end. What happens by itself does nothing here. */
  settle(): void {
    if (this.#inTurn) return;
    this.#settledMs = this.nowMs + SETTLE_MS;
    this.#schedule();
  }

  /** Wraps what runs code of the test, so that the turn ends behind it. An error of that code is one of the process, as anywhere. */
  telling<Args extends readonly unknown[]>(run: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      this.#told = true;
      try {
        run(...args);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    };
  }

  /** Resolves when so much time has passed. */
  async advance(ms: number): Promise<void> {
    await this.#reach(this.nowMs + ms, undefined);
  }

  /** Moves time until `isDone`, for `withinMs` at most. Resolves with whether it is. */
  async until(isDone: () => boolean, withinMs: number): Promise<boolean> {
    return isDone() || (await this.#reach(this.nowMs + withinMs, isDone));
  }

  /** Time stands still for ever; goals are never reached. */
  end(): void {
    this.#ended = true;
    this.#goals = [];
  }

  #reach(untilMs: number, isDone: Goal["isDone"]): Promise<boolean> {
    return new Promise((reached) => {
      this.#goals.push({ untilMs, isDone, reached });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#inTurn || !this.#hasReason()) return;
    this.#scheduled = true;
    setImmediateReal(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #hasReason(): boolean {
    if (this.#ended) return false;
    if (this.#goals.length > 0) return true;
    const { nextAtMs } = this.#clock;
    return nextAtMs !== undefined && nextAtMs <= this.#boundMs();
  }

  /** Up to when time may move. */
  #boundMs(): number {
    let boundMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#goals) boundMs = Math.min(boundMs, untilMs);
    if (this.#goals.length > 0) return boundMs;
    if (!this.#autoAdvance) return Number.NEGATIVE_INFINITY;
    return this.#waiting > 0 ? boundMs : this.#settledMs;
  }

  #turn(): void {
    this.#inTurn = true;
    this.#told = false;
    try {
      let events = 0;
      while (!this.#told && !this.#ended && events < TURN_EVENTS_MAX) {
        if (this.#reachDone() || !this.#runNext()) break;
        events += 1;
      }
    } finally {
      this.#inTurn = false;
      this.#schedule();
    }
  }

  /** False: nothing is due any more; goals whose time that is are reached. */
  #runNext(): boolean {
    const { nextAtMs = Number.POSITIVE_INFINITY } = this.#clock;
    const boundMs = this.#boundMs();
    if (nextAtMs <= boundMs && nextAtMs < Number.POSITIVE_INFINITY) {
      this.#clock.step();
      return true;
    }
    if (this.#goals.length > 0) {
      this.#clock.passTo(boundMs);
      this.#settleGoals(({ untilMs }) => untilMs <= this.nowMs, false);
    }
    return false;
  }

  #reachDone(): boolean {
    return this.#settleGoals(({ isDone }) => isDone?.() === true, true);
  }

  #settleGoals(isReached: (goal: Goal) => boolean, isDone: boolean): boolean {
    const reached = this.#goals.filter(isReached);
    if (reached.length === 0) return false;
    this.#goals = this.#goals.filter((goal) => !reached.includes(goal));
    for (const goal of reached) goal.reached(isDone);
    return true;
  }
}
