/** Mistakes of the client's live copies (`client/streams/`), and of the streams of children that they follow. */
import type { Mutant } from "./mutant.ts";

const COPY = "client/streams/tree-copy.ts";
const TREE_STREAMS = "actors/tree/watch/streams.ts";

export const LIVE_COPY_MUTANTS: readonly Mutant[] = [
  {
    name: "copy-is-told-before-it-is-whole",
    plan: "subscribers",
    mistake: "a copy is told before the stream has come to the zxid of its latest read",
    edits: [
      {
        file: COPY,
        find: "draft.underWay > 0 || draft.position < draft.latest",
        replace: "draft.underWay > 0",
      },
    ],
  },
  {
    name: "copy-forgets-the-parent",
    plan: "subscribers",
    mistake: "a copied znode does not count its children",
    edits: [
      {
        file: COPY,
        find: "if (path !== options.root) tellParent(znodes, { kind, path, zxid });",
        replace: "",
      },
    ],
  },
  {
    name: "copy-has-only-what-was-listed",
    plan: "subscribers",
    mistake: "what is made while a copy is read is left out of it",
    edits: [
      {
        file: COPY,
        find: "for (const change of changes) draft.apply(change);",
        replace:
          'for (const change of changes) if (change.kind !== "created") draft.apply(change);',
      },
    ],
  },
  {
    name: "tree-ignores-a-gap",
    plan: "subscribers",
    mistake: "after a gap a tree goes on with the copy that it had",
    edits: [
      {
        file: "client/streams/tree.ts",
        find: "    this.#nodes = nodes;\n    this.#through = zxid;",
        replace: "    this.#nodes ??= nodes;\n    this.#through = zxid;",
      },
    ],
  },
  {
    name: "children-ignore-a-gap",
    plan: "subscribers",
    mistake: "after a gap the names of before are kept, too",
    edits: [
      {
        file: "client/streams/children.ts",
        find: "const named = new Set<string>();",
        replace: "const named = new Set<string>(this.#names.keys());",
      },
    ],
  },
  {
    name: "stream-of-children-without-children",
    plan: "subscribers",
    mistake: "a stream of children is not told of a child's change when it happens",
    edits: [
      {
        file: TREE_STREAMS,
        find: 'if (group.recursive === "children") give(group);',
        replace: "",
      },
    ],
  },
  {
    name: "stream-of-children-with-all-below",
    plan: "subscribers",
    mistake: "a stream of children that is opened behind is told of all that is below",
    edits: [
      {
        file: TREE_STREAMS,
        find: 'if (recursive === "children") return isChild(changed, path);',
        replace: "",
      },
    ],
  },
];
