/** Mistakes of locks and elections, and of what they count on: they are planted in the campaign of `test/sim/recipes/rights/`. */
import type { Mutant } from "./mutant.ts";

const CLAIM = "client/recipes/claim.ts";
const CONNECTION = "client/session/connection.ts";
const LAPSES = "client/lapses.ts";
const LINE = "client/recipes/line.ts";
const LOCK = "client/recipes/lock.ts";
const TRANSACTION = "client/transaction.ts";

const MUTANTS: readonly Omit<Mutant, "campaign">[] = [
  {
    name: "claim-signal-late",
    mistake: "the signal aborts when the session timeout is over, not before",
    edits: [
      {
        file: LAPSES,
        find: "const leftMs = this.validUntilMs - this.clock.nowMs();",
        replace: "const leftMs = this.validUntilMs + 4_000 - this.clock.nowMs();",
      },
    ],
  },
  {
    name: "claim-kept-in-silence",
    mistake: "only the end of the session ends a claim, however long the ensemble was not heard of",
    edits: [{ file: CLAIM, find: 'this.#lose("silence")', replace: "undefined" }],
  },
  {
    name: "claim-looks-when-its-timer-runs",
    mistake: "a process that stood still is given answers before it looks at the clock",
    edits: [
      {
        file: LAPSES,
        find: "for (const looked of this.#watches) looked();",
        replace: "",
      },
    ],
  },
  {
    name: "claim-valid-too-long",
    mistake: "the session counts as valid for much longer than its timeout",
    edits: [{ file: CONNECTION, find: "VALID_SHARE = 0.6;", replace: "VALID_SHARE = 1.5;" }],
  },
  {
    name: "claim-that-lapsed-stays",
    mistake: "the znode of a claim that lapsed stays when the session turns out to be alive",
    edits: [
      {
        file: CLAIM,
        find: "this.#deleted = deletedInTheEnd(this.#client, this.path);",
        replace:
          'this.#deleted = because === "silence" ? Promise.resolve() : deletedInTheEnd(this.#client, this.path);',
      },
    ],
  },
  {
    name: "claim-released-once",
    mistake: "a release that fails is not repeated",
    edits: [
      {
        file: CLAIM,
        find: "if (error instanceof NoNodeError || !mayBeAgain(error)) return;",
        replace: "if (error !== undefined) return;",
      },
    ],
  },
  {
    name: "transaction-without-fence",
    mistake: "conditions do not go into the transaction",
    edits: [
      {
        file: TRANSACTION,
        find: "const asked = this.#conditions.flatMap(",
        replace: "const asked = this.#conditions.slice(0, 0).flatMap(",
      },
    ],
  },
  {
    name: "line-watches-after-the-read",
    mistake: "who is waited for is watched from some time after the members were read",
    edits: [
      {
        file: LINE,
        find: "await wait.untilChange(wish,",
        replace:
          "await client.sync(line.path);\n    await wait.untilChange({ ...wish, after: undefined },",
      },
    ],
  },
  {
    name: "line-goes-on-without-a-look",
    mistake: "when the one before has gone it is taken for granted that nobody else is before",
    edits: [
      {
        file: LINE,
        find: 'await wait.untilChange(wish, ({ kind }) => kind === "deleted");',
        replace:
          'await wait.untilChange(wish, ({ kind }) => kind === "deleted");\n    return zxid;',
      },
    ],
  },
  {
    name: "line-in-the-order-of-names",
    mistake: "members are sorted by their names, which begin with what was drawn",
    edits: [
      {
        file: LINE,
        find: "(left.sequence - right.sequence) | 0",
        replace: "(left.name < right.name ? -1 : 1)",
      },
    ],
  },
  {
    name: "line-waits-for-the-one-before-the-last",
    mistake: "a member waits for the one before the one before it",
    edits: [{ file: LOCK, find: "members[index - 1]", replace: "members[index - 2]" }],
  },
  {
    name: "line-joins-twice",
    mistake: "a create whose outcome is unknown is made again, and what it made before stays",
    edits: [
      { file: LINE, find: "if (isInDoubt) {", replace: "if (isInDoubt && unique === '') {" },
      {
        file: LINE,
        find: "if (other !== own && other.includes(unique))",
        replace: "if (other !== own && unique === '')",
      },
    ],
  },
  {
    name: "line-left-behind",
    mistake: "who gives up waiting leaves its znode",
    edits: [{ file: LINE, find: "void goneFrom(client, line.path, unique);", replace: "" }],
  },
];

export const RIGHT_MUTANTS: readonly Mutant[] = MUTANTS.map((mutant) => ({
  ...mutant,
  campaign: "rights",
}));
