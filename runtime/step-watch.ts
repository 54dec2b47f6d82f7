/**
 * Watches the steps of the actors of one thread: for whoever observes them, and for one that holds the thread up. While nobody
 * observes, the clock is read once at the end of a turn of the loop and steps are not looked at. A turn that took long makes the watch
 * time the steps one by one for a while, so that the one that holds the thread up is named.
 */
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import type { Clock } from "./clock.ts";
import type { Effect, EventDetail, LogLevel, ServerId } from "./effects.ts";
import type { StepMeter, ThreadMeter } from "./meter.ts";
import { type Decision, kindOf, type StepEvent } from "./inspection.ts";

export type StepWatchOptions = {
  readonly node: ServerId;
  readonly clock: Clock;
  /** Steps, and turns of the loop, that take this long are said in the log. Infinity: none are. */
  readonly slowMs: number;
  readonly meter?: ThreadMeter | undefined;
  readonly log: (line: SlowLine) => void;
};

export type SlowLine = {
  readonly level: LogLevel;
  readonly actor: string;
  readonly event: "slowStep" | "slowTurn";
  readonly detail: EventDetail;
};

/** An actor as the loop has it, and the message that it was given. */
type Given = {
  readonly cell: {
    readonly actor: { readonly name: string };
    readonly meter: StepMeter | undefined;
    readonly state: unknown;
    readonly queued: number;
  };
  readonly message: object;
};

type Step = Given & { readonly effects: readonly Effect[] };

/** After a slow turn, steps are timed one by one for this time. */
const TIMED_FOR_MS = 60_000;
/** A thread that is slow for long says so at most this often. */
const SAY_AGAIN_MS = 1_000;

export class StepWatch {
  readonly #options: StepWatchOptions;
  readonly #decisions = new Subject<Decision>();
  readonly #steps = new Subject<StepEvent>();
  #timedUntilMs = Number.NEGATIVE_INFINITY;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  /** The steps of this turn of the loop are looked at one by one. */
  #isOn = false;
  #turnStartedMs = 0;
  #waiting = 0;

  constructor(options: StepWatchOptions) {
    this.#options = options;
  }

  get decisions$(): Observable<Decision> {
    return this.#decisions;
  }

  get steps$(): Observable<StepEvent> {
    return this.#steps;
  }

  /** `waiting`: how many messages wait for the actors. */
  beginTurn(nowMs: number, waiting: number): void {
    this.#turnStartedMs = nowMs;
    this.#waiting = waiting;
    this.#options.meter?.turnBegins(nowMs);
    this.#isOn = this.#decisions.observed || this.#steps.observed || nowMs < this.#timedUntilMs;
  }

  /** When the step begins; undefined while nobody looks at the steps of this turn of the loop, and the step is not measured. */
  startStep({ meter }: Given["cell"], message: object): number | undefined {
    const isWatched = this.#isOn || meter?.kinds.has(kindOf(message)) === true;
    return isWatched ? this.#options.clock.nowMs() : undefined;
  }

  decided({ cell, message, effects }: Step): void {
    if (!this.#decisions.observed) return;
    const { actor, state, queued } = cell;
    this.#decisions.next({ actor: actor.name, message, effects, state, queued });
  }

  done({ cell, message, effects }: Step, startedMs: number): void {
    const { node, clock, slowMs } = this.#options;
    const endedMs = clock.nowMs();
    const { meter } = cell;
    if (meter?.kinds.has(kindOf(message)) === true) {
      meter.step({ message, effects, startedMs, endedMs });
    }
    if (!this.#isOn) return;
    const tookMs = endedMs - startedMs;
    const actor = cell.actor.name;
    if (tookMs >= slowMs) this.#saySlow(actor, message, tookMs);
    if (!this.#steps.observed) return;
    this.#steps.next({
      ...{ kind: "step", atMs: clock.wallMs(), node, actor, message: kindOf(message) },
      effects: countKinds(effects),
      queued: cell.queued,
      tookUs: Math.round(tookMs * 1000),
    });
  }

  /** A turn of the loop has ended after `steps` steps; the last of them is given. */
  endTurn(steps: number, { cell, message }: Given): void {
    const { clock, slowMs, meter, log } = this.#options;
    const nowMs = clock.nowMs();
    const startedMs = this.#turnStartedMs;
    const tookMs = nowMs - startedMs;
    meter?.turn({ startedMs, endedMs: nowMs, steps, waiting: this.#waiting });
    if (tookMs < slowMs) return;
    this.#timedUntilMs = nowMs + TIMED_FOR_MS;
    // Otherwise its steps were timed one by one.
    if (this.#isOn) return;
    if (steps === 1) {
      this.#saySlow(cell.actor.name, message, tookMs);
    } else if (this.#maySay()) {
      const detail = { ms: Math.round(tookMs), messages: steps };
      log({ level: "info", actor: "runtime", event: "slowTurn", detail });
    }
  }

  /** The thread has waited for the disk of an actor, which is no step of the actor's. */
  heldUp(actor: string, heldUpMs = 0): void {
    if (heldUpMs >= this.#options.slowMs) this.#saySlow(actor, DISK, heldUpMs);
  }

  complete(): void {
    this.#decisions.complete();
    this.#steps.complete();
  }

  #saySlow(actor: string, message: object, tookMs: number): void {
    if (!this.#maySay()) return;
    const detail = { message: kindOf(message), ms: Math.round(tookMs) };
    this.#options.log({ level: "warn", actor, event: "slowStep", detail });
  }

  #maySay(): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#saidAtMs < SAY_AGAIN_MS) return false;
    this.#saidAtMs = nowMs;
    return true;
  }
}

const DISK: object = { kind: "disk" };

function countKinds(effects: readonly { readonly kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of effects) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
