/** Many seeds in several processes: each asks for the next seed when it is done with one. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PlanChoice } from "./plan.ts";
import { SimFailure, type SimResult, simulate } from "./simulate.ts";

export type SeedReport =
  | { readonly kind: "passed"; readonly result: SimResult }
  | { readonly kind: "failed"; readonly seed: number; readonly report: string };

export type RunSeedsOptions = {
  readonly from: number;
  readonly count: number;
  /** What is fixed for every seed. Default: nothing is. */
  readonly choice?: PlanChoice;
  /** Processes. */
  readonly jobs: number;
  /** Called for each seed that is done. False: no further seeds are begun. */
  readonly onReport: (report: SeedReport) => boolean;
};

type Work = {
  readonly take: () => number | undefined;
  readonly onReport: (report: SeedReport) => void;
  readonly choice: PlanChoice;
};

/** To a worker. */
type Given = { readonly seed: number; readonly choice: PlanChoice };

const MAIN: string = fileURLToPath(new URL("main.ts", import.meta.url));
/** A seed takes a fraction of a second; one that takes so long will not end. */
const SEED_TIMEOUT_MS = 120_000;

/** Resolves when all seeds are done, or no further ones are wanted. */
export async function runSeeds(options: RunSeedsOptions): Promise<void> {
  let next = options.from;
  const end = options.from + options.count;
  const take = (): number | undefined => {
    if (next >= end) return undefined;
    next += 1;
    return next - 1;
  };
  const onReport = (report: SeedReport): void => {
    if (!options.onReport(report)) next = end;
  };
  const jobs = Math.min(options.jobs, options.count);
  await Promise.all(
    Array.from({ length: jobs }, () =>
      runWorkers({ take, onReport, choice: options.choice ?? {} }),
    ),
  );
}

/** One process after the other, should one be lost, until there is no further seed. */
async function runWorkers(work: Work): Promise<void> {
  let lost = true;
  while (lost) lost = await runWorker(work);
}

/** True when the process was lost over a seed. */
function runWorker({ take, onReport, choice }: Work): Promise<boolean> {
  const first = take();
  if (first === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = fork(MAIN, ["--worker"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let seed: number | undefined = first;
    let isLate = false;
    const watchdog = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, SEED_TIMEOUT_MS);
    child.on("message", (report: SeedReport) => {
      onReport(report);
      seed = take();
      watchdog.refresh();
      give(child, seed, choice);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(watchdog);
      if (seed !== undefined) {
        const report = isLate
          ? `seed ${seed}: it had not ended after ${SEED_TIMEOUT_MS / 1000} s`
          : `seed ${seed}: its process ended (${signal ?? `exit code ${code}`})`;
        onReport({ kind: "failed", seed, report });
      }
      resolve(seed !== undefined);
    });
    give(child, first, choice);
  });
}

function give(child: ChildProcess, seed: number | undefined, choice: PlanChoice): void {
  if (seed === undefined) child.disconnect();
  else child.send({ seed, choice } satisfies Given);
}

/** The worker's side: simulates each seed that it is given. */
export function serveSeeds(): void {
  process.on("message", ({ seed, choice }: Given) => {
    process.send?.(runSeed(seed, choice));
  });
}

export function runSeed(seed: number, choice: PlanChoice = {}): SeedReport {
  try {
    return { kind: "passed", result: simulate(seed, choice) };
  } catch (error) {
    const report = error instanceof SimFailure ? error.message : String(error);
    return { kind: "failed", seed, report };
  }
}
