/** Mistakes in the tree: what a committed operation does, on one node or on all alike. */
import type { Mutant } from "./mutant.ts";

const APPLY = "actors/tree/apply/apply.ts";
const READS = "actors/tree/reads.ts";

export const STATE_MACHINE_MUTANTS: readonly Mutant[] = [
  {
    name: "ephemeral-left-behind",
    mistake: "the end of a session leaves one of its ephemerals",
    edits: [
      {
        file: APPLY,
        find: "of ephemerals.sort((a, b) => (a.path < b.path ? -1 : 1))",
        replace: "of ephemerals.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(1)",
      },
    ],
  },
  {
    name: "sequence-from-number-of-children",
    mistake: "the suffix of a sequential node is the number of its siblings",
    edits: [
      {
        file: "actors/tree/apply/znode-operations.ts",
        find: "sequenceSuffix(creates)",
        replace: "sequenceSuffix(znodes.numChildren(parent))",
      },
    ],
  },
  {
    name: "multi-not-rolled-back",
    mistake: "what a multi did before its refused operation stays",
    edits: [
      {
        file: "actors/tree/apply/transaction.ts",
        find: "for (const step of undo.reverse()) undoStep(transaction.tree, step);",
        replace: "undo.length = 0;",
      },
    ],
  },
  {
    name: "multi-rolled-back-where-awaited",
    mistake: "a refused multi is undone only on the node whose client waits for it",
    edits: [
      {
        file: "actors/tree/apply/multi.ts",
        find: "abandonMulti(transaction);\n",
        replace: "if (wanted) abandonMulti(transaction);\n else finishMulti(transaction);\n",
      },
    ],
  },
  {
    name: "version-not-checked",
    mistake: "setData does not look at the version it was given",
    edits: [
      {
        file: "actors/tree/apply/znode-operations.ts",
        find: `if (version !== -1 && version !== before) return Code.badVersion;
  if (transaction.undo`,
        replace: "if (transaction.undo",
      },
    ],
  },
  {
    name: "moved-session-writes",
    mistake: "a write that came through the session's old gateway is applied",
    edits: [
      {
        file: APPLY,
        find: "if (session.attachedAt !== operation.attachedAt)",
        replace: "if (false)",
      },
    ],
  },
  {
    name: "expired-by-an-old-deadline",
    mistake: "a session ends although it was attached again after the leader gave it up",
    edits: [
      {
        file: APPLY,
        find: "session.attachedAt <= operation.attachedAt",
        replace: "true",
      },
    ],
  },
  {
    name: "watch-set-after-the-read",
    mistake: "a watch is set a record later than what it was read with",
    edits: [
      {
        file: READS,
        find: `      if (read.watch) addWatch(watches, "data", path, watcherOf(watches, from, client));
      return { kind: "data"`,
        replace: `      if (read.watch) {
        tree.late = [...(tree.late ?? []), () => addWatch(watches, "data", path, watcherOf(watches, from, client))];
      }
      return { kind: "data"`,
      },
      {
        file: APPLY,
        find: "tree.lastApplied = header.lastZxid;",
        replace: `tree.lastApplied = header.lastZxid;
          for (const late of tree.late ?? []) late();
          tree.late = [];`,
      },
    ],
  },
  {
    name: "watch-fired-twice",
    mistake: "a one-shot watch stays after it has fired",
    edits: [
      {
        file: "actors/tree/watch/watches.ts",
        find: `  watches[table].delete(path);
  watches.count -= watchers.size;`,
        replace: "",
      },
    ],
  },
  {
    name: "children-watch-not-fired",
    mistake: "the deletion of a child is not told to who watches the children",
    edits: [
      {
        file: "actors/tree/watch/watches.ts",
        find: `  fire(watches, "child", deleted, notified);
  fire(watches, "child", childrenEvent(path, zxid, parentAcl));`,
        replace: `  fire(watches, "child", deleted, notified);`,
      },
    ],
  },
  {
    name: "watch-of-a-refused-multi",
    mistake: "a multi tells of its changes before it is known whether they stay",
    edits: [
      {
        file: "actors/tree/apply/transaction.ts",
        find: "if (transaction.undo === undefined) makeVisible(transaction, change);",
        replace: "makeVisible(transaction, change); if (transaction.undo === undefined) return;",
      },
      {
        file: "actors/tree/apply/transaction.ts",
        find: "for (const change of transaction.invisible) makeVisible(transaction, change);",
        replace: "",
      },
    ],
  },
  {
    name: "change-missed-while-away",
    mistake:
      "watches set anew on another connection do not tell what changed since the client's last zxid",
    edits: [
      {
        file: READS,
        find: "else if (znodes.mzxid(znode) > read.relativeZxid)",
        replace: "else if (false)",
      },
    ],
  },
];
