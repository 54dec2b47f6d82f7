/** Mistakes about handing leadership over: when, to whom, who may ask for it, and what becomes of the writes that wait. */
import type { Mutant } from "./mutant.ts";

const GIVE = "actors/log-sync/handover/give.ts";
const HANDOVER = "actors/log-sync/handover/handover.ts";
const TAKE = "actors/log-sync/handover/take.ts";

export const HANDOVER_MUTANTS: readonly Mutant[] = [
  {
    name: "handover-before-all-is-there",
    mistake: "a leader has a follower take over that does not have the last records yet",
    story: "handover-waits-for-the-last",
    edits: [
      {
        file: GIVE,
        find: "return role.outbox.length === 0 && delivery.committed === tail && follower.accepted === tail;",
        replace:
          "return role.outbox.length === 0 && delivery.committed <= tail && follower.accepted <= tail;",
      },
    ],
  },
  {
    name: "handover-refused-to-the-last-heard",
    mistake:
      "a leader refuses to hand over to a node because it has not heard of it in its epoch yet",
    story: "handover-to-the-last-heard",
    edits: [{ file: GIVE, find: "if (!isKnown(follower)) return undefined;", replace: "" }],
  },
  {
    name: "records-after-takeover",
    mistake: "a leader that has had a follower take over goes on to make records",
    story: "handover-abandoned",
    edits: [
      {
        file: HANDOVER,
        find: `return kind === "holding" || kind === "asked";`,
        replace: `return kind === "holding";`,
      },
    ],
  },
  {
    name: "takeover-on-anybodys-word",
    mistake: "a follower takes over whoever tells it to",
    story: "takeover-not-by-its-leader",
    edits: [
      {
        file: "actors/log-sync/follower.ts",
        find: "if (id !== role.leader) return;",
        replace: `if (id !== role.leader && message.kind !== "takeOver") return;`,
      },
    ],
  },
  {
    name: "takeover-with-another-log",
    mistake: "a follower takes over although its log does not end where its leader's did",
    story: "takeover-is-late",
    edits: [
      {
        file: TAKE,
        find: "view.index.tail === zxid && view.durable === zxid && !view.truncating;",
        replace: "view.index.tail >= zxid && view.durable >= zxid && !view.truncating;",
      },
    ],
  },
  {
    name: "held-writes-lost",
    mistake: "what has waited for a handover that came to nothing is forgotten",
    story: "handover-abandoned",
    edits: [
      {
        file: GIVE,
        find: "for (const message of held) {",
        replace: "for (const message of held.slice(held.length)) {",
      },
    ],
  },
  {
    name: "held-proposals-lost",
    mistake:
      "what a leader itself has proposed during a handover that came to nothing is forgotten",
    story: "handover-abandoned-with-an-end-of-a-session",
    edits: [{ file: GIVE, find: "else propose(turn, role, message);", replace: "" }],
  },
  {
    name: "held-writes-twice",
    mistake: "what has waited for a handover that came to nothing is taken as often as it was sent",
    story: "handover-abandoned",
    edits: [
      {
        file: GIVE,
        find: `if (message.kind === "submit") submit(turn, role, message);`,
        replace: `if (message.kind === "submit") appendRecord(turn, role, { ...message, kind: "batch" });`,
      },
      {
        file: GIVE,
        find: `import { propose, submit } from "../submit.ts";`,
        replace: `import { appendRecord } from "../publish.ts";\nimport { propose } from "../submit.ts";`,
      },
    ],
  },
  {
    name: "handover-for-ever",
    mistake: "a leader whose successor does not take over waits for it without end",
    story: "handover-abandoned",
    edits: [{ file: GIVE, find: "if (nowMs >= untilMs) {", replace: "if (nowMs < 0) {" }],
  },
  {
    name: "takeover-while-stopping",
    mistake: "a node that is about to stop takes over",
    story: "handover-declined",
    edits: [{ file: TAKE, find: `if (retiring) return "stopping";`, replace: "" }],
  },
];
