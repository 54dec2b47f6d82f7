/** The simulator's own test, in short; `npm run sim:mutants` is the whole of it. */
import { readFileSync } from "node:fs";
import test from "ava";
import { MUTANTS } from "./mutants/all.ts";
import { ROOT } from "./mutants/hooks.ts";
import { mutate, type Mutant } from "./mutants/mutant.ts";
import { runMutant } from "./mutants/run.ts";

/** Each is caught by a check of its own; the last two where an actor fails on purpose, and by a story. */
const QUICK = [
  "quorum-off-by-one",
  "promise-granted-before-durable",
  "read-before-own-write",
  "native-opening-waits-for-ever",
  "elected-before-all-are-heard",
];
const QUICK_SEEDS_MAX = 20;

function problemOf(mutant: Mutant): string | undefined {
  try {
    for (const file of new Set(mutant.edits.map((edit) => edit.file))) {
      mutate(mutant, file, readFileSync(new URL(file, ROOT), "utf8"));
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("a mutant replaces its text, and is refused where the text is missing or there twice", (t) => {
  const edits = [{ file: "a.ts", find: "x + 1", replace: "x" }] as const;
  const mutant: Mutant = { name: "example", mistake: "no increment", edits };
  t.is(mutate(mutant, "a.ts", "return x + 1;"), "return x;");
  t.is(mutate(mutant, "b.ts", "return x + 1;"), "return x + 1;");
  t.throws(() => mutate(mutant, "a.ts", "return x;"), { message: /found 0 times/ });
  t.throws(() => mutate(mutant, "a.ts", "x + 1; x + 1;"), { message: /found 2 times/ });
});

test("every mutant still fits the sources", (t) => {
  t.deepEqual(
    MUTANTS.map(problemOf).filter((problem) => problem !== undefined),
    [],
  );
  t.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length, "names are unique");
  t.true(MUTANTS.length >= 20);
});

for (const name of QUICK) {
  test(`the simulator catches ${name} within ${QUICK_SEEDS_MAX} seeds`, async (t) => {
    const mutant = MUTANTS.find((each) => each.name === name);
    const { failing, story } = mutant ?? {};
    const fate = await runMutant(name, QUICK_SEEDS_MAX, undefined, { failing, story });
    t.is(fate.kind, "caught", JSON.stringify(fate));
  });
}
