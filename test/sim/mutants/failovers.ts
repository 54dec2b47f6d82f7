/** Mistakes about when a leader is gone, and about what an election need not wait for. */
import type { Mutant } from "./mutant.ts";

const ELECTION = "actors/election/election.ts";
const HEARTBEAT = "actors/heartbeat/heartbeat.ts";
const SILENCE = "actors/heartbeat/silence.ts";

export const FAILOVER_MUTANTS: readonly Mutant[] = [
  {
    name: "elected-before-all-are-heard",
    mistake: "a quorum that agrees elects at once, although a node that may hold more lives",
    story: "longest-log-heard-last",
    edits: [
      {
        file: ELECTION,
        find: "} else if (unknown.length === 0) {",
        replace: "} else if (unknown.length >= 0) {",
      },
    ],
  },
  {
    name: "old-absence-counts",
    mistake:
      "that no process heard a ping counts against the leader of today, whenever it was asked",
    story: "no-process-said-late",
    edits: [
      {
        file: HEARTBEAT,
        find: "if (to !== known.leader || !silence.asked.delete(tag)) return;",
        replace: "if (to !== known.leader) return;",
      },
    ],
  },
  {
    name: "own-pause-is-silence",
    mistake: "a follower takes the time in which it stood still itself for its leader's silence",
    story: "follower-stands-still",
    edits: [
      {
        file: SILENCE,
        find: "Math.min(nowMs - silence.countedMs, silence.armedMs + LATE_MS)",
        replace: "nowMs - silence.countedMs",
      },
    ],
  },
  {
    name: "silence-before-the-question",
    mistake: "the time before a ping, in which a leader has nothing to say, counts as its silence",
    story: "leader-stands-still-briefly",
    edits: [
      {
        file: SILENCE,
        find: "if (silence.asked.size > 0) silence.silentMs += passedMs;",
        replace: "silence.silentMs += passedMs;",
      },
    ],
  },
  {
    name: "unheard-passed-over",
    mistake: "that a message to the leader has found no process is not acted on",
    story: "gone-at-once",
    edits: [
      {
        file: HEARTBEAT,
        find: "if (message.by === turn.state.leadership.leader) askSoon(turn);",
        replace: "",
      },
    ],
  },
  {
    name: "late-writes-borne",
    mistake: "a follower whose writes are late waits for its next ping",
    story: "write-is-late",
    edits: [
      {
        file: "actors/submitter/submitter.ts",
        find: `if (agedMs >= LATE_MS) effects.push(tell("heartbeat", { kind: "doubted" }));`,
        replace: "",
      },
    ],
  },
];
