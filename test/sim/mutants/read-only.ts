/** Mistakes of a node that serves reads without a leader. */
import type { Mutant } from "./mutant.ts";

const READ_ONLY = "actors/gateway/zookeeper/read-only.ts";
const HANDSHAKE = "actors/gateway/zookeeper/handshake.ts";

export const READ_ONLY_MUTANTS: readonly Mutant[] = [
  {
    name: "read-only-for-everybody",
    mistake: "without a leader a client is served that did not ask for it",
    edits: [
      {
        file: READ_ONLY,
        find: "return options.readOnlyMode && canBeReadOnly;",
        replace: "return options.readOnlyMode || canBeReadOnly;",
      },
    ],
  },
  {
    name: "read-only-behind-its-client",
    mistake: "a node without a leader serves a client that has seen more than the node has",
    edits: [
      { file: READ_ONLY, find: "if (wish.lastZxidSeen > state.zxid) {", replace: "if (false) {" },
    ],
  },
  {
    name: "read-only-not-told",
    mistake: "the answer to the handshake does not say that the node only reads",
    edits: [{ file: HANDSHAKE, find: ", timeoutMs, readOnly: true }", replace: ", timeoutMs }" }],
  },
  {
    name: "read-only-with-a-leader",
    mistake: "connections that only read go on when there is a leader",
    edits: [
      {
        file: READ_ONLY,
        find: "    close(turn, connection);\n    connections += 1;",
        replace: "    connections += 1;",
      },
    ],
  },
];
