/** Mistakes in what ClickHouse Keeper's clients ask for. */
import type { Mutant } from "./mutant.ts";

const KEEPER = "actors/tree/apply/keeper-operations.ts";
const MODEL = "test/sim/checks/keeper.ts";

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
    name: "walk-ends-at-the-first-guarded",
    mistake:
      "how much a refused removeRecursive has looked at depends on where the guarded znode stands",
    edits: [
      {
        file: KEEPER,
        find: "isGuarded ||= !allows(transaction, znode, Permission.delete);",
        replace: "if (!allows(transaction, znode, Permission.delete)) return Code.noAuth;",
      },
    ],
  },
  {
    name: "walk-ends-where-there-are-too-many",
    mistake:
      "how much a removeRecursive of too much has looked at depends on where the many znodes stand",
    edits: [
      {
        file: KEEPER,
        find: "  if (1 + znodes.below.count(top) > znodesMax) return Code.notEmpty;\n",
        replace: "",
      },
      {
        file: KEEPER,
        find: "    isGuarded ||=",
        replace: `    if (found.length + znodes.numChildren(znode) > znodesMax) return Code.notEmpty;
    isGuarded ||=`,
      },
    ],
  },
  {
    name: "walk-ends-early-in-the-model-too",
    mistake:
      "the order in which siblings came decides how much is looked at: only who has loaded a snapshot differs",
    plan: "removals",
    edits: [
      {
        file: KEEPER,
        find: "isGuarded ||= !allows(transaction, znode, Permission.delete);",
        replace: "if (!allows(transaction, znode, Permission.delete)) return Code.noAuth;",
      },
      {
        file: MODEL,
        find: "  const refusal = view.removals.refusal(all, znodesMax);\n",
        replace: `  const guarded = all.findIndex((path) => {
    try {
      view.mustBeAllowed(path, DELETE);
      return false;
    } catch {
      return true;
    }
  });
  const refusal = view.removals.refusal(all, znodesMax, guarded < 0 ? all.length : guarded + 1);
`,
      },
      {
        file: MODEL,
        find: "  refusal(paths: readonly string[], askedMax: number)",
        replace: "  refusal(paths: readonly string[], askedMax: number, count: number)",
      },
      {
        file: MODEL,
        find: "for (const path of paths) this.#cost",
        replace: "for (const path of paths.slice(0, count)) this.#cost",
      },
    ],
  },
  {
    name: "removals-are-not-added-up",
    mistake: "each removeRecursive may look at as much as all of its record",
    edits: [
      {
        file: KEEPER,
        find: "  transaction.looked += 1;\n",
        replace: "  transaction.looked = 1;\n",
      },
    ],
  },
  {
    name: "looks-are-undone-with-their-multi",
    mistake: "what a multi has looked at does not count for its record where the multi is refused",
    edits: [
      {
        file: "actors/tree/apply/transaction.ts",
        find: "  for (const step of undo.reverse()) undoStep(",
        replace: "  transaction.looked = 0;\n  for (const step of undo.reverse()) undoStep(",
      },
    ],
  },
  {
    name: "refused-walk-costs-nothing",
    mistake: "a removeRecursive of more than its client allows counts for nothing in its record",
    edits: [
      {
        file: KEEPER,
        find: `  transaction.looked += 1;
  if (1 + znodes.below.count(top) > znodesMax) return Code.notEmpty;`,
        replace: `  if (1 + znodes.below.count(top) > znodesMax) return Code.notEmpty;
  transaction.looked += 1;`,
      },
    ],
  },
  {
    name: "paths-cost-nothing",
    mistake: "a znode with a long path counts as any other for what a record may look at",
    edits: [
      {
        file: KEEPER,
        find: "transaction.looked += 1 + pathUnits;",
        replace: "transaction.looked += 1 + Math.min(0, pathUnits);",
      },
    ],
  },
  {
    name: "remove-below-the-limit",
    mistake: "a removeRecursive of exactly as many znodes as one may delete is refused",
    edits: [
      {
        file: KEEPER,
        find: "if (1 + znodes.below.count(top) > znodesMax)",
        replace: "if (1 + znodes.below.count(top) >= znodesMax)",
      },
    ],
  },
  {
    name: "record-below-its-limit",
    mistake: "a removeRecursive that looks at exactly what is left for its record is refused",
    edits: [
      {
        file: KEEPER,
        find: "    if (transaction.looked > recordMax)",
        replace: "    if (transaction.looked >= recordMax)",
      },
    ],
  },
  {
    name: "remove-without-the-limit-of-all",
    mistake: "a removeRecursive deletes as much as its client allows",
    edits: [
      {
        file: KEEPER,
        find: "Math.min(askedMax, options.removals.znodesMax)",
        replace: "askedMax",
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
        find: "return unlessExists ? [CREATE_IF_NOT_EXISTS, ...fields] : [CREATE, ...fields];",
        replace: "return [CREATE, ...fields];",
      },
    ],
  },
];
