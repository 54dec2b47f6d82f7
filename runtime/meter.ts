/** What measures a thread. It is told of turns of the loop, which have many messages, and of those steps alone that it asks for. */
import type { Effect } from "./effects.ts";

export type MeasuredStep = {
  readonly message: object;
  readonly effects: readonly Effect[];
  readonly startedMs: number;
  readonly endedMs: number;
};

export type StepMeter = {
  /** The kinds of messages whose steps are measured. They should come by the batch. */
  readonly kinds: ReadonlySet<string>;
  /** Called when the step is done. */
  readonly step: (step: MeasuredStep) => void;
};

export type MeasuredTurn = {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly steps: number;
  /** How many messages waited for the actors of the thread when the turn began. */
  readonly waiting: number;
};

export interface ThreadMeter {
  /** Asked once for each actor. Undefined: its steps are not measured. */
  stepMeter(actor: string): StepMeter | undefined;
  turnBegins(startedMs: number): void;
  turn(turn: MeasuredTurn): void;
}
