/** Mistakes at the edge of a turn of the loop, in what goes from one thread to another, and in what clients send beside it. */
import type { Mutant } from "./mutant.ts";

const SYSTEM = "runtime/system.ts";
const INLET = "runtime/lanes/inlet.ts";

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
  {
    name: "clients-overtake-letters",
    mistake:
      "a lane tells its actors what a client has sent before the letters that were posted earlier",
    edits: [
      {
        file: INLET,
        find: "    if (this.#system === undefined || this.#isAhead(after)) {",
        replace: "    if (this.#system === undefined) {",
      },
    ],
  },
  {
    name: "held-clients-go-with-the-first-letters",
    mistake:
      "the first letters that come let go what clients have sent, though others were announced before",
    edits: [
      {
        file: INLET,
        find: "      if (first === undefined || this.#isAhead(first.after)) return;",
        replace: "      if (first === undefined) return;",
      },
    ],
  },
];
