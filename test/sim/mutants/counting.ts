/** Mistakes in what followers count by themselves, and in whom a leader tells them to count. */
import type { Mutant } from "./mutant.ts";

const ACKNOWLEDGE = "actors/log-sync/acknowledge.ts";
const ASKING = "actors/log-sync/asking.ts";
const COUNTING = "actors/log-sync/counting.ts";

export const COUNTING_MUTANTS: readonly Mutant[] = [
  {
    name: "counted-of-another-epoch",
    mistake: "a follower counts what another one has accepted in another epoch",
    edits: [
      {
        file: COUNTING,
        find: "if (epoch !== role.epoch || id === role.leader) return;",
        replace: "if (id === role.leader) return;",
      },
    ],
  },
  {
    name: "counted-unnamed",
    mistake: "a follower counts a process that its leader does not count",
    edits: [
      {
        file: COUNTING,
        find: "isCounted(id, sender.identity) && asks.counted.has(sender.nonce)",
        replace: "isCounted(id, sender.identity)",
      },
    ],
  },
  {
    name: "counted-itself-unnamed",
    mistake: "a follower counts its own disk although its leader does not count it",
    edits: [
      {
        file: COUNTING,
        find: "asks.counted.has(options.nonce)",
        replace: "asks.counted.size > 0",
      },
    ],
  },
  {
    name: "counted-twice",
    mistake:
      "what is said to all is counted twice, as said to the leader and as said to the others",
    edits: [
      {
        file: COUNTING,
        find: "asks.counted.has(sender.nonce)) durable.push(zxid);",
        replace: "asks.counted.has(sender.nonce)) durable.push(zxid, zxid);",
      },
    ],
  },
  {
    name: "count-outlives-the-leader",
    mistake:
      "a follower goes on with what it counted under the leader before, in an epoch whose barrier it does not know to be committed",
    edits: [
      {
        file: "actors/log-sync/follower.ts",
        find: "count: newFollowerCount(),",
        replace:
          'count: turn.state.role.kind === "following" ? turn.state.role.count : (turn.state as { kept?: Following["count"] }).kept ?? newFollowerCount(),',
      },
      {
        file: "actors/log-sync/follower.ts",
        find: "  enter(turn, role);\n  return role;",
        replace:
          '  (turn.state as { kept?: Following["count"] }).kept = role.count;\n  enter(turn, role);\n  return role;',
      },
      {
        file: COUNTING,
        find: "if (asks === undefined || !role.established) return ZXID_NONE;",
        replace: "if (asks === undefined) return ZXID_NONE;",
      },
    ],
  },
  {
    name: "counted-own-before-fsync",
    mistake: "a follower counts its own disk when it has taken records, not when the disk has them",
    edits: [
      {
        file: COUNTING,
        find: "durable.push(earlierOf(view.durable, role.matched));",
        replace: "durable.push(role.matched);",
      },
      {
        file: ACKNOWLEDGE,
        find: "earlierOf(earlierOf(committed, role.matched), view.durable)",
        replace: "earlierOf(committed, role.matched)",
      },
      {
        file: "actors/log-sync/delivery.ts",
        find: `assert(zxid <= state.log.durable, "what is applied here is durable here");`,
        replace: ``,
      },
    ],
  },
  {
    name: "told-all-before-fsync",
    mistake:
      "a follower tells all that it has accepted records when it has taken them, not its disk",
    edits: [
      {
        file: ACKNOWLEDGE,
        find: `const zxid = earlierOf(state.log.durable, role.matched);`,
        replace: `const zxid = role.count.asks === undefined ? earlierOf(state.log.durable, role.matched) : role.matched;`,
      },
      {
        file: "actors/log-sync/append.ts",
        find: `else if (!view.truncating) sendAccepted(turn, role);`,
        replace: `if (!view.truncating) sendAccepted(turn, role);`,
      },
    ],
  },
  {
    name: "asked-before-fsync",
    mistake:
      "a leader has its own disk counted up to what it was given, not up to what it has synced",
    edits: [
      {
        file: ASKING,
        find: "durable: isCounted ? view.durable : ZXID_NONE,",
        replace: "durable: isCounted ? view.index.tail : ZXID_NONE,",
      },
    ],
  },
  {
    name: "counted-without-a-vote-by-followers",
    mistake: "a follower counts what another one has accepted without a vote",
    edits: [
      {
        file: COUNTING,
        find: "  if (!votes) {\n    accepted.delete(id);\n    return;\n  }\n",
        replace: "",
      },
    ],
  },
  {
    name: "forgetful-named",
    mistake:
      "a leader names a process that has not accepted anything yet, or has forgotten what was",
    edits: [
      {
        file: ASKING,
        find: "if (!isCounted || hasForgotten || accepted === ZXID_NONE || nonce === undefined) continue;",
        replace: "if (!isCounted || nonce === undefined) continue;",
      },
    ],
  },
  {
    name: "earlier-process-counted",
    mistake: "a follower counts for a process what the one before it on the folder has accepted",
    edits: [
      {
        file: COUNTING,
        find: "if (known?.identity === sender.identity && known.nonce !== sender.nonce) {",
        replace: "if (known?.identity === sender.identity && known.nonce < 0) {",
      },
      {
        file: COUNTING,
        find: "const isSame = known?.sender.nonce === sender.nonce;",
        replace: "const isSame = known?.sender.identity === sender.identity;",
      },
    ],
  },
  {
    name: "held-records-lost",
    mistake: "a leader forgets the records that those in flight hold back",
    edits: [
      {
        file: "actors/log-sync/publish.ts",
        find: "if (holdsBack(turn, role)) return;",
        replace:
          "if (holdsBack(turn, role)) {\n    role.outbox = [];\n    role.outboxAfter = turn.state.log.index.tail;\n    return;\n  }",
      },
    ],
  },
  {
    name: "counts-unasked",
    mistake: "a follower goes on to count although the leader's records ask for it no more",
    edits: [
      {
        file: COUNTING,
        find: "    asks === undefined\n      ? undefined\n",
        replace: "    asks === undefined\n      ? count.asks\n",
      },
    ],
  },
];
