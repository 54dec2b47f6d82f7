/** Mistakes of the native client itself (`client/session/`). */
import type { Mutant } from "./mutant.ts";

const CONNECTION = "client/session/connection.ts";
const REQUESTS = "client/session/requests.ts";
const STREAMS = "client/session/streams.ts";

export const CLIENT_SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: "client-asks-a-write-again",
    mistake: "a write that was under way when its connection was lost is asked again, as a read is",
    edits: [
      {
        file: REQUESTS,
        find: 'if (pending.request.kind !== "write") again.push(pending);',
        replace: "if (pending.deadlineMs > 0) again.push(pending);",
      },
    ],
  },
  {
    name: "client-denies-a-doubt",
    mistake: "a write that was under way is said not to be done",
    edits: [
      {
        file: REQUESTS,
        find: 'return request.kind === "write" ? "unknown" : "no";',
        replace: 'return request.kind === "write" ? "no" : "no";',
      },
    ],
  },
  {
    name: "client-ignores-a-gap",
    mistake: "a client takes a frame although the one before was lost",
    edits: [
      {
        file: CONNECTION,
        find: 'if (frame.sequence !== state.receivedSequence + 1) return lost(turn, "a message was lost", 0);',
        replace: "",
      },
    ],
  },
  {
    name: "client-reads-an-old-inbox",
    mistake: "what comes to the inbox of an earlier connection is taken for the present one's",
    edits: [
      {
        file: CONNECTION,
        find: "if (event.connection === state.connection) receiveFrame(turn, event.bytes);",
        replace: "receiveFrame(turn, event.bytes);",
      },
    ],
  },
  {
    name: "client-pings-a-tick-late",
    mistake:
      "a ping is sent at the first tick after a third of the timeout, not at the last before it",
    edits: [
      {
        file: CONNECTION,
        find: "nowMs + TICK_MS - link.pingedAtMs > state.timeoutMs / 3;",
        replace: "nowMs - link.pingedAtMs > state.timeoutMs / 3;",
      },
    ],
  },
  {
    name: "client-reopens-where-it-began",
    mistake: "after a reconnect a stream goes on from where it was opened first",
    edits: [{ file: STREAMS, find: "  stream.after = through;\n", replace: "" }],
  },
  {
    name: "client-joins-one-ahead",
    mistake: "a stream that has not come to where another stands goes on with it",
    edits: [
      {
        file: STREAMS,
        find: "if (other === stream || !other.answered || other.after !== stream.after) continue;",
        replace: "if (other === stream || !other.answered || other.after < stream.after) continue;",
      },
    ],
  },
  {
    name: "client-grants-credits-twice",
    mistake: "what was granted is granted again with the next portion",
    edits: [
      {
        file: STREAMS,
        find: "credits: stream.consumed });\n  stream.consumed = 0;",
        replace: "credits: stream.consumed });",
      },
    ],
  },
  {
    name: "client-grants-for-an-earlier-connection",
    mistake:
      "what an earlier connection carried is granted on the present one, which began with all credits",
    edits: [
      {
        file: STREAMS,
        find: "if (stream === undefined || message.connection !== connection) return;",
        replace: "if (stream === undefined) return;",
      },
    ],
  },
  {
    name: "client-proves-itself-once",
    mistake: "identities are proved on the first connection only",
    edits: [
      {
        file: CONNECTION,
        find: "const { proofs = [] } = state.options;",
        replace: "const proofs = state.backoff.failures === 0 ? (state.options.proofs ?? []) : [];",
      },
    ],
  },
];
