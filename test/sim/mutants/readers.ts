/** Mistakes towards readers in a node's own process: gaps where their streams are closed and opened again. */
import type { Mutant } from "./mutant.ts";

const CHANGES = "actors/changes/changes.ts";
const LOAD = "actors/tree/snapshot/load.ts";

export const READER_MUTANTS: readonly Mutant[] = [
  {
    name: "reader-forgotten-by-the-tree",
    mistake: "a tree that loads a snapshot does not tell that the streams of readers are gone",
    edits: [
      {
        file: LOAD,
        find: 'if (hasStreams(tree.streams, "changes")) effects.push(',
        replace: 'if (tree.lastApplied < 0 && hasStreams(tree.streams, "changes")) effects.push(',
      },
    ],
  },
  {
    name: "reader-goes-on-later",
    mistake: "a reader's stream that was closed is opened again from the present",
    edits: [
      {
        file: CHANGES,
        find: "{ ...OWNER, stream, path, recursive, after, readsAll }",
        replace:
          "{ ...OWNER, stream, path, recursive, after: stream > 9 ? undefined : after, readsAll }",
      },
    ],
  },
  {
    name: "reader-given-twice",
    mistake: "a reader whose stream pauses is given again what already waits for it",
    edits: [
      {
        file: CHANGES,
        find: "    reader.after = through;\n",
        replace: "    if (reader.ready) reader.after = through;\n",
      },
    ],
  },
];
