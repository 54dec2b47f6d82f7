/** `npm run sim:recipes`: the safety of recipes over many seeds. */
import { parseArgs } from "node:util";
import { runRecipes } from "./campaign.ts";
import { runRights } from "./rights/campaign.ts";

const HELP = `npm run sim:recipes -- [options]

Runs the client's recipes over an ensemble in virtual time, with faults that the seed decides, and prints each seed that violates what
the recipes guarantee.

  --campaign NAME   rights: lock and election; recipes: queue, once, cron, rate limit, counter, configuration, discovery.
                    Default: both
  --seeds N         so many; default 100
  --from SEED       the first; default 1
  --help            this text

Exit code 1: a seed has found a violation.`;

const { values } = parseArgs({
  options: {
    campaign: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

const CAMPAIGNS = { rights: runRights, recipes: runRecipes } as const;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(option: "seeds" | "from"): number {
  const value = Number(values[option]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${option}: ${values[option]} is not a whole number above 0\n`);
  process.exit(2);
}

async function run(name: keyof typeof CAMPAIGNS): Promise<void> {
  const [from, seeds] = [wholeNumber("from"), wholeNumber("seeds")];
  const sums = new Map<string, number>();
  for (let seed = from; seed < from + seeds; seed += 1) {
    try {
      const { counts } = await CAMPAIGNS[name](seed);
      for (const [what, count] of counts) sums.set(what, (sums.get(what) ?? 0) + count);
    } catch (error) {
      say(`${name}, seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
    }
  }
  const figures = [...sums].map(([what, count]) => `${count} ${what}`).join(", ");
  say(`${name}: ${seeds} seeds: ${figures}`);
}

const { campaign } = values;
if (values.help) {
  say(HELP);
} else if (campaign === undefined) {
  await run("rights");
  await run("recipes");
} else if (campaign === "rights" || campaign === "recipes") {
  await run(campaign);
} else {
  process.stderr.write(`--campaign: there is no ${campaign}; --help names them\n`);
  process.exitCode = 2;
}
