/** Mistakes of the client's live copies (`client/streams/`), and of the streams of children that they follow. */
import type { Mutant } from "./mutant.ts";

const COPY = "client/streams/tree-copy.ts";
const TREE_STREAMS = "actors/tree/watch/streams.ts";

export const LIVE_COPY_MUTANTS: readonly Mutant[] = [
  {
    name: "copy-applies-what-a-read-holds",
    plan: "subscribers",
    mistake: "a change that a later read holds already is applied to the copy again",
    edits: [
      {
        file: COPY,
        find: "if (readAt < this.#changedAt) this.#entries.set(",
        replace: "if (readAt < Infinity) this.#entries.set(",
      },
    ],
  },
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
    name: "copy-follows-from-what-the-client-has-seen",
    plan: "subscribers",
    mistake: "the stream of a copy begins at the latest zxid that its client has seen",
    edits: [
      { file: COPY, find: "recursive, after: zxid },", replace: "recursive, after: undefined }," },
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
    name: "value-ignores-a-gap",
    plan: "subscribers",
    mistake: "the value that there is after a gap is not given",
    edits: [
      {
        file: "client/streams/value.ts",
        find: "if (this.#setAt === (znode?.stat.mzxid ?? 0)) return;",
        replace: "if (this.#setAt !== undefined) return;",
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
  {
    name: "stream-of-children-shows-closed-data",
    mistake: "the data of a child is told to who may only list it",
    edits: [
      {
        file: TREE_STREAMS,
        find: "function giveName(group: Group, { data: _data, ...change }: Change): boolean {",
        replace: "function giveName(group: Group, change: Change): boolean {",
      },
    ],
  },
];
