/** Mistakes about who is who: folders, processes, members. */
import type { Mutant } from "./mutant.ts";

const FOLLOWER = "actors/log-sync/follower.ts";
const FILES = "actors/log/files.ts";
const GATE = "server/peer-gate.ts";
const LEADER = "actors/log-sync/leader.ts";
const QUORUM = "actors/log-sync/quorum.ts";
const VOTE = "actors/log-sync/vote.ts";

export const IDENTITY_MUTANTS: readonly Mutant[] = [
  {
    name: "other-members-accepted",
    mistake: "a start with other members than the folder's is let go on",
    edits: [
      {
        file: FILES,
        find: 'compare("members", stored.own.members.join(","), flags.members.join(","));',
        replace: "",
      },
    ],
  },
  {
    name: "guests-survey-each-other",
    mistake: "two folders without a vote ask each other for what they have promised, without end",
    edits: [
      {
        file: VOTE,
        find: "if (isVoter && repair !== undefined && !repair.heard.has(from)) {",
        replace: "if (repair !== undefined && !repair.heard.has(from)) {",
      },
    ],
  },
  {
    name: "any-folder-counts",
    mistake: "a number counts whichever folder speaks under it, the one that was replaced too",
    edits: [
      {
        file: QUORUM,
        find: "if (counted.get(id) === identity) count += 1;",
        replace: "count += 1;",
      },
      {
        file: LEADER,
        find: "const counts = state.membership.counted.get(from) === identity;",
        replace: "const counts = true;",
      },
      {
        file: LEADER,
        find: "if (identity !== undefined && counted.get(id) === identity) durable.push(accepted);",
        replace: "if (identity !== undefined) durable.push(accepted);",
      },
      {
        file: FOLLOWER,
        find: "const votes = state.repair === undefined && isBound(state);",
        replace: "const votes = true;",
      },
      {
        file: GATE,
        find: "const isVoter = isMember && voters.get(server) === identity;",
        replace: "const isVoter = isMember && voters.size > 0;",
      },
    ],
  },
];
