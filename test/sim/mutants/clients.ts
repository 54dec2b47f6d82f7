/** Mistakes between a client and the log: sessions that expire, the order of replies. */
import type { Mutant } from "./mutant.ts";

const GRACE = "actors/gateway/zookeeper/grace.ts";
const HEARTBEAT = "actors/heartbeat/heartbeat.ts";
const QUEUE = "actors/gateway/request-queue.ts";
const SESSIONS = "actors/sessions/sessions.ts";

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: "touches-lost",
    mistake: "a follower does not tell its leader which sessions it has heard of",
    edits: [{ file: HEARTBEAT, find: "touched: sessions,", replace: "touched: []," }],
  },
  {
    name: "deadlines-of-an-earlier-reign",
    mistake: "a new leader counts with deadlines from before it led",
    edits: [
      {
        file: SESSIONS,
        find: "  for (const session of state.sessions.values()) session.deadlineMs = nowMs",
        replace: "  for (const session of []) session.deadlineMs = nowMs",
      },
    ],
  },
  {
    name: "expired-by-a-follower",
    mistake:
      "every node counts the sessions' time, and a follower's verdict goes to the log like a client's write",
    edits: [
      {
        file: SESSIONS,
        find: "  if (!state.leading) return;\n",
        replace: "",
      },
      {
        file: SESSIONS,
        find: '  if (!leading) {\n    effects.push({ kind: "stopTimer", timer: "tick" });\n    return;\n  }\n',
        replace: "",
      },
      {
        file: "actors/log-sync/follower.ts",
        find: `    case "propose":
    case "endOfTurn":`,
        replace: `    case "propose": {
      const { state } = turn;
      state.verdicts ??= { of: Math.floor(turn.wallMs), seq: 0 };
      state.verdicts.seq += 1;
      const submitter = { server: options.server, lane: 9, incarnation: state.verdicts.of };
      const { payload, count } = message;
      const { seq } = state.verdicts;
      sendTo(turn, role.leader, { kind: "submit", submitter, seq, count, payload });
      return;
    }
    case "endOfTurn":`,
      },
    ],
  },
  {
    name: "answered-without-the-leader",
    mistake:
      "a node cut off from the leader goes on answering clients whose sessions may have ended",
    edits: [
      {
        file: GRACE,
        find: "if (nowMs <= answerUntilMs(leaderHeardMs, served.timeoutMs)) return true;",
        replace: "return true;",
      },
    ],
  },
  {
    name: "answers-for-too-long",
    mistake:
      "answers leave for two thirds of a session's timeout after the leader heard of it, not for one",
    edits: [
      {
        file: "actors/gateway/contact.ts",
        find: "return heardMs + Math.ceil(timeoutMs / 3) - 1;",
        replace: "return heardMs + Math.ceil((timeoutMs * 2) / 3) - 1;",
      },
    ],
  },
  {
    name: "support-believed",
    mistake: "a leader confirms touches without knowing that a quorum still holds to it",
    edits: [
      {
        file: "actors/heartbeat/support.ts",
        find: "if (quorum === 1) return nowMs;",
        replace: "return nowMs;",
      },
    ],
  },
  {
    name: "never-expires",
    mistake: "a silent client's session is kept for ever",
    edits: [
      {
        file: SESSIONS,
        find: "if (nowMs < tracked.deadlineMs) continue;",
        replace: "continue;",
      },
    ],
  },
  {
    name: "read-before-own-write",
    mistake: "a read is answered before the session's own writes",
    edits: [
      {
        file: QUEUE,
        find: "} else if (this.#writesOut > 0 || this.#travelling > 0) {",
        replace: "} else if (this.#travelling > 0) {",
      },
    ],
  },
  {
    name: "read-behind-a-later-write",
    mistake: "reads that travel with writes are answered when the whole batch is applied",
    edits: [
      {
        file: "actors/tree/apply/apply.ts",
        find: "for (; behind[answered]?.after === index + 1; answered += 1) {",
        replace: `const isLast = index + 1 === operations.length;
    for (; isLast && behind[answered] !== undefined; answered += 1) {`,
      },
    ],
  },
  {
    name: "reads-lost-with-a-repeated-batch",
    mistake: "a batch that is submitted again replaces the one that the tree has reads for",
    edits: [
      {
        file: "actors/submitter/submitter.ts",
        find: "if (batch.seq >= fromSeq) submit(turn, batch);",
        replace:
          "if (batch.seq >= fromSeq) { tellTree(turn, batch.seq, []); submit(turn, batch); }",
      },
      {
        file: "actors/submitter/submitter.ts",
        find: "  if (now.length === 0) return;\n",
        replace: "",
      },
      {
        file: "actors/tree/apply/reads-behind.ts",
        find: "  const last = tree.behind.at(-1);",
        replace: `  if (behind.length === 0) {
    tree.behind = tree.behind.filter((each) => each.seq !== seq);
    return;
  }
  const last = tree.behind.at(-1);`,
      },
    ],
  },
  {
    name: "reads-for-an-applied-batch",
    mistake: "reads that come to the tree after their batch was applied wait for it",
    edits: [
      {
        file: "actors/tree/apply/reads-behind.ts",
        find: "if (applied?.incarnation === incarnation && seq <= applied.seq) {",
        replace: "if (applied?.incarnation === incarnation && seq < applied.seq) {",
      },
    ],
  },
  {
    name: "event-before-the-read-that-watches",
    mistake: "a watch event leaves before the reply to the read that has set the watch",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "if (connection.queue.holdsAnswers ||",
        replace: "if (connection.queue.ready() !== undefined ||",
      },
    ],
  },
  {
    name: "watch-event-after-the-reply",
    mistake: "a watch event leaves behind replies that show its change",
    edits: [
      {
        file: QUEUE,
        find: "while (at < this.#nextDispatch && isAnswered(this.#entries[at])) at += 1;",
        replace: "at = this.#nextDispatch;",
      },
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "if (connection.queue.holdsAnswers ||",
        replace: "if (connection.queue.length > 0 ||",
      },
    ],
  },
  {
    name: "reply-of-another-moment",
    mistake: "a reply carries the node's newest zxid and not that of its result",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "writeReadReply(writer, xid, entry.zxid,",
        replace: "writeReadReply(writer, xid, zxid,",
      },
    ],
  },
  {
    name: "replies-without-limit",
    mistake: "replies are written however little their client reads",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "while (connection.unsentBytes + writer.length < CONNECTION_UNSENT_BYTES_SOFT_MAX) {",
        replace: "while (true) {",
      },
    ],
  },
  {
    name: "answers-not-counted-off",
    mistake: "answers that were written still count as waiting",
    edits: [
      {
        file: "actors/gateway/zookeeper/requests.ts",
        find: "state.heldBytes -= entry.bytes + entry.answerBytes;",
        replace: "state.heldBytes -= entry.bytes;",
      },
    ],
  },
  {
    name: "held-after-the-end",
    mistake: "what a closed connection held goes on counting",
    edits: [
      {
        file: "actors/gateway/zookeeper/held.ts",
        find: "  state.heldBytes -= queue.bytes + queue.answerBytes;\n",
        replace: "",
      },
    ],
  },
  {
    name: "unanswered-reads-forgotten",
    mistake:
      "reads that the tree left for later go out of their order, behind the writes after them",
    edits: [
      {
        file: QUEUE,
        find: "if (run.mayCut || !writable) break;",
        replace: "if (!writable) break;",
      },
      { file: QUEUE, find: "let ends = this.#isCut;", replace: "let ends = false;" },
    ],
  },
  {
    name: "requests-without-limit",
    mistake: "a gateway takes in whatever a client sends ahead",
    edits: [
      {
        file: "actors/gateway/zookeeper/held.ts",
        find: "    queue.length < CONNECTION_REQUESTS_MAX &&\n",
        replace: "",
      },
    ],
  },
];
