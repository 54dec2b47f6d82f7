/** Mistakes towards native clients: change streams, the order of their requests, their sessions. */
import type { Mutant } from "./mutant.ts";

const STREAMS = "actors/tree/watch/streams.ts";
const GATEWAY = "actors/gateway/nats/gateway.ts";
const QUEUE = "actors/gateway/request-queue.ts";

export const NATIVE_MUTANTS: readonly Mutant[] = [
  {
    name: "gap-at-the-opening",
    mistake: "a stream that asks for changes that are gone is fed from the oldest there are",
    edits: [{ file: STREAMS, find: "if (after < ring.oldest) {", replace: "if (false) {" }],
  },
  {
    name: "compacted-without-need",
    mistake: "a stream is told that changes are gone although the next is there",
    edits: [
      {
        file: STREAMS,
        find: "if (after < ring.oldest) {",
        replace: "if (after <= ring.oldest && ring.oldest > 0) {",
      },
    ],
  },
  {
    name: "gap-while-open",
    mistake: "a stream is not told that the ring lost changes before they were handed out",
    edits: [
      {
        file: STREAMS,
        find: "if (since < ring.oldest) compactAll(turn);",
        replace: "",
      },
    ],
  },
  {
    name: "multi-told-in-parts",
    mistake: "a message of changes may end within a zxid",
    edits: [
      { file: STREAMS, find: "MESSAGE_CHANGES_MIN = 1024", replace: "MESSAGE_CHANGES_MIN = 1" },
      { file: STREAMS, find: " && last.zxid !== change.zxid) {", replace: ") {" },
    ],
  },
  {
    name: "changes-without-places",
    mistake: "changes of one zxid do not say which came first",
    edits: [
      {
        file: "actors/tree/store/change-ring.ts",
        find: "index = zxid === zxidBefore ? index + 1 : 0;",
        replace: "index = 0;",
      },
    ],
  },
  {
    name: "shared-by-path-alone",
    mistake: "a stream of one znode shares the changes of a stream of all below it",
    edits: [
      {
        file: STREAMS,
        find: "if (other.recursive !== recursive || other.readers.key !== readers.key || !isThere) continue;",
        replace: "if (!isThere) continue;",
      },
    ],
  },
  {
    name: "ahead-shares-the-present",
    mistake: "a stream that is ahead of the replica shares the changes of those that are not",
    edits: [
      {
        file: STREAMS,
        find: "isAhead ? other.position === position : other.position <= applied;",
        replace: "other.position <= applied;",
      },
      {
        file: STREAMS,
        find: "const isAhead = position > applied;",
        replace: "const isAhead = false;",
      },
    ],
  },
  {
    name: "ahead-shares-too-early",
    mistake: "a stream that is ahead shares with the others one change before they are there",
    edits: [
      {
        file: STREAMS,
        find: "if (group.position > applied) continue;",
        replace: "if (group.position > applied + 1) continue;",
      },
    ],
  },
  {
    name: "shared-without-what-was-missed",
    mistake: "a stream that is opened where others share goes on with them at once",
    edits: [
      {
        file: STREAMS,
        find: "if (after < applied) {",
        replace: "if (after < applied && !streams.byPath.has(path)) {",
      },
    ],
  },
  {
    name: "shared-list-keeps-the-flush",
    mistake:
      "who leaves a shared list for the end of the turn does not ask for that end, nor does anybody after it",
    edits: [
      {
        file: "actors/gateway/nats/portions.ts",
        find: "  askForEndOfTurn(turn);\n  cut.set(",
        replace: "  cut.set(",
      },
    ],
  },
  {
    name: "first-list-for-all",
    mistake: "each portion that waited is sent with the list that was encoded for the first",
    edits: [
      {
        file: "actors/gateway/nats/streams.ts",
        find: "const list = encodedPortion(turn, portion);",
        replace: "const list = encodedPortion(turn, stream.pending[0] ?? portion);",
      },
    ],
  },
  {
    name: "changes-of-32-bits",
    mistake: "the encoder of changes writes each integer with 32 bits",
    edits: [
      {
        file: "protocol/cbor-writer.ts",
        find: "if (value >>> 0 === value) this.#head",
        replace: "if (value >= 0) this.#head",
      },
    ],
  },
  {
    name: "credits-ignored",
    mistake: "a change stream is sent whatever there is",
    edits: [
      {
        file: "actors/gateway/nats/streams.ts",
        find: "if (!isLast && (stream.credits <= 0 || outputBytesLeft(turn.state, connection) <= 0)) break;",
        replace: "",
      },
    ],
  },
  {
    name: "credits-lost",
    mistake: "what waits for credits stays when they come",
    edits: [
      {
        file: "actors/gateway/nats/streams.ts",
        find: "  stream.credits += item.credits;\n  goOn(turn, connection, stream);",
        replace: "  stream.credits += item.credits;",
      },
    ],
  },
  {
    name: "lost-frame-unnoticed",
    mistake: "a gateway takes a native client's frame although the one before was lost",
    edits: [
      {
        file: GATEWAY,
        find: 'if (frame.sequence !== connection.received + 1) return end(turn, connection, "gap");',
        replace: "",
      },
    ],
  },
  {
    name: "native-read-before-own-write",
    mistake: "a native client's read does not wait for its own writes",
    edits: [
      {
        file: QUEUE,
        find: "} else if (this.#writesOut > 0 || this.#travelling > 0) {",
        replace: `} else if (
      this.#travelling > 0 ||
      (this.#writesOut > 0 && "xid" in this.#entries[this.#nextDispatch].request)
    ) {`,
      },
    ],
  },
  {
    name: "native-answers-without-the-leader",
    mistake: "a node cut off from the leader goes on answering native clients",
    edits: [
      {
        file: "actors/gateway/nats/output.ts",
        find: "if (nowMs > answerUntilMs(connection.leaderHeardMs, timeoutMsOf(phase))) {",
        replace: "if (false) {",
      },
    ],
  },
];
