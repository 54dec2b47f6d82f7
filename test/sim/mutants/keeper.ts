/** Mistakes in what ClickHouse Keeper's clients ask for. */
import type { Mutant } from "./mutant.ts";

const KEEPER = "actors/tree/apply/keeper-operations.ts";

export const KEEPER_MUTANTS: readonly Mutant[] = [
  {
    name: "removed-ephemeral-still-owned",
    mistake: "a session keeps the ephemerals that a removeRecursive has deleted",
    edits: [
      {
        file: KEEPER,
        find: "    removeZnode(transaction, znode, at);",
        replace: `    const owned = transaction.tree.sessions.get(znodes.ephemeralOwner(znode))?.ephemerals;
    removeZnode(transaction, znode, at);
    owned?.add(znode);`,
      },
    ],
  },
  {
    name: "remove-without-limit",
    mistake: "a removeRecursive deletes more than its client allows",
    edits: [
      {
        file: KEEPER,
        find: "  if (1 + znodes.below.count(top) > znodesMax) return Code.notEmpty;\n",
        replace: "",
      },
    ],
  },
  {
    name: "remove-limited-below-the-top",
    mistake: "the znode at the path of a removeRecursive does not count for its limit",
    edits: [
      {
        file: KEEPER,
        find: "if (1 + znodes.below.count(top) > znodesMax)",
        replace: "if (znodes.below.count(top) > znodesMax)",
      },
    ],
  },
  {
    name: "inner-znodes-fire-no-watch",
    mistake: "only the watches of the znode at the path of a removeRecursive fire",
    edits: [
      {
        file: "actors/tree/apply/keeper-operations.ts",
        find: "    removeZnode(transaction, znode, at);",
        replace: `    const { watches } = transaction.tree;
    const { count } = watches;
    if (znode !== top) watches.count = 0;
    removeZnode(transaction, znode, at);
    if (znode !== top) watches.count = count;`,
      },
    ],
  },
  {
    name: "removed-in-the-order-of-siblings",
    mistake: "a removeRecursive deletes siblings in an order that a snapshot may change",
    edits: [
      {
        file: KEEPER,
        find: "removed.sort((a, b) => (a.at < b.at ? 1 : -1));",
        replace: "removed.reverse();",
      },
    ],
  },
  {
    name: "create-if-not-exists-counts",
    mistake: "a createIfNotExists of a znode that is there counts as a change of its data",
    edits: [
      {
        file: KEEPER,
        find: "return znodes.find(path) ?? create(transaction, session, operation);",
        replace: `const there = znodes.find(path);
  if (there === undefined) return create(transaction, session, operation);
  znodes.setModified(there, znodes.mzxid(there), znodes.mtime(there), znodes.version(there) + 1);
  return there;`,
      },
    ],
  },
  {
    name: "try-remove-of-another-version",
    mistake: "a tryRemove does not look at the version",
    edits: [
      {
        file: KEEPER,
        find: "  if (version !== -1 && version !== znodes.version(znode)) return Code.ok;\n",
        replace: "",
      },
    ],
  },
  {
    name: "check-not-exists-of-any-version",
    mistake: "a checkNotExists refuses a znode of another version, too",
    edits: [
      {
        file: KEEPER,
        find: "return version === -1 || version === znodes.version(znode) ? Code.nodeExists : Code.ok;",
        replace: "return Code.nodeExists;",
      },
    ],
  },
  {
    name: "check-stat-of-the-first-fields",
    mistake: "a checkStat compares no field behind the version",
    edits: [
      {
        file: KEEPER,
        find: "STAT_FIELDS.every(",
        replace: "STAT_FIELDS.slice(0, 5).every(",
      },
    ],
  },
  {
    name: "logged-as-a-create",
    mistake: "a createIfNotExists is logged as a create",
    edits: [
      {
        file: "protocol/batch.ts",
        find: "if (operation.unlessExists === true) return [CREATE_IF_NOT_EXISTS, ...fields];",
        replace: "",
      },
    ],
  },
];
