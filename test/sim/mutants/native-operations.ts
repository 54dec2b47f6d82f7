/** Mistakes in what native clients ask for, how long it may take, and what becomes of it when they no longer want it. */
import type { Mutant } from "./mutant.ts";

const WRITES = "protocol/native-writes.ts";
const GATEWAY = "actors/gateway/nats/requests.ts";
const REQUESTS = "client/session/requests.ts";

export const NATIVE_OPERATION_MUTANTS: readonly Mutant[] = [
  {
    name: "native-list-lost",
    mistake: "a native create is stored with the open list, whatever list it has",
    edits: [
      {
        file: WRITES,
        find: "if (!isOpen(acl)) {",
        replace: "if (!isOpen(acl) && flags < 0) {",
      },
    ],
  },
  {
    name: "native-list-as-asked",
    mistake: "`auth` in the list of a native write stands for nobody",
    edits: [
      {
        file: GATEWAY,
        find: "return operation === asked.operation",
        replace: "return operation.kind !== undefined",
      },
    ],
  },
  {
    name: "native-multi-half-told",
    mistake: "a native multi that failed is told as one that was done",
    edits: [
      {
        file: GATEWAY,
        find: 'return { kind: "multi", failed, results: results.map(memberResult) };',
        replace:
          'return { kind: "multi", failed: failed && results.length > 3, results: results.map(memberResult) };',
      },
    ],
  },
  {
    name: "container-made-unless-exists-is-plain",
    mistake: "a container that is made unless it exists has no lifetime in the log",
    edits: [
      {
        file: "protocol/batch.ts",
        find: "return [unlessExists ? CREATE_CONTAINER_IF_NOT_EXISTS : CREATE_CONTAINER, ...fields];",
        replace: "return [unlessExists ? CREATE_IF_NOT_EXISTS : CREATE_CONTAINER, ...fields];",
      },
    ],
  },
  {
    name: "client-cancels-what-was-sent-for-certain",
    mistake: "a write that was sent and cancelled is said not to be done",
    edits: [
      {
        file: REQUESTS,
        find: "if (!sent.settled) fail(sent, failure, inDoubt(sent), effects);",
        replace: 'if (!sent.settled) fail(sent, failure, "no", effects);',
      },
    ],
  },
  {
    name: "client-asks-what-was-cancelled",
    mistake: "a request that was cancelled is asked again on the next connection",
    edits: [
      {
        file: REQUESTS,
        find: "({ settled, request }) => !settled && !endsSession(request),",
        replace: "({ request }) => !endsSession(request),",
      },
    ],
  },
  {
    name: "client-waits-for-the-slowest",
    mistake: "a request is looked at for lateness only when the one before it is late",
    edits: [
      {
        file: REQUESTS,
        find: "requests.lateFromMs = Math.min(requests.lateFromMs, deadlineMs);",
        replace: "if (requests.lateFromMs === Infinity) requests.lateFromMs = deadlineMs;",
      },
    ],
  },
];
