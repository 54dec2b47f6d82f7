/** Mistakes in what becomes of an actor that failed. They show where it fails on purpose. */
import type { Mutant } from "./mutant.ts";

const SYSTEM = "runtime/system.ts";
const NATS = "actors/gateway/nats/recover.ts";
const ZOOKEEPER = "actors/gateway/zookeeper/recover.ts";

export const FAILURE_MUTANTS: readonly Mutant[] = [
  {
    name: "started-again-knows-nothing",
    mistake: "an actor that is started again is not told again what was said last",
    failing: "heartbeat",
    edits: [
      {
        file: SYSTEM,
        find: "for (const known of cell.known.values()) this.#step(cell, known);",
        replace: "",
      },
    ],
  },
  {
    name: "leadership-is-no-state",
    mistake: "who leads is not told again to a heartbeat that is started again",
    failing: "heartbeat",
    edits: [
      {
        file: "actors/topics.ts",
        find: '    is: "state",\n    meaning: "who leads, as far as this node knows',
        replace: '    is: "event",\n    meaning: "who leads, as far as this node knows',
      },
    ],
  },
  {
    name: "started-again-keeps-its-state",
    mistake: "an actor that failed half way through a message goes on with what that left",
    failing: "election",
    edits: [
      {
        file: SYSTEM,
        find: "if (message === START) cell.state = actor.start(turn);",
        replace: "if (message === START) cell.state ??= actor.start(turn);",
      },
    ],
  },
  {
    name: "looker-does-not-look-again",
    mistake: "an election that is started again while nobody leads waits to be told to look",
    failing: "election",
    edits: [
      {
        file: "actors/election/election.ts",
        find: 'if (state.mode === "idle" && state.leaderless) look(turn);',
        replace: "",
      },
    ],
  },
  {
    name: "recovered-state-is-missed",
    mistake: "a gateway that failed over who leads is not told it again",
    failing: "zookeeper/1",
    edits: [
      {
        file: SYSTEM,
        find: "if (topic !== undefined) this.#step(cell, message);",
        replace: "",
      },
    ],
  },
  {
    name: "native-flush-not-asked-for-again",
    mistake: "after a flush that failed nothing is ever flushed to the lane's native clients",
    failing: "nats/1",
    edits: [
      {
        file: NATS,
        find: 'if (state.dirty.size > 0) effects.push({ kind: "endOfTurn" });',
        replace: "",
      },
    ],
  },
  {
    name: "native-tick-not-started-again",
    mistake: "after a tick that failed the native gateway tells nobody which sessions it hears of",
    failing: "nats/1",
    edits: [
      {
        file: NATS,
        find: 'if (message.kind === "timer") {',
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "native-opening-waits-for-ever",
    mistake: "the opening of a change stream that failed is waited for by all others of the lane",
    failing: "nats/1",
    edits: [{ file: NATS, find: "  continueOpening(turn);\n", replace: "" }],
  },
  {
    name: "native-lane-is-not-heard",
    mistake:
      "a lane whose gateway failed as its node first served is never to be heard by native clients",
    failing: "nats/1",
    edits: [
      {
        file: NATS,
        find: 'if (message.kind === "leadership") state.hasServed = false;',
        replace: "",
      },
    ],
  },
  {
    name: "words-wait-for-ever",
    mistake: "after a failure over a four-letter word no word of the lane is answered any more",
    failing: "zookeeper/1",
    edits: [
      {
        file: ZOOKEEPER,
        find: "if (state.asked.length > 0 || state.holding.size > 0)",
        replace: "if (state.holding.size > 0)",
      },
    ],
  },
  {
    name: "closing-not-asked-for-again",
    mistake:
      "a connection that was to be closed in a turn that failed stays open and is never answered",
    failing: "zookeeper/1",
    edits: [{ file: ZOOKEEPER, find: "  closeAgain(turn);\n", replace: "" }],
  },
  {
    name: "closed-connection-stays",
    mistake: "a gateway that failed over the end of a connection holds it for ever",
    failing: "zookeeper/1",
    edits: [
      {
        file: ZOOKEEPER,
        find: 'message.kind === "closed"',
        replace: 'message.kind === ("" as string)',
      },
    ],
  },
  {
    name: "answers-lost-unnoticed",
    mistake:
      "connections whose answers were lost in a failure go on, and the next answer comes in their place",
    failing: "zookeeper/1",
    edits: [{ file: ZOOKEEPER, find: ' || kind === "leaderHeard"', replace: "" }],
  },
  {
    name: "timers-begun-in-vain",
    mistake: "a timer that was to begin in a turn that failed is taken to run",
    failing: "zookeeper/1",
    edits: [{ file: ZOOKEEPER, find: "  startTimers(turn);\n", replace: "" }],
  },
];
