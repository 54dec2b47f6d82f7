/** What the page and its worker, which runs the simulator, say to each other. */
import type { Recording } from "../../test/sim/recording/recording.ts";

/** A run is the same each time that it is asked for so. */
export type Choice = {
  readonly seed: number;
  /** The plan that the seed is run with. Empty: as the seed draws it. */
  readonly plan: string;
  /** How the actors of a node are shared out. Empty: as the seed draws it. */
  readonly placement: string;
};

export type ToWorker =
  | { readonly kind: "run"; readonly choice: Choice }
  /** The seeds from this one on, until one fails or so many have passed; the last of them is then run for the page. */
  | { readonly kind: "search"; readonly choice: Choice; readonly seedsMax: number };

export type Outcome =
  | {
      readonly kind: "held";
      readonly hash: string;
      /** How many invariants there are that checkers know. */
      readonly invariants: number;
      /** How many decisions of actors they have looked at. */
      readonly decisions: number;
      readonly convergedMs: number;
      readonly facts: readonly (readonly [name: string, value: string])[];
    }
  | {
      readonly kind: "violated";
      readonly hash: string;
      /** The invariant, and how it was violated. */
      readonly text: string;
    };

export type FromWorker =
  | { readonly kind: "progress"; readonly seed: number; readonly virtualMs: number }
  | { readonly kind: "searched"; readonly seed: number; readonly passed: number }
  | {
      readonly kind: "done";
      readonly choice: Choice;
      readonly outcome: Outcome;
      readonly recording: Recording;
      /** How many seeds were run before it and held. */
      readonly passed: number;
      readonly tookMs: number;
    }
  /** The simulator itself failed. */
  | { readonly kind: "failed"; readonly text: string };
