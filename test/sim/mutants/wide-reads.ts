/** Mistakes in what is said of more than one znode, and to whom: counts, ephemerals, several reads at once, handshakes. */
import type { Mutant } from "./mutant.ts";

const ZNODES = "actors/tree/store/znodes.ts";
const SUBTREES = "actors/tree/store/subtrees.ts";

export const WIDE_READ_MUTANTS: readonly Mutant[] = [
  {
    name: "counts-below-the-parent-alone",
    mistake: "a znode that comes or goes is counted by its parent, and by nobody above",
    edits: [
      {
        file: SUBTREES,
        find: "above !== ROW_NONE; above = rows.word(above, this.#parent)) {",
        replace: "above !== ROW_NONE; above = ROW_NONE) {",
      },
    ],
  },
  {
    name: "child-stats-of-the-parent",
    mistake:
      "whoever asks for the Stats of several children is told the parent's for each that is there",
    edits: [
      {
        file: "actors/tree/child-stats.ts",
        find: "znodes.stat(child) } as const",
        replace: "znodes.stat(parent) } as const",
      },
    ],
  },
  {
    name: "changed-paths-without-the-first",
    mistake: "whoever asks where something has changed is not told of the zxid that is next",
    edits: [
      {
        file: "actors/tree/changed-paths.ts",
        find: "visitChanges(ring, after, (",
        replace: "visitChanges(ring, (after + 1) as Zxid, (",
      },
    ],
  },
  {
    name: "counts-below-with-what-was-deleted",
    mistake: "a znode that is deleted stays in the counts above it",
    edits: [
      {
        file: ZNODES,
        find: "    this.below.add(this.parent(id), by, bytes);",
        replace: "    if (by > 0) this.below.add(this.parent(id), by, bytes);",
      },
    ],
  },
  {
    name: "counts-below-without-what-came-back",
    mistake: "what a refused multi had deleted is not counted again",
    edits: [
      {
        file: ZNODES,
        find: "    this.#count(id, path, 1);\n  }\n\n  /** Forgets",
        replace:
          "    this.#count(id, path, 1);\n    this.below.add(parent, -1, 0);\n  }\n\n  /** Forgets",
      },
    ],
  },
  {
    name: "bytes-below-as-they-were-made",
    mistake: "data that is set does not change the bytes that are counted above it",
    edits: [
      {
        file: ZNODES,
        find: "    if (more !== 0) this.below.add(this.parent(id), 0, more);\n",
        replace: "",
      },
    ],
  },
  {
    name: "bytes-below-of-a-snapshot",
    mistake:
      "a znode whose children came before it in a snapshot is counted before its data is there",
    edits: [
      {
        file: ZNODES,
        find: "    if (awaited !== undefined) this.#arena.put(found, this.#rows.word(found, ADDRESS), data);\n",
        replace: "",
      },
      {
        file: ZNODES,
        find: "    this.setAcl(found, acl, from.aversion);",
        replace:
          "    this.setAcl(found, acl, from.aversion);\n    if (awaited !== undefined) this.#arena.put(found, this.#rows.word(found, ADDRESS), data);",
      },
    ],
  },
  {
    name: "members-of-a-multi-read-for-anybody",
    mistake: "the members of a multiRead are answered whoever asks",
    edits: [
      {
        file: "actors/tree/reads.ts",
        find: "multiRead(tree, read, (each) => answerRead(turn, asker, each));",
        replace:
          'multiRead(tree, read, (each) => answerRead(turn, { ...asker, who: { identities: [{ scheme: "super", id: "" }], address: undefined } }, each));',
      },
    ],
  },
  {
    name: "ephemerals-from-everywhere",
    mistake: "a client that asks for its ephemerals below a path is told all of them",
    edits: [
      {
        file: "actors/tree/wide-reads.ts",
        find: "if (!isAll && !path.startsWith(prefix)) continue;",
        replace: "if (!isAll && prefix === undefined) continue;",
      },
    ],
  },
  {
    name: "first-proof-shown-alone",
    mistake: "a client that has proved two identities is told of one",
    edits: [
      {
        file: "actors/gateway/shown-identities.ts",
        find: "return listed(who).map(",
        replace: "return listed(who).slice(0, 2).map(",
      },
    ],
  },
  {
    name: "session-taken-by-who-is-ahead",
    mistake:
      "a handshake of who has seen what no node has takes the session from its connection, and is refused then",
    edits: [
      {
        file: "actors/gateway/zookeeper/handshake.ts",
        find: "if (wish.lastZxidSeen > state.zxid) askForZxid(turn, connection, wish);",
        replace: "if (wish.lastZxidSeen < 0) askForZxid(turn, connection, wish);",
      },
    ],
  },
  {
    name: "identity-of-the-session-before",
    mistake: "a write has what the client of the operation before it has proved",
    edits: [
      {
        file: "actors/tree/apply/apply.ts",
        find: "const isSame = last.identities === identities && last.address === address;",
        replace: "const isSame = last.identities.length > 0;",
      },
    ],
  },
];
