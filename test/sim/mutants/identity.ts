/** Mistakes about who is who: folders, processes, members. */
import type { Mutant } from "./mutant.ts";

const FORGOTTEN = "actors/log-sync/ensemble/forgotten.ts";
const FOUNDING = "actors/log-sync/ensemble/founding.ts";
const FILES = "actors/log/format/files.ts";
const GATE = "server/peer-gate.ts";
const LEADER = "actors/log-sync/leader.ts";
const QUORUM = "actors/quorum.ts";
const VOTE = "actors/log-sync/repair.ts";

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
        find: "if (isVoter && repair !== undefined && !repair.answers.has(from)) {",
        replace: "if (repair !== undefined && !repair.answers.has(from)) {",
      },
    ],
  },
  {
    name: "candidate-asks-no-configuration",
    mistake: "a candidate does not ask a voter that it does not count for its configuration",
    story: "bound-and-not-told",
    edits: [
      {
        file: "actors/log-sync/candidate.ts",
        find: "if (!sender.isVoter) sendTo(turn, id, greetingOf(state, { asks: true, nowMs: turn.nowMs }));",
        replace: "",
      },
    ],
  },
  {
    name: "learns-of-voters-only",
    mistake: "whose number may be bound by the log is not believed that it is",
    story: "bound-and-not-told",
    edits: [
      {
        file: FOUNDING,
        find: "if (!sender.isVoter && !sender.isNamed) return;",
        replace: "if (!sender.isVoter) return;",
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
        file: "actors/log-sync/commit.ts",
        find: "if (identity !== undefined && counted.get(id) === identity) durable.push(accepted);",
        replace: "if (identity !== undefined) durable.push(accepted);",
      },
      {
        file: "actors/log-sync/acknowledge.ts",
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
  {
    name: "founds-beside-a-formed-one",
    mistake: "folders found an ensemble although they have heard of one with their name",
    edits: [
      {
        file: FOUNDING,
        find: "  if (formed !== undefined && nowMs - formed.atMs < TWIN_MS) return false;\n",
        replace: "",
      },
    ],
  },
  {
    name: "open-binding-counts",
    mistake: "a number counts while it is being bound to another folder",
    edits: [
      {
        file: QUORUM,
        find: "if (!isDisputed) counted.set(id, identity);",
        replace: "if (!isDisputed || counted.size >= 0) counted.set(id, identity);",
      },
    ],
  },
  {
    name: "incarnation-goes-back",
    mistake: "a process is heard although a later one of its folder has been",
    edits: [
      {
        file: GATE,
        find: "return isLater || known.nonce === nonce ? undefined : known;",
        replace:
          "return isLater || known.incarnation !== incarnation || known.nonce === nonce ? undefined : known;",
      },
    ],
  },
  {
    name: "second-process-counts",
    mistake: "two processes that were started as often, on copies of one folder, are both heard",
    edits: [
      {
        file: GATE,
        find: "return isLater || known.nonce === nonce ? undefined : known;",
        replace: "return isLater || known.incarnation === incarnation ? undefined : known;",
      },
    ],
  },
  {
    name: "refused-is-processed",
    mistake: "what comes from another ensemble is refused, and processed all the same",
    edits: [
      {
        file: GATE,
        find: "return this.#stranger(incoming, header, nowMs);",
        replace: "this.#stranger(incoming, header, nowMs);",
      },
    ],
  },
  {
    name: "forgotten-still-counts",
    mistake: "what a process acknowledged is counted of the next one on its folder",
    edits: [
      {
        file: FORGOTTEN,
        find: "  follower.accepted = ZXID_NONE;\n}\n\n/** A voter has reported",
        replace: "}\n\n/** A voter has reported",
      },
    ],
  },
  {
    name: "forgotten-not-told",
    mistake: "a voter that says it holds less than it acknowledged goes on counting",
    edits: [
      {
        file: FORGOTTEN,
        find: "if (follower === undefined || durable >= follower.incarnation.owed) return;",
        replace: "if (follower === undefined || durable >= 0) return;",
      },
    ],
  },
];
