/** `npm run sim:locks -- --seeds N [--from SEED]`: lock safety over many seeds. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
  },
});
const [from, seeds] = [Number(values.from), Number(values.seeds)];
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const sum = { grants: 0, losses: 0, refusals: 0 };
for (let seed = from; seed < from + seeds; seed += 1) {
  try {
    const { grants, losses, refusals } = await runCampaign(seed);
    sum.grants += grants;
    sum.losses += losses;
    sum.refusals += refusals;
  } catch (error) {
    say(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
say(
  `${seeds} seeds: ${sum.grants} rights given, ${sum.losses} lost, ${sum.refusals} late writes refused`,
);
