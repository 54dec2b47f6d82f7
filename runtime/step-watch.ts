/**
 * Watches the steps of the actors of one thread: for whoever observes them, and for one that holds the thread up. While nobody
 * observes, the clock is read once at the end of a turn of the loop and steps are not looked at. A turn that took long makes the watch
 * time the steps one by one for a while, so that the one that holds the thread up is named.
 */
import { type Observable, Subject } from "rxjs";
import type { EventDetail, PeerId } from "./effects.ts";
import { type Decision, kindOf, type StepEvent } from "./inspection.ts";

export type StepWatchOptions = {
  readonly node: PeerId;
  /** Steps, and turns of the loop, that take so long are said in the log. Infinity: none are. */
  readonly slowMs: number;
  readonly wallMs: () => number;
  readonly log: (line: SlowLine) => void;
};

export type SlowLine = {
  readonly actor: string;
  readonly event: "slowStep" | "slowTurn";
  readonly detail: EventDetail;
};

export type TimedStep = Omit<Decision, "state"> & { readonly tookMs: number };

export type TurnOfLoop = {
  /** Monotonic milliseconds at its end. */
  readonly nowMs: number;
  readonly tookMs: number;
  /** How many steps it had. */
  readonly steps: number;
  /** The last of them. */
  readonly actor: string;
  readonly message: object;
};

/** After a slow turn, steps are timed one by one for so long. */
const TIMED_FOR_MS = 60_000;
/** A thread that is slow for long says so at most this often. */
const SAY_AGAIN_MS = 1_000;

export class StepWatch {
  readonly #options: StepWatchOptions;
  readonly #decisions = new Subject<Decision>();
  readonly #steps = new Subject<StepEvent>();
  #timedUntilMs = Number.NEGATIVE_INFINITY;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #isOn = false;

  constructor(options: StepWatchOptions) {
    this.#options = options;
  }

  get decisions$(): Observable<Decision> {
    return this.#decisions;
  }

  get steps$(): Observable<StepEvent> {
    return this.#steps;
  }

  /** The steps of this turn of the loop are told one by one. */
  get isOn(): boolean {
    return this.#isOn;
  }

  beginTurn(nowMs: number): void {
    this.#isOn = this.#decisions.observed || this.#steps.observed || nowMs < this.#timedUntilMs;
  }

  decided(decision: Decision): void {
    this.#decisions.next(decision);
  }

  done(step: TimedStep): void {
    const { tookMs, actor, message, queued } = step;
    if (tookMs >= this.#options.slowMs) this.#saySlow(actor, message, tookMs);
    if (!this.#steps.observed) return;
    const { node, wallMs } = this.#options;
    this.#steps.next({
      ...{ kind: "step", atMs: wallMs(), node, actor, message: kindOf(message), queued },
      effects: countKinds(step.effects),
      tookUs: Math.round(tookMs * 1000),
    });
  }

  endTurn({ nowMs, tookMs, steps, actor, message }: TurnOfLoop): void {
    if (tookMs < this.#options.slowMs) return;
    this.#timedUntilMs = nowMs + TIMED_FOR_MS;
    // Its steps were timed.
    if (this.#isOn) return;
    if (steps === 1) this.#saySlow(actor, message, tookMs);
    else if (this.#maySay()) {
      const detail = { ms: Math.round(tookMs), messages: steps };
      this.#options.log({ actor: "runtime", event: "slowTurn", detail });
    }
  }

  complete(): void {
    this.#decisions.complete();
    this.#steps.complete();
  }

  #saySlow(actor: string, message: object, tookMs: number): void {
    if (!this.#maySay()) return;
    const detail = { message: kindOf(message), ms: Math.round(tookMs) };
    this.#options.log({ actor, event: "slowStep", detail });
  }

  #maySay(): boolean {
    const nowMs = this.#options.wallMs();
    if (Math.abs(nowMs - this.#saidAtMs) < SAY_AGAIN_MS) return false;
    this.#saidAtMs = nowMs;
    return true;
  }
}

function countKinds(effects: readonly { readonly kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of effects) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
