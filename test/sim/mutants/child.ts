/** The process of one mutant: simulates seeds until one of them violates an invariant, and tells its parent in lines of JSON. */
import { plant } from "./hooks.ts";
import type { Survivor } from "../failures/survivors.ts";
import type { DirectedName } from "../directed.ts";
import type { Mutant } from "./mutant.ts";

export type Report =
  | { readonly kind: "passed"; readonly seed: number }
  | { readonly kind: "caught"; readonly seed: number; readonly violation: string }
  /** The mutant no longer fits the sources, or the simulator itself failed: nothing is shown. */
  | { readonly kind: "broken"; readonly error: string };

/** Without a mutant: the control, which is to pass. `failing`: the actor whose failures are played in place of the seeds' plans. */
export async function runSeeds(
  mutant: Mutant | undefined,
  seeds: number,
  of: { readonly directed: DirectedName | undefined; readonly failing: Survivor | undefined },
): Promise<void> {
  const { directed, failing } = of;
  try {
    const checkPlanted = mutant === undefined ? undefined : plant(mutant);
    const { simulate } = await import("../simulate.ts");
    const { casesOf, playFailures } = await import("../failures/play.ts");
    checkPlanted?.();
    const run = (seed: number): unknown =>
      failing === undefined ? simulate(seed, { directed }) : playFailures(seed, casesOf(failing));
    for (let seed = 1; seed <= seeds; seed += 1) {
      const report = runSeed(run, seed);
      tell(report);
      if (report.kind !== "passed") return;
    }
  } catch (error) {
    tell({ kind: "broken", error: error instanceof Error ? error.message : String(error) });
  }
}

function runSeed(run: (seed: number) => unknown, seed: number): Report {
  try {
    run(seed);
    return { kind: "passed", seed };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (cause instanceof Error && cause.name === "Violation") {
      return { kind: "caught", seed, violation: cause.message };
    }
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return { kind: "broken", error: `seed ${seed}: ${text}` };
  }
}

function tell(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
