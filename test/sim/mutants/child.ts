/** The process of one mutant: simulates seeds until one of them violates an invariant, and tells its parent in lines of JSON. */
import { plant } from "./hooks.ts";
import type { Survivor } from "../failures/survivors.ts";
import type { DirectedName } from "../directed.ts";
import { Violation } from "../checks/violation.ts";
import type { Campaign, Mutant } from "./mutant.ts";

export type Report =
  | { readonly kind: "passed"; readonly seed: number }
  | { readonly kind: "caught"; readonly seed: number; readonly violation: string }
  /** The mutant no longer fits the sources, or the simulator itself failed: nothing is shown. */
  | { readonly kind: "broken"; readonly error: string };

/** What is run in place of the seeds' own plans. */
export type Setting = {
  readonly plan?: DirectedName | undefined;
  /** The actor whose failures are played. */
  readonly failing?: Survivor | undefined;
  /** The name of the story that is played. */
  readonly story?: string | undefined;
  readonly campaign?: Campaign | undefined;
};

/** How many runs of each property of streams one seed is. */
const RUNS = 100;

/** Without a mutant: the control, which is to pass. */
export async function runSeeds(
  mutant: Mutant | undefined,
  seeds: number,
  { plan, failing, story, campaign }: Setting,
): Promise<void> {
  try {
    const checkPlanted = mutant === undefined ? undefined : plant(mutant);
    if (campaign !== undefined) {
      const run = await campaignOf(campaign);
      checkPlanted?.();
      await runAll(run, seeds);
      return;
    }
    const { simulate } = await import("../simulate.ts");
    const { casesOf, playFailures } = await import("../failures/play.ts");
    const { STORIES } = await import("../stories/all.ts");
    const { traceOf } = await import("../stories/story.ts");
    checkPlanted?.();
    const told = STORIES.find(({ name }) => name === story);
    if (story !== undefined && told === undefined) throw new Error(`there is no story ${story}`);
    const run = (seed: number): unknown => {
      if (told !== undefined) return traceOf(told);
      return failing === undefined
        ? simulate(seed, { directed: plan })
        : playFailures(seed, casesOf(failing));
    };
    // A story is the same whatever the seed.
    await runAll(run, told === undefined ? seeds : 1);
  } catch (error) {
    tell({ kind: "broken", error: error instanceof Error ? error.message : String(error) });
  }
}

async function campaignOf(campaign: Campaign): Promise<(seed: number) => unknown> {
  switch (campaign) {
    case "rights":
      return (await import("../recipes/rights/campaign.ts")).runRights;
    case "recipes":
      return (await import("../recipes/campaign.ts")).runRecipes;
    case "streams": {
      const { checkVisits } = await import("../../support/zookeeper-client/stream-visits.ts");
      const followers = await import("../../support/zookeeper-client/stream-followers.ts");
      return (seed) =>
        violating(async () => {
          await checkVisits({ seed, numRuns: RUNS });
          await followers.checkFollower({ seed, numRuns: RUNS });
          await followers.checkLateFollower({ seed, numRuns: RUNS });
        });
    }
  }
}

/**
 * A stream that breaks its promise is a violation; whatever else a run fails with is not. The class is known by its name, since its module
 * may be loaded only once the mutant is planted.
 */
async function violating(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (!(cause instanceof Error) || cause.name !== "WrongStream") throw error;
    throw new Violation("change streams", cause.message);
  }
}

async function runAll(run: (seed: number) => unknown, last: number): Promise<void> {
  for (let seed = 1; seed <= last; seed += 1) {
    const report = await runSeed(run, seed);
    tell(report);
    if (report.kind !== "passed") return;
  }
}

async function runSeed(run: (seed: number) => unknown, seed: number): Promise<Report> {
  try {
    await run(seed);
    return { kind: "passed", seed };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (cause instanceof Error && ["Violation", "StoryFailure"].includes(cause.name)) {
      return { kind: "caught", seed, violation: cause.message };
    }
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return { kind: "broken", error: `seed ${seed}: ${text}` };
  }
}

function tell(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
