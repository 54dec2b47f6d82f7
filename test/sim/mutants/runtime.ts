/** Mistakes in the actor runtime: what becomes of an actor that failed. */
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
];
