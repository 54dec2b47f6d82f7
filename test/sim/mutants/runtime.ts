/** Mistakes in the actor runtime: what becomes of an actor that failed, and of a node that stops. */
import type { Mutant } from "./mutant.ts";

const SYSTEM = "runtime/system.ts";

export const RUNTIME_MUTANTS: readonly Mutant[] = [
  {
    name: "started-anew-knows-nothing",
    mistake: "an actor that is started anew is not told again what was said last",
    edits: [
      {
        file: SYSTEM,
        find: "for (const known of cell.known.values()) this.#step(cell, known);",
        replace: "",
      },
    ],
  },
  {
    name: "flush-not-begun-again",
    mistake:
      "after a flush of the native gateway that failed another timer is started than the flush's",
    edits: [
      {
        file: "actors/gateway/nats/gateway.ts",
        find: 'turn.effects.push({ kind: "startTimer", timer: message.timer, afterMs: TICK_MS });',
        replace: 'turn.effects.push({ kind: "startTimer", timer: "tick", afterMs: TICK_MS });',
      },
    ],
  },
];
