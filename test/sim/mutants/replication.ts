/** Mistakes in log-sync: what is durable, promised, committed, and who leads. */
import type { Mutant } from "./mutant.ts";

const DELIVERY = "actors/log-sync/delivery.ts";
const LEADER = "actors/log-sync/leader.ts";
const QUORUM = "actors/quorum.ts";

export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: "ack-before-fsync",
    mistake: "a follower says accepted when it has taken records, not when its disk has",
    edits: [
      {
        file: "actors/log-sync/acknowledge.ts",
        find: `const zxid = earlierOf(state.log.durable, role.matched);`,
        replace: `const zxid = role.matched;`,
      },
      {
        file: "actors/log-sync/append.ts",
        find: `else if (!view.truncating) sendAccepted(turn, role);`,
        replace: `if (!view.truncating) sendAccepted(turn, role);`,
      },
    ],
  },
  {
    name: "leader-counts-before-fsync",
    mistake: "a leader counts its own disk among the quorum before its fsync",
    edits: [
      {
        file: "actors/log-sync/commit.ts",
        find: `counted.get(options.server) === own ? [view.durable] : [];`,
        replace: `counted.get(options.server) === own ? [view.index.tail] : [];`,
      },
      {
        file: "actors/log-sync/commit.ts",
        find: `const through = Math.min(byQuorum, view.durable) as Zxid;`,
        replace: `const through = byQuorum;`,
      },
      {
        file: "actors/log-sync/delivery.ts",
        find: `assert(zxid <= state.log.durable, "what is applied here is durable here");`,
        replace: ``,
      },
    ],
  },
  {
    name: "quorum-off-by-one",
    mistake: "half of the voters count as a quorum",
    edits: [
      {
        file: QUORUM,
        find: "return Math.floor(voters / 2) + 1;",
        replace: "return Math.max(1, Math.floor(voters / 2));",
      },
    ],
  },
  {
    name: "promise-granted-before-durable",
    mistake: "a voter answers a promise request before its promise is on the disk",
    edits: [
      {
        file: "actors/log-sync/voter.ts",
        find: `persistPromise(turn, { epoch, candidate }, from);`,
        replace: `persistPromise(turn, { epoch, candidate }, undefined);
    sendTo(turn, from.id, {
      kind: "promiseReply",
      folder: from.identity,
      epoch,
      granted: true,
      promise: promises.underWay ?? promises.durable,
      lastZxid: state.log.durable,
    });`,
      },
    ],
  },
  {
    name: "epoch-promised-twice",
    mistake: "a voter grants an epoch to every candidate that asks for it",
    edits: [
      {
        file: "actors/log-sync/voter.ts",
        find: `epoch === promises.durable.epoch && candidate === promises.durable.candidate;`,
        replace: `epoch === promises.durable.epoch;`,
      },
    ],
  },
  {
    name: "stale-log-wins",
    mistake: "a candidate leads although a voter's log is ahead of its own",
    edits: [
      {
        file: "actors/log-sync/candidate.ts",
        find: `if (message.lastZxid > view.durable) {`,
        replace: `if (false) {`,
      },
    ],
  },
  {
    name: "older-epoch-committed-by-counting",
    mistake: "a leader commits records of an older epoch by counting who holds them",
    edits: [
      {
        file: "actors/log-sync/commit.ts",
        find: "if (byQuorum < role.barrier) return;",
        replace: "",
      },
    ],
  },
  {
    name: "deposed-leader-heard",
    mistake: "a follower takes records of a leader whose epoch is below its promise",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: "if (message.epoch < promisedEpoch(state)) {",
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "truncation-without-conflict",
    mistake: "an append that ends before the log does cuts the log, below the commit mark too",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: `if (!view.truncating) role.matched = laterOf(role.matched, after);`,
        replace: `if (!view.truncating && fresh.length === 0 && view.index.tail > after) {
    truncate(turn, after);
  }
  if (!view.truncating) role.matched = laterOf(role.matched, after);`,
      },
      {
        file: "actors/log-sync/append.ts",
        find: `assert(after >= delivery.committed, "I7: nothing that is committed is truncated");`,
        replace: ``,
      },
    ],
  },
  {
    name: "gap-accepted",
    mistake: "a follower takes records that do not follow its log",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: `if (!view.index.holds(message.prevZxid)) {`,
        replace: `if (view.index.tail > message.prevZxid && !view.index.holds(message.prevZxid)) {`,
      },
      {
        file: "actors/log/log.ts",
        find: `assert(record.prevZxid === state.plannedEnd, "an append follows the log's end");`,
        replace: ``,
      },
      {
        file: "actors/log/segments/append.ts",
        find: `assert(record.prevZxid === state.index.lastZxid, "no gap in any log");`,
        replace: ``,
      },
    ],
  },
  {
    name: "conflict-not-noticed",
    mistake: "a follower appends the new leader's records behind its own that conflict",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: `if (view.index.tail > after) {`,
        replace: `if (false) {`,
      },
      {
        file: "actors/log/log.ts",
        find: `assert(record.prevZxid === state.plannedEnd, "an append follows the log's end");`,
        replace: ``,
      },
      {
        file: "actors/log/segments/append.ts",
        find: `assert(record.prevZxid === state.index.lastZxid, "no gap in any log");`,
        replace: ``,
      },
    ],
  },
  {
    name: "commit-beyond-matched",
    mistake:
      "a follower applies up to its leader's commit mark before it knows that its log is the leader's",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: `role.leaderCommitted = laterOf(role.leaderCommitted, message.committed);`,
        replace: `role.leaderCommitted = laterOf(role.leaderCommitted, message.committed);
  followCommit(turn, role);`,
      },
      {
        file: "actors/log-sync/acknowledge.ts",
        find: `earlierOf(earlierOf(committed, role.matched), view.durable)`,
        replace: `earlierOf(committed, view.durable)`,
      },
    ],
  },
  {
    name: "applied-before-commit",
    mistake: "a follower applies what is on its own disk, whether a quorum has it or not",
    edits: [
      {
        file: "actors/log-sync/acknowledge.ts",
        find: `earlierOf(earlierOf(committed, role.matched), view.durable)`,
        replace: `earlierOf(role.matched, view.durable)`,
      },
    ],
  },
  {
    name: "applied-before-durable",
    mistake: "a follower applies what is committed before its own disk has it",
    edits: [
      {
        file: "actors/log-sync/acknowledge.ts",
        find: `earlierOf(earlierOf(committed, role.matched), view.durable)`,
        replace: `earlierOf(committed, role.matched)`,
      },
      {
        file: "actors/log-sync/delivery.ts",
        find: `assert(zxid <= state.log.durable, "what is applied here is durable here");`,
        replace: ``,
      },
    ],
  },
  {
    name: "delivered-out-of-order",
    mistake: "committed records reach the tree newest first",
    edits: [
      {
        file: DELIVERY,
        find: 'emit("committed", { kind: "committed", records })',
        replace: 'emit("committed", { kind: "committed", records: records.toReversed() })',
      },
    ],
  },
  {
    name: "catch-up-from-an-unknown-record",
    mistake:
      "a leader goes on from where the follower stands although its own log has no record there",
    edits: [
      {
        file: "actors/log-sync/catch-up.ts",
        find: `const after = index.floor(holds);`,
        replace: `const after = holds;`,
      },
    ],
  },
  {
    name: "submitters-not-rebuilt",
    mistake: "a new leader does not know which batches its log already holds",
    edits: [
      {
        file: "actors/log-sync/commit.ts",
        find: `role.taken = delivery.submitters.copy();`,
        replace: ``,
      },
    ],
  },
  {
    name: "batches-out-of-sequence",
    mistake: "a leader takes a lane's batch although the one before is missing",
    edits: [
      {
        file: "actors/log-sync/submitters.ts",
        find: "if (seq === last + 1) return",
        replace: "if (seq > last) return",
      },
    ],
  },
  {
    name: "applied-twice",
    mistake: "a batch that is sent again is taken and applied again",
    edits: [
      {
        file: "actors/log-sync/submitters.ts",
        find: 'if (seq <= last) return { kind: "repeated" };',
        replace: 'if (seq <= last) return { kind: "take" };',
      },
      {
        file: "actors/tree/store/submitters.ts",
        find: "if (incarnation === entry.incarnation && seq <= entry.seq) return false;",
        replace: "",
      },
      {
        file: "actors/submitter/submitter.ts",
        find: "const batch = state.inFlight.shift();",
        replace: `if (message.seq < (state.inFlight[0]?.seq ?? state.nextSeq)) return { state, effects: [] };
          const batch = state.inFlight.shift();`,
      },
    ],
  },
  {
    name: "counted-without-a-vote",
    mistake: "what a node acknowledged before it lost its vote still counts",
    edits: [
      {
        file: LEADER,
        find: "laterOf(zxid, isKept ? follower.accepted : ZXID_NONE) : ZXID_NONE;",
        replace: "laterOf(zxid, isKept ? follower.accepted : ZXID_NONE) : follower.accepted;",
      },
    ],
  },
  {
    name: "leader-time-goes-back",
    mistake: "the time of a leader's records is that of its own clock only",
    edits: [
      {
        file: "actors/log-sync/publish.ts",
        find: "state.log.lastTimeMs = Math.max(state.log.lastTimeMs, Math.floor(turn.wallMs));",
        replace: "state.log.lastTimeMs = Math.floor(turn.wallMs);",
      },
    ],
  },
  {
    name: "time-of-what-is-delivered",
    mistake: "a new leader's time goes on from what it has delivered, not from what its log holds",
    edits: [
      {
        file: "actors/log-sync/append.ts",
        find: "  view.lastTimeMs = Math.max(view.lastTimeMs, timeMs);\n",
        replace: "",
      },
      {
        file: DELIVERY,
        find: "    state.delivery.delivered = header.lastZxid;\n",
        replace:
          "    state.delivery.delivered = header.lastZxid;\n    state.log.lastTimeMs = Math.max(state.log.lastTimeMs, header.timeMs);\n",
      },
    ],
  },
  {
    name: "survey-tells-the-commit-mark",
    mistake:
      "a node without a vote is told where the leader's commit mark is, not where its log ends",
    edits: [
      {
        file: "actors/log-sync/repair.ts",
        find: "    tail: state.log.index.tail,\n    leads",
        replace: "    tail: state.delivery.committed,\n    leads",
      },
    ],
  },
  {
    name: "votes-below-a-promise",
    mistake:
      "a node whose promise was lost votes again in an epoch below one that it may have promised",
    edits: [
      {
        file: "actors/log-sync/repair.ts",
        find: "if (promised === undefined || promised > led) return;",
        replace: "",
      },
    ],
  },
  {
    name: "resubmission-dropped",
    mistake: "a lane forgets what it had under way when the leader changes",
    edits: [
      {
        file: "actors/submitter/submitter.ts",
        find: "state.epoch = epoch;",
        replace: `state.epoch = epoch;
          state.inFlight.length = 0;`,
      },
    ],
  },
];
