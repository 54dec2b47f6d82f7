/** Mistakes in the store of znodes, which lies outside of the heap: numbers, places and lists that no longer fit. */
import type { Mutant } from "./mutant.ts";

const ARENA = "actors/tree/store/arena.ts";
const CUT = "actors/tree/snapshot/cut.ts";

export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: "dead-data-comes-back",
    mistake: "an entry whose data was replaced moves with its slab, and its znode has the old data",
    edits: [{ file: ARENA, find: "    slab.words[at] = NOBODY;\n", replace: "" }],
  },
  {
    name: "entry-shorter-than-its-place",
    mistake: "shorter data takes the place of longer data, and what lies behind it is not found",
    edits: [
      {
        file: ARENA,
        find: "if (bytes === entryBytes(name, inEntryOf(lengthBefore))) {",
        replace: "if (bytes <= entryBytes(name, inEntryOf(lengthBefore))) {",
      },
    ],
  },
  {
    name: "bucket-not-divided",
    mistake: "a division of a bucket leaves in it what belongs to the new one",
    edits: [
      {
        file: "actors/tree/store/name-table.ts",
        find: "this.#push(this.#bucketOf(this.#rows.word(row, this.#hashColumn)), row);",
        replace: "this.#push(divided, row);",
      },
    ],
  },
  {
    name: "last-child-not-updated",
    mistake: "the removal of the last child leaves it in the list of children",
    edits: [
      {
        file: "actors/tree/store/siblings.ts",
        find: "    else if (families.last(family) === child) families.setLast(family, previous);\n",
        replace: "",
      },
    ],
  },
  {
    name: "released-within-a-multi",
    mistake: "a multi gives away the number of what it deletes before it is known whether it stays",
    edits: [
      {
        file: "actors/tree/apply/znode-operations.ts",
        find: "if (transaction.undo === undefined) znodes.release(znode);\n  else noteUndo(",
        replace: "znodes.release(znode);\n  if (transaction.undo !== undefined) noteUndo(",
      },
      {
        file: "actors/tree/apply/transaction.ts",
        find: 'for (const step of undo) if (step.kind === "deleted") tree.znodes.release(step.znode);',
        replace: "",
      },
    ],
  },
  {
    name: "number-of-another-cut",
    mistake: "a snapshot holds a znode that has the number of one that was deleted during the cut",
    edits: [
      {
        file: CUT,
        find: "  if (!znodes.isPresent(znode) || isWritten(cut, znode)) return;\n",
        replace: "  if (!znodes.isPresent(znode)) return;\n",
      },
      {
        file: CUT,
        find: "  if (znodes.czxid(znode) <= cut.zxid) writeZnode(cut, znode);",
        replace:
          "  if (cut.znodesLeft > 0 && (!isWritten(cut, znode) || znodes.czxid(znode) > cut.zxid)) writeZnode(cut, znode);",
      },
    ],
  },
];
