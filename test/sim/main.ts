/** `npm run sim`: replays one seed, or runs many. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { DIRECTED, type DirectedName, isDirected } from "./directed.ts";
import { Figures } from "./figures.ts";
import { planText, simulate, SimFailure } from "./simulate.ts";
import { drawPlan, type PlanChoice, SIM_PLACEMENTS, type SimPlacement } from "./plan.ts";
import { runSeeds, serveSeeds } from "./workers.ts";

const HELP = `npm run sim -- [options]

Simulates ensembles and their clients under faults, in virtual time. A seed decides everything.

  --seeds N      how many seeds; default 100
  --from S       the first of them; default 1
  --jobs J       processes at a time; default: the number of processors
  --plan NAME    every seed with a plan of this purpose: ${Object.keys(DIRECTED).join(", ")}
  --placement P  every seed with a node's actors shared out so: ${SIM_PLACEMENTS.join(", ")}
  --keep-going   does not stop at the first seed that fails
  --seed S       one seed: its plan, figures and trace hash; the same at every replay
  --trace        with --seed: every event
  --messages     with --seed: also every message between nodes and every disk operation
  --help         this text

Exit code 1: a seed failed. Its report names the violated invariant and shows the last events.`;

const PROGRESS_EVERY_MS = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    "keep-going": { type: "boolean", default: false },
    plan: { type: "string" },
    placement: { type: "string" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    messages: { type: "boolean", default: false },
    worker: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${option}: ${text} is not a whole number above 0\n`);
  process.exit(2);
}

/** Undefined: as the seed draws it. */
function chosenPlan(): DirectedName | undefined {
  const { plan } = values;
  if (plan === undefined || isDirected(plan)) return plan;
  process.stderr.write(
    `--plan: there is no ${plan}; there are ${Object.keys(DIRECTED).join(", ")}\n`,
  );
  process.exit(2);
}

/** Undefined: as the seed draws it. */
function chosenPlacement(): SimPlacement | undefined {
  const { placement } = values;
  const chosen = SIM_PLACEMENTS.find((each) => each === placement);
  if (chosen !== undefined || placement === undefined) return chosen;
  process.stderr.write(
    `--placement: there is no ${placement}; there are ${SIM_PLACEMENTS.join(", ")}\n`,
  );
  process.exit(2);
}

function choice(): PlanChoice {
  return { directed: chosenPlan(), placement: chosenPlacement() };
}

function replay(seed: number): boolean {
  const chosen = choice();
  say(`seed ${seed}: ${planText(drawPlan(seed, chosen))}`);
  const startedMs = performance.now();
  try {
    const verbose = values.messages;
    const events = values.trace || verbose ? { onEvent: say, verbose } : {};
    const result = simulate(seed, { ...events, ...chosen });
    const figures = new Figures();
    figures.add(result);
    say(figures.text(performance.now() - startedMs));
    say(`trace hash ${result.hash}`);
    return true;
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    say(error.message);
    if (error.cause instanceof Error) say(error.cause.stack ?? "");
    return false;
  }
}

async function runMany(): Promise<boolean> {
  const startedMs = performance.now();
  const figures = new Figures();
  const failed: number[] = [];
  const progress = setInterval(() => {
    say(figures.progress(performance.now() - startedMs));
  }, PROGRESS_EVERY_MS);
  await runSeeds({
    from: wholeNumber("from", values.from),
    count: wholeNumber("seeds", values.seeds),
    jobs: wholeNumber("jobs", values.jobs),
    choice: choice(),
    onReport: (report) => {
      if (report.kind === "passed") {
        figures.add(report.result);
        return true;
      }
      figures.failed += 1;
      failed.push(report.seed);
      say(`✗ ${report.report}\n`);
      return values["keep-going"];
    },
  });
  clearInterval(progress);
  say(figures.text(performance.now() - startedMs));
  if (failed.length > 0) say(`failed seeds: ${failed.toSorted((a, b) => a - b).join(" ")}`);
  return failed.length === 0;
}

if (values.worker) {
  serveSeeds();
} else if (values.help) {
  say(HELP);
} else {
  const passed =
    values.seed === undefined ? await runMany() : replay(wholeNumber("seed", values.seed));
  process.exitCode = passed ? 0 : 1;
}
