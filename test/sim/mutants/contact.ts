/** Mistakes about who counts on a session until when: support, rounds of touches, handshakes, sessions that move. */
import type { Mutant } from "./mutant.ts";

const APPLY = "actors/tree/apply/apply.ts";
const HANDSHAKE = "actors/gateway/zookeeper/handshake.ts";
const HEARTBEAT = "actors/heartbeat/heartbeat.ts";
const NATIVE = "actors/gateway/nats/connections.ts";
const NATIVE_GATEWAY = "actors/gateway/nats/gateway.ts";
const SESSIONS = "actors/sessions/sessions.ts";
const SUPPORT = "actors/heartbeat/support.ts";

export const CONTACT_MUTANTS: readonly Mutant[] = [
  {
    name: "echoes-of-another-epoch",
    mistake: "pings, touches and echoes of another epoch are taken",
    edits: [
      {
        file: HEARTBEAT,
        find: "const leading = mine && known.epoch === message.epoch;",
        replace: "const leading = mine;",
      },
      {
        file: HEARTBEAT,
        find: "if (pong.epoch === epoch && pong.atMs !== undefined) {",
        replace: "if (pong.atMs !== undefined) {",
      },
    ],
  },
  {
    name: "support-of-one",
    mistake: "a leader of five confirms touches with the support of one other node",
    edits: [{ file: SUPPORT, find: "return times[quorum - 2];", replace: "return times[0];" }],
  },
  {
    name: "support-from-arrival",
    mistake: "support is counted from when a ping arrives, not from what it echoes",
    edits: [
      {
        file: HEARTBEAT,
        find: "noteEcho(support, from, echoMs);",
        replace: "noteEcho(support, from, nowMs);",
      },
    ],
  },
  {
    name: "pause-not-forgiven",
    mistake: "sessions pay for the time in which their leader stood still",
    edits: [{ file: SESSIONS, find: "if (lateMs <= tickMs) return;", replace: "return;" }],
  },
  {
    name: "tracker-keeps-the-first-timeout",
    mistake: "the leader counts with the timeout that a session had at first",
    edits: [
      {
        file: SESSIONS,
        find: "state.sessions.set(session, { timeoutMs, attachedAt, deadlineMs: nowMs + timeoutMs });",
        replace: `const first = state.sessions.get(session)?.timeoutMs ?? timeoutMs;
    state.sessions.set(session, { timeoutMs: first, attachedAt, deadlineMs: nowMs + timeoutMs });`,
      },
    ],
  },
  {
    name: "attach-keeps-the-timeout",
    mistake: "a session that is attached with another timeout keeps the old one",
    edits: [{ file: APPLY, find: "  session.timeoutMs = timeoutMs;\n", replace: "" }],
  },
  {
    name: "any-password",
    mistake: "a session is attached whatever the password",
    edits: [
      {
        file: APPLY,
        find: "session === undefined || !samePassword(session, password)",
        replace: "session === undefined",
      },
      {
        file: "actors/tree/apply/session-checks.ts",
        find: 'samePassword(session, password) ? "right" : "wrong"',
        replace: '"right"',
      },
    ],
  },
  {
    name: "moved-connection-served",
    mistake: "the old connection of a session that has moved goes on being served",
    edits: [
      {
        file: "actors/gateway/zookeeper/gateway.ts",
        find: 'if (reason === "moved") closeMoved(turn, connection);',
        replace: 'if (reason === "moved") return;',
      },
    ],
  },
  {
    name: "moved-native-connection-served",
    mistake: "the old connection of a native client's session goes on being served",
    edits: [
      {
        file: NATIVE_GATEWAY,
        find: "  end,\n  checked: takeChecked,",
        replace: `  end: (turn, connection, reason) => {
    if (reason !== "moved") end(turn, connection, reason);
  },
  checked: takeChecked,`,
      },
    ],
  },
  {
    name: "superseded-while-attaching",
    mistake: "a connection whose session moved on while it was being attached is served",
    edits: [
      {
        file: HANDSHAKE,
        find: "if (phase.supersededAt > attachedAt) {",
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "late-handshake",
    mistake: "a handshake is answered however late",
    edits: [
      {
        file: HANDSHAKE,
        find: "if (turn.nowMs > answerUntilMs(connection.leaderHeardMs, timeoutMs)) {",
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "handshake-counted-from-its-answer",
    mistake: "a session's time is counted from when its handshake is answered",
    edits: [
      {
        file: HANDSHAKE,
        find: "  if (phase.supersededAt > attachedAt) {\n",
        replace:
          "  connection.leaderHeardMs = turn.nowMs;\n  if (phase.supersededAt > attachedAt) {\n",
      },
    ],
  },
  {
    name: "native-handshake-counted-from-its-answer",
    mistake: "a native client's session is counted from when its opening is answered",
    plan: "handshakes",
    edits: [
      {
        file: NATIVE,
        find: `  enter(state.sessions, connection, { kind: "attached",`,
        replace: `  connection.leaderHeardMs = turn.nowMs;
  enter(state.sessions, connection, { kind: "attached",`,
      },
    ],
  },
  {
    name: "old-lane-stops-its-node",
    mistake: "a lane whose incarnation is behind the log's stops its node",
    edits: [
      {
        file: "actors/submitter/submitter.ts",
        find: "if (state.confirmed) {",
        replace: "if (true) {",
      },
    ],
  },
  {
    name: "paused-stream-from-its-opening",
    mistake: "a paused stream begins again where it was first opened",
    edits: [
      {
        file: "actors/gateway/nats/streams.ts",
        find: "  stream.after = message.through;\n",
        replace: "",
      },
    ],
  },
];
