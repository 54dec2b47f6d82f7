/** Mistakes at the edge of a turn of the loop, in what goes from one thread to another. */
import type { Mutant } from "./mutant.ts";

const SYSTEM = "runtime/system.ts";

export const TURN_MUTANTS: readonly Mutant[] = [
  {
    name: "letters-of-a-turn-reordered",
    mistake: "the letters of one turn to another thread are posted with the last one first",
    edits: [
      {
        file: SYSTEM,
        find: "    else letters.push(letter);",
        replace: "    else letters.unshift(letter);",
      },
    ],
  },
  {
    name: "letters-of-the-end-of-a-turn-lost",
    mistake:
      "letters are posted before the end of the turn, and those that it brings about are thrown away",
    edits: [
      {
        file: SYSTEM,
        find: "        ends += this.#endTurn();",
        replace: "        this.#flushLinks();\n        ends += this.#endTurn();",
      },
      {
        file: SYSTEM,
        find: "    this.#flushLinks();\n    // What this turn told",
        replace:
          "    if (ends === 0) this.#flushLinks();\n    this.#outbox.clear();\n    // What this turn told",
      },
    ],
  },
];
