/** What an actor decides with, and where it puts what it asks for: one turn is the handling of one message. */
import type { Effect } from "./effects.ts";

/** Time and randomness as handed in by the runtime: the same seed gives the same values. */
export type Context = {
  /** Monotonic milliseconds; only differences mean something. */
  readonly nowMs: number;
  /** Unix time in milliseconds: for stamps that users see, never for ordering. */
  readonly wallMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Cryptographically strong outside simulation. */
  readonly randomBytes: (length: number) => Uint8Array;
};

/** The turn in which an actor makes its state. */
export type FirstTurn<E extends Effect = Effect> = Context & {
  /** Performed in order once the actor has returned. If the actor throws, none is performed. */
  readonly effects: E[];
};

/** `state` belongs to the actor, which may change it in place; nobody else sees it. */
export type Turn<State, E extends Effect = Effect> = FirstTurn<E> & { readonly state: State };
