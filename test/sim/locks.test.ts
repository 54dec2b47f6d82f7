/** Lock safety in short; `npm run sim:locks` is the whole of it. */
import test from "ava";
import { runCampaign } from "./locks/campaign.ts";

const SEEDS = 12;

test("clients that stand still, are cut off and die never hold a lock together, and nobody waits for ever", async (t) => {
  let [grants, losses, refusals] = [0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const result = await runCampaign(seed);
    grants += result.grants;
    losses += result.losses;
    refusals += result.refusals;
  }
  t.true(grants > SEEDS * 5, `${grants}`);
  t.true(losses > 0, "rights were lost");
  t.true(refusals > 0, "late writes were refused");
});
