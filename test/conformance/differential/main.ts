/** `npm run differential`: compares zooid with Apache ZooKeeper, program by program. */
import { parseArgs } from "node:util";
import { Campaign, type Totals } from "./campaign.ts";
import { describe } from "./compare.ts";
import { COMPLETE_PROGRAMS } from "./coverage.ts";
import { type Place, placeOf, PLACES } from "./places.ts";
import { startServers } from "./targets.ts";

const AT_ONCE = 16;

const HELP = `npm run differential -- [options]

Runs programs of random operations on Apache ZooKeeper and on zooid and compares all that their clients receive, byte for byte.

  --programs N        how many; default 200
  --from SEED         the seed of the first; default 1. The others follow it
  --seed SEED         this program alone
  --on A,B            where: ${PLACES.join(", ")}; default: both, one program in four on ensembles. A seed alone is run where it is
                      run in all campaigns on both
  --at-once N         how many programs run at a time; default ${AT_ONCE}
  --differences N     begins no further program after so many that differ; default 20
  --keep-going        runs all programs, however many differ
  --whole             shows programs as they are, not made smaller
  --itself            compares ZooKeeper with ZooKeeper, which says the same each time if programs are right
  --help              this text

Tells at the end what was asked and how often ZooKeeper answered what: with ${COMPLETE_PROGRAMS} programs or more on both, each operation and
each outcome of it has to be among them. The last line is the verdict.

Exit code 1: a program differs, and is printed with its seed; or an outcome never came.`;

const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    programs: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    on: { type: "string", default: PLACES.join(",") },
    "at-once": { type: "string", default: String(AT_ONCE) },
    differences: { type: "string", default: "20" },
    "keep-going": { type: "boolean", default: false },
    itself: { type: "boolean", default: false },
    whole: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function usage(problem: string): never {
  process.stderr.write(`${problem}; npm run differential -- --help\n`);
  process.exit(2);
}

function countOf(option: "programs" | "from" | "seed" | "at-once" | "differences"): number {
  const count = Number(values[option]);
  return Number.isSafeInteger(count) && count > 0 ? count : usage(`--${option}: not above 0`);
}

/** Those of the option, in the order in which programs are dealt out. */
function placesOf(): readonly Place[] {
  const names = values.on.split(",");
  const unknown = names.find((name) => !PLACES.some((place) => place === name));
  if (unknown !== undefined) usage(`--on ${unknown}: no such place`);
  return PLACES.filter((place) => names.includes(place));
}

async function main(): Promise<void> {
  if (values.help) return say(HELP);
  const isOne = values.seed !== undefined;
  const first = countOf(isOne ? "seed" : "from");
  const asked = placesOf();
  const options = {
    first,
    programs: isOne ? 1 : countOf("programs"),
    atOnce: countOf("at-once"),
    differencesMax: values["keep-going"] ? Infinity : countOf("differences"),
    shrinks: !values.whole,
  };
  const places = isOne ? [placeOf(first, asked)] : asked;
  const servers = await startServers(places, values.itself);
  const campaign = new Campaign(servers, {
    ...options,
    found: ({ seed, place, program, difference }) => {
      say(`seed ${seed} differs on ${place}:\n${describe(program, difference)}\n`);
    },
  });
  const { totals } = campaign;
  const startedMs = performance.now();
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const done = `${totals.programs} of ${options.programs} programs`;
    say(`… ${seconds} s: ${done}, ${totals.differences} differ so far`);
  }, PROGRESS_EVERY_MS);
  try {
    await campaign.run();
  } finally {
    clearInterval(progress);
    await servers.stop();
  }
  for (const line of totals.coverage.table()) say(line);
  for (const [name, count] of totals.intended) say(`intended: ${name}, ${count} times`);
  const isWhole = totals.programs >= COMPLETE_PROGRAMS && asked.length === PLACES.length;
  const missing = isWhole ? totals.coverage.missing() : [];
  for (const each of missing) say(`never came: ${each}`);
  say(verdict(totals, missing.length));
  const isClean = totals.differences === 0 && missing.length === 0 && totals.programs > 0;
  process.exitCode = isClean ? 0 : 1;
}

function verdict({ programs, steps, differences }: Totals, missing: number): string {
  const never = missing === 0 ? "" : `, ${missing} outcomes never came`;
  return `${programs} programs, ${steps} steps, ${differences} differ${never}`;
}

await main();
