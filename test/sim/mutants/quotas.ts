/** Mistakes in what writes do to quotas. */
import type { Mutant } from "./mutant.ts";

const ENFORCE = "actors/tree/quotas/enforce.ts";
const OPERATIONS = "actors/tree/apply/znode-operations.ts";

export const QUOTA_MUTANTS: readonly Mutant[] = [
  {
    name: "quotas-by-each-nodes-own-setting",
    mistake:
      "a node refuses what is beyond a quota if it is configured to, whatever the record says",
    edits: [
      {
        file: "actors/tree/apply/transaction.ts",
        find: "const quotasBefore = new Map<string, QuotaBefore>();",
        replace:
          "const quotasBefore = new Map<string, QuotaBefore>();\n  quotasEnforced = tree.options.server % 2 === 1;",
      },
    ],
  },
  {
    name: "multi-judged-by-its-own-counts",
    mistake: "an operation of a multi is judged by the counts that those before it have changed",
    edits: [
      {
        file: ENFORCE,
        find: "quotasBefore.get(under) ?? quotaNow(transaction.tree, under)",
        replace: "quotaNow(transaction.tree, under)",
      },
    ],
  },
  {
    name: "counts-of-a-refused-multi-stay",
    mistake: "the counts are not brought back when a multi is refused",
    edits: [{ file: ENFORCE, find: "if (undo !== undefined) {", replace: "if (undo === null) {" }],
  },
  {
    name: "quota-of-a-refused-multi-stays",
    mistake: "a path goes on having the quota that a refused multi has made",
    edits: [
      {
        file: ENFORCE,
        find: "tree.quotas.set(path, limits !== undefined);",
        replace: "if (limits !== undefined) tree.quotas.set(path, true);",
      },
    ],
  },
  {
    name: "quotas-not-found-in-a-snapshot",
    mistake: "a tree that was loaded knows none of its quotas",
    edits: [
      {
        file: "actors/tree/snapshot/load.ts",
        find: "quotasOf(znodes);",
        replace: "tree.quotas;",
      },
    ],
  },
  {
    name: "counts-of-a-snapshot-too-new",
    mistake: "counts that change while a snapshot is cut are not saved for it first",
    edits: [
      {
        file: ENFORCE,
        find: "saveZnode(tree, znode);\n  znodes.setData(znode, stats.encode());",
        replace: "znodes.setData(znode, stats.encode());",
      },
    ],
  },
  {
    name: "ephemerals-not-taken-off-a-quota",
    mistake: "what a session leaves behind stays in the counts when it ends",
    edits: [
      {
        file: OPERATIONS,
        find: "  if (counted) {",
        replace: "  if (counted && owner === SESSION_NONE) {",
      },
    ],
  },
  {
    name: "longer-data-counted-whole",
    mistake: "data that takes the place of other data is counted as if it came to it",
    edits: [
      {
        file: OPERATIONS,
        find: "bytes: (data?.length ?? 0) - znodes.dataLength(znode)",
        replace: "bytes: data?.length ?? 0",
      },
    ],
  },
];
