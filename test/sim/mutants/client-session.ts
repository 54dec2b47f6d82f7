/** Mistakes of the native client itself (`client/session/`). */
import type { Mutant } from "./mutant.ts";

const CONNECTION = "client/session/connection.ts";
const REQUESTS = "client/session/requests.ts";
const STREAMS = "client/session/streams.ts";

export const CLIENT_SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: "client-asks-no-write-again",
    mistake: "a write that was under way when its connection was lost is never asked again",
    edits: [
      {
        file: REQUESTS,
        find: "({ settled, request }) => !settled && !endsSession(request),",
        replace: '({ settled, request }) => !settled && request.kind !== "write",',
      },
    ],
  },
  {
    name: "client-denies-a-doubt",
    mistake: "a write that was under way is said not to be done",
    edits: [
      {
        file: REQUESTS,
        find: 'return sent && request.kind === "write" ? "unknown" : "no";',
        replace: 'return sent && request.kind === "write" ? "no" : "no";',
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
    plan: "subscribers",
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
    plan: "subscribers",
    mistake: "what was granted is granted again with the next portion",
    edits: [{ file: STREAMS, find: "  stream.credits += credits;\n", replace: "" }],
  },
  {
    name: "client-reopens-with-all-credits",
    plan: "subscribers",
    mistake:
      "what an earlier connection delivered and nobody has taken does not count on the present one",
    edits: [
      {
        file: STREAMS,
        find: "stream.credits = Math.max(0, window - mostOf(stream));",
        replace: "stream.credits = window;",
      },
    ],
  },
  {
    name: "client-waits-for-the-slowest-subscriber",
    plan: "subscribers",
    mistake: "a subscriber that does not take holds up all that share its stream",
    edits: [
      {
        file: STREAMS,
        find: "  if (isHeldUp(stream, window)) letGo(stream, window);\n  const credits",
        replace: "  const credits",
      },
    ],
  },
  {
    name: "client-grants-for-the-fastest",
    plan: "subscribers",
    mistake: "credits are granted for what the fastest subscriber has taken",
    edits: [
      {
        file: STREAMS,
        find: "most = Math.max(most, unconsumed);",
        replace: "most = Math.min(most, unconsumed);",
      },
    ],
  },
  {
    name: "client-loses-a-change-at-the-split",
    plan: "subscribers",
    mistake: "a subscriber that has left its stream goes on where the stream has come to meanwhile",
    edits: [
      {
        file: STREAMS,
        find: "const stands = stream.after === after && (isRested || !stream.answered);",
        replace: "const stands = isRested || (stream.after === after && !stream.answered);",
      },
    ],
  },
  {
    name: "client-repeats-a-change-at-the-split",
    plan: "subscribers",
    mistake: "a subscriber that has left its stream goes on from where it began to follow it",
    edits: [{ file: STREAMS, find: "    each.after = stream.after;\n", replace: "" }],
  },
  {
    name: "client-forgets-who-rests",
    plan: "subscribers",
    mistake: "a subscriber that has left its stream is not given another",
    edits: [
      {
        file: STREAMS,
        find: "else if (hasRested(subscription, streams.window)) goOn(turn, subscription, true);",
        replace: "",
      },
    ],
  },
  {
    name: "client-opens-another-with-all-credits",
    plan: "subscribers",
    mistake: "a stream of a subscriber's own begins with all credits, whatever it has to take yet",
    edits: [
      {
        file: STREAMS,
        find: "credits: streams.window - unconsumed,",
        replace: "credits: streams.window - unconsumed * 0,",
      },
    ],
  },
  {
    name: "client-joins-whoever-is-slow",
    plan: "subscribers",
    mistake: "a stream goes on with another whatever its subscribers have to take yet",
    edits: [
      {
        file: STREAMS,
        find: "if (most > window * SCARCE_SHARE || most + other.credits > window) continue;",
        replace: "",
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
