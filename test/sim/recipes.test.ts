/** The safety of recipes in short; `npm run sim:recipes` is the whole of it. */
import test from "ava";
import { runRecipes } from "./recipes/campaign.ts";
import { Figures } from "./recipes/part.ts";
import { runRights } from "./recipes/rights/campaign.ts";

const RIGHTS_SEEDS = 12;
const RECIPES_SEEDS = 4;

async function sums(run: (seed: number) => Promise<Figures>, seeds: number): Promise<Figures> {
  const all = new Figures();
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      const { counts } = await run(seed);
      for (const [name, count] of counts) all.add(name, count);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  return all;
}

test("clients that stand still, are cut off and die never hold a lock together, and nobody waits for ever", async (t) => {
  const { counts } = await sums(runRights, RIGHTS_SEEDS);
  t.true((counts.get("rights given") ?? 0) > RIGHTS_SEEDS * 5);
  for (const name of ["rights lost", "late writes refused"])
    t.true((counts.get(name) ?? 0) > 0, name);
});

test("queues, `once`, cron, rates, counters, configuration and discovery keep what they guarantee under faults", async (t) => {
  const { counts } = await sums(runRecipes, RECIPES_SEEDS);
  const happens = [
    ...["jobs taken", "jobs done", "dead letters", "late writes refused"],
    ...["runs of once", "results refused", "runs of cron", "tokens", "changes of the counter"],
    ...["values of the configuration", "lists of instances"],
  ];
  for (const name of happens) t.true((counts.get(name) ?? 0) > 0, name);
});
