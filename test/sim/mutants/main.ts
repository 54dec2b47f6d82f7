/** `npm run sim:mutants`: the simulator's own test. Every planted mistake is to be caught, and the sources as they are to pass. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type DirectedName, isDirected } from "../directed.ts";
import { isSurvivor } from "../failures/survivors.ts";
import { MUTANTS } from "./all.ts";
import { runSeeds, type Setting } from "./child.ts";
import { type Campaign, isCampaign, type Mutant } from "./mutant.ts";
import { type Fate, runMutant } from "./run.ts";

const HELP = `npm run sim:mutants -- [options]

Plants one mistake at a time in the sources as they are loaded, and simulates seeds from 1 on until an
invariant is violated. At the end the sources as they are go through the same seeds.

  --only NAME[,NAME…]   these mutants only
  --seeds N             give a mutant up after so many seeds; default 2000
  --plan NAME           every seed with a plan of this purpose (npm run sim -- --help names them)
  --jobs J              processes at a time; default: the number of processors
  --list                names the mutants and their mistakes, runs nothing
  --help                this text

Exit code 1: a mutant survived or no longer fits the sources, or the sources as they are failed a seed.`;

const PROGRESS_EVERY_MS = 10_000;

type Outcome = { readonly mutant: Mutant; readonly fate: Fate; readonly seconds: number };

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "2000" },
    plan: { type: "string" },
    jobs: { type: "string", default: String(availableParallelism()) },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    child: { type: "boolean", default: false },
    failing: { type: "string" },
    story: { type: "string" },
    campaign: { type: "string" },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  complain(`--${option}: ${text} is not a whole number above 0`);
  process.exit(2);
}

function chosen(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return MUTANTS;
  return only.split(",").map((name) => {
    const mutant = MUTANTS.find((each) => each.name === name);
    if (mutant !== undefined) return mutant;
    complain(`--only: there is no mutant ${name}; --list names them`);
    process.exit(2);
  });
}

function plan(): DirectedName | undefined {
  const { plan: name } = values;
  if (name === undefined || isDirected(name)) return name;
  complain(`--plan: there is no ${name}`);
  process.exit(2);
}

function campaign(): Campaign | undefined {
  const { campaign: name } = values;
  if (name === undefined || isCampaign(name)) return name;
  complain(`--campaign: there is no ${name}`);
  process.exit(2);
}

async function runAll(mutants: readonly Mutant[], seeds: number, jobs: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...mutants];
  const running = new Map<string, number>();
  const progress = setInterval(() => {
    const where = [...running].map(([name, seed]) => `${name} at seed ${seed}`);
    say(`  … ${outcomes.length} of ${mutants.length} done; ${where.join(", ")}`);
  }, PROGRESS_EVERY_MS);
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const startedMs = performance.now();
      const { name } = mutant;
      running.set(name, 1);
      const onPassed = (seed: number): void => void running.set(name, seed + 1);
      const fate = await runMutant(name, seeds, onPassed, settingOf(mutant));
      running.delete(name);
      const outcome = { mutant, fate, seconds: (performance.now() - startedMs) / 1000 };
      outcomes.push(outcome);
      say(`[${outcomes.length}/${mutants.length}] ${lineOf(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  clearInterval(progress);
  return outcomes;
}

function lineOf({ mutant, fate, seconds }: Outcome): string {
  const took = `${seconds.toFixed(1)} s`;
  switch (fate.kind) {
    case "caught":
      return `✓ ${mutant.name}: seed ${fate.seed}, ${took}: ${shortened(fate.violation)}`;
    case "survived":
      return `✗ ${mutant.name}: SURVIVED ${fate.seeds} seeds, ${took}: ${mutant.mistake}`;
    case "broken":
      return `✗ ${mutant.name}: BROKEN: ${fate.error}`;
  }
}

function shortened(violation: string): string {
  const line = violation.split("\n")[0] ?? "";
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

function settingOf({ plan: own, failing, story, campaign }: Mutant): Setting {
  return { plan: plan() ?? own, failing, story, campaign };
}

/** The sources as they are, over every seed that caught a mutant, with the plans, every actor's failures and the stories that did. */
async function control(outcomes: readonly Outcome[]): Promise<boolean> {
  const settings = new Map<string, Setting & { seeds: number }>();
  for (const { mutant, fate } of outcomes) {
    const setting = settingOf(mutant);
    const key = `${setting.plan} ${setting.failing} ${setting.story} ${setting.campaign}`;
    const seeds = Math.max(settings.get(key)?.seeds ?? 1, fate.kind === "caught" ? fate.seed : 1);
    settings.set(key, { ...setting, seeds });
  }
  let passed = true;
  for (const { seeds, ...setting } of settings.values()) {
    const fate = await runMutant(undefined, seeds, undefined, setting);
    const parts = [
      setting.plan === undefined ? "" : ` with the plan ${setting.plan}`,
      setting.failing === undefined ? "" : ` with failures of ${setting.failing}`,
      setting.story === undefined ? "" : ` with the story ${setting.story}`,
      setting.campaign === undefined ? "" : ` in the campaign of ${setting.campaign}`,
    ];
    const what = parts.join("");
    if (fate.kind === "survived") {
      say(`✓ control: the sources as they are pass seeds 1 to ${seeds}${what}`);
      continue;
    }
    const why = fate.kind === "caught" ? `seed ${fate.seed}: ${fate.violation}` : fate.error;
    say(`✗ control: the sources as they are fail${what}: ${why}`);
    passed = false;
  }
  return passed;
}

async function main(): Promise<number> {
  const seeds = wholeNumber("seeds", values.seeds);
  const mutants = chosen(values.only);
  const outcomes = await runAll(mutants, seeds, wholeNumber("jobs", values.jobs));
  const controlPassed = await control(outcomes);
  const caught = outcomes.filter(({ fate }) => fate.kind === "caught");
  const most = Math.max(0, ...caught.map(({ fate }) => (fate.kind === "caught" ? fate.seed : 0)));
  say(`${caught.length} of ${mutants.length} mutants caught, each within ${most} seeds`);
  return caught.length === mutants.length && controlPassed ? 0 : 1;
}

if (values.help) {
  say(HELP);
} else if (values.list) {
  for (const { name, mistake } of MUTANTS) say(`${name}: ${mistake}`);
} else if (values.child) {
  const mutant = values.only === undefined ? undefined : chosen(values.only)[0];
  const failing = isSurvivor(values.failing) ? values.failing : undefined;
  const { story } = values;
  const setting: Setting = { plan: plan(), failing, story, campaign: campaign() };
  await runSeeds(mutant, wholeNumber("seeds", values.seeds), setting);
} else {
  process.exitCode = await main();
}
