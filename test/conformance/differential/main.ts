/** `npm run differential`: compares zooid with Apache ZooKeeper, program by program. */
import { parseArgs } from "node:util";
import { Campaign } from "./campaign.ts";
import { describe } from "./compare.ts";
import { startServers, TARGETS, type TargetName } from "./targets.ts";

const HELP = `npm run differential -- [options]

Runs programs of random operations on Apache ZooKeeper and on zooid and compares all that their clients receive, byte for byte.

  --programs N        how many; default 200
  --first SEED        the seed of the first; default 1. The others follow it
  --against A,B       on which servers: ${TARGETS.join(", ")}; default: zooid-lone
  --at-once N         how many programs run at a time; default 16
  --differences N     ends after so many programs that differ; default 20
  --whole             shows programs as they are, not made smaller
  --help              this text

Exit code 1: a program differs. It is printed with its seed.`;

const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    programs: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    against: { type: "string", default: "zooid-lone" },
    "at-once": { type: "string", default: "16" },
    differences: { type: "string", default: "20" },
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

function countOf(option: "programs" | "first" | "at-once" | "differences"): number {
  const count = Number(values[option]);
  return Number.isSafeInteger(count) && count > 0 ? count : usage(`--${option}: not above 0`);
}

function targetNames(): TargetName[] {
  return values.against.split(",").map((name) => {
    const target = TARGETS.find((each) => each === name);
    return target ?? usage(`--against ${name}: no such server`);
  });
}

async function main(): Promise<void> {
  if (values.help) return say(HELP);
  const names = targetNames();
  const options = {
    first: countOf("first"),
    programs: countOf("programs"),
    atOnce: countOf("at-once"),
    differencesMax: countOf("differences"),
    shrinks: !values.whole,
  };
  const servers = await startServers(names);
  const campaign = new Campaign(servers, {
    ...options,
    found: ({ seed, target, program, difference }) => {
      say(`seed ${seed} differs on ${target}:\n${describe(program, difference)}\n`);
    },
  });
  const { totals } = campaign;
  const startedMs = performance.now();
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    say(`… ${seconds} s: ${totals.programs} programs, ${totals.differences} differences so far`);
  }, PROGRESS_EVERY_MS);
  try {
    await campaign.run();
  } finally {
    clearInterval(progress);
    await servers.stop();
  }
  for (const [name, count] of totals.intended) say(`intended: ${name}, ${count} times`);
  say(`${totals.programs} programs, ${totals.steps} steps, ${totals.differences} differences`);
  process.exitCode = totals.differences > 0 || totals.programs === 0 ? 1 : 0;
}

await main();
