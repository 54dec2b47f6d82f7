/** Mistakes in how an actor that failed goes on. */
import type { Mutant } from "./mutant.ts";

export const ACTOR_MUTANTS: readonly Mutant[] = [
  {
    name: "restarted-knows-nothing",
    mistake: "an actor that is started anew is not told what it had been told before",
    edits: [
      {
        file: "runtime/system.ts",
        find: "    for (const known of cell.known.values()) this.#step(cell, known);\n",
        replace: "",
      },
    ],
  },
  {
    name: "session-end-passed-over",
    mistake: "a gateway that failed over the end of a session goes on serving its connection",
    edits: [
      {
        file: "actors/gateway/zookeeper/gateway.ts",
        find: `  if (message.kind === "sessionChanges" || message.kind === "treeReset") {`,
        replace: `  if (message.kind === "treeReset") {`,
      },
    ],
  },
  {
    name: "flush-not-taken-up",
    mistake: "a flush of native clients' frames that failed is not tried again",
    edits: [
      {
        file: "actors/gateway/nats/gateway.ts",
        find: `{ kind: "startTimer", timer: message.timer, afterMs: TICK_MS }`,
        replace: `{ kind: "startTimer", timer: "tick", afterMs: TICK_MS }`,
      },
    ],
  },
];
