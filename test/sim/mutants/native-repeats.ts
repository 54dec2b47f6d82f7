/** Mistakes by which a write that is asked again is done twice, or told as what it was not. */
import type { Mutant } from "./mutant.ts";

const CLIENT = "client/session/requests.ts";
const GATEWAY = "actors/gateway/nats/requests.ts";
const OPENING = "actors/gateway/nats/connections.ts";
const STORE = "actors/tree/store/requests.ts";

export const NATIVE_REPEAT_MUTANTS: readonly Mutant[] = [
  {
    name: "repeats-in-another-order",
    plan: "repeats",
    mistake: "what was under way is asked again behind what waits",
    edits: [
      {
        file: CLIENT,
        find: "requests.waiting = [...again, ...requests.waiting];",
        replace: "requests.waiting = [...requests.waiting, ...again];",
      },
    ],
  },
  {
    name: "repeat-under-a-new-number",
    plan: "repeats",
    mistake: "the gateway takes what was done before for something new",
    edits: [
      {
        file: GATEWAY,
        find: "if (isNumbered(asked) && id <= connection.before.last) {",
        replace: "if (isNumbered(asked) && id < 0) {",
      },
      {
        file: STORE,
        find: "if (number <= requests.last) return Code.badArguments;",
        replace: "",
      },
    ],
  },
  {
    name: "repeat-known-too-late",
    plan: "repeats",
    mistake: "the last write that was done before the connection is taken for something new",
    edits: [
      {
        file: GATEWAY,
        find: "if (isNumbered(asked) && id <= connection.before.last) {",
        replace: "if (isNumbered(asked) && id < connection.before.last) {",
      },
    ],
  },
  {
    name: "kept-results-not-in-snapshots",
    plan: "repeats",
    mistake: "a snapshot has the numbers of a session and not the results that are kept for it",
    edits: [
      {
        file: "actors/tree/snapshot/cut.ts",
        find: "for (const each of kept) cut.kept.push({ ...each, session: id });",
        replace: "if (kept.length < 0) cut.kept.push({ ...(kept[0] as never), session: id });",
      },
    ],
  },
  {
    name: "numbers-not-in-snapshots",
    plan: "repeats",
    mistake: "a snapshot knows nothing of the numbers of a session's writes",
    edits: [
      {
        file: "actors/tree/snapshot/cut.ts",
        find: "if (requests === undefined) return;",
        replace: "if (requests === undefined || requests.last > 0) return;",
      },
    ],
  },
  {
    name: "kept-results-changed-in-a-cut",
    plan: "repeats",
    mistake: "a snapshot that is cut has the results that came later",
    edits: [
      {
        file: "actors/tree/apply/apply.ts",
        find: "saveSession(tree, session);\n  session.requests ??= newRequests();",
        replace: "session.requests ??= newRequests();",
      },
    ],
  },
  {
    name: "result-forgotten-a-number-early",
    plan: "repeats",
    mistake: "the result of the write is forgotten whose answer the client waits for first",
    edits: [
      {
        file: STORE,
        find: "first.number <= answered",
        replace: "first.number <= answered + 1",
      },
    ],
  },
  {
    name: "client-has-answers-that-it-waits-for",
    plan: "repeats",
    mistake: "the client says that it has the answer for which it waits first",
    edits: [
      {
        file: CLIENT,
        find: 'requests.saidAnswered = oldest - 1;\n  return [{ kind: "answered", number: oldest - 1 }];',
        replace:
          'requests.saidAnswered = oldest - 1;\n  return [{ kind: "answered", number: oldest }];',
      },
    ],
  },
  {
    name: "results-kept-of-own-lane-only",
    plan: "repeats",
    mistake: "the results of writes are kept where they were asked, and nowhere else",
    edits: [
      {
        file: "actors/tree/apply/apply.ts",
        find: ": applyNumbered(transaction, session, operation.request, operation.operation);",
        replace:
          ": wanted ? applyNumbered(transaction, session, operation.request, operation.operation) : applyClient(transaction, session, operation.operation, wanted);",
      },
    ],
  },
  {
    name: "repeat-answered-at-the-latest-zxid",
    plan: "repeats",
    mistake: "what was done before is answered with the zxid at which the gateway is now",
    edits: [
      {
        file: GATEWAY,
        find: "reply(turn, connection, id, known.zxid, resultOf(known.result));",
        replace: "reply(turn, connection, id, turn.state.zxid, resultOf(known.result));",
      },
    ],
  },
  {
    name: "what-was-passed-over-is-done-later",
    plan: "repeats",
    mistake: "a write that an earlier gateway has refused is done behind what came after it",
    edits: [
      {
        file: GATEWAY,
        find: "if (isNumbered(asked) && id <= connection.before.last) {",
        replace:
          "if (isNumbered(asked) && id <= connection.before.last && connection.before.kept.has(id)) {",
      },
      {
        file: STORE,
        find: "if (number <= requests.last) return Code.badArguments;",
        replace: "",
      },
    ],
  },
  {
    name: "known-results-of-another-session",
    plan: "repeats",
    mistake: "a connection knows nothing of what its session's writes came to before",
    edits: [
      {
        file: OPENING,
        find: "if (requests !== undefined) {",
        replace: "if (requests !== undefined && requests.last < 0) {",
      },
      {
        file: STORE,
        find: "if (number <= requests.last) return Code.badArguments;",
        replace: "",
      },
    ],
  },
  {
    name: "late-after-a-loss-is-not-done",
    mistake: "a write that was sent, and waits for the next connection, is said not to be done",
    edits: [
      {
        file: CLIENT,
        find: "    } else fail(pending, lateness(pending), inDoubt(pending), effects);",
        replace: '    } else fail(pending, lateness(pending), "no", effects);',
      },
    ],
  },
];
