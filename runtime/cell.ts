/** An actor as the loop of its thread has it, and what waits there. */
import type { Actor } from "./actor.ts";
import type { StepMeter } from "./meter.ts";

export type Cell = {
  readonly actor: Actor<unknown, object>;
  readonly meter: StepMeter | undefined;
  state: unknown;
  /** How often it was started again. */
  incarnation: number;
  /** The last message under each topic of state, for when it is started again. */
  readonly known: Map<string, object>;
  queued: number;
  readonly timers: Map<string, () => void>;
  /** The actor has asked for an `endOfTurn`. */
  awaitsEndOfTurn: boolean;
};

export type Queued = {
  readonly cell: Cell;
  readonly message: object;
  readonly topic?: string | undefined;
  /** The message is only for this incarnation of the actor. */
  readonly incarnation?: number;
};
