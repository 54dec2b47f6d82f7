/** The load test: starts the ensembles that the options ask for, drives them, reports, and stops them whatever happens. */
import { statfsSync } from "node:fs";
import { type Ensemble, versionOf } from "./ensembles/ensemble.ts";
import { startZooid } from "./ensembles/zooid.ts";
import { startZooKeeper } from "./ensembles/zookeeper.ts";
import type { LoadOptions } from "./options.ts";
import { count, type LoadReport, problemsOf, reportText, writeJson } from "./report.ts";
import { type Round, runRounds } from "./rounds.ts";
import type { Screen } from "./screen.ts";

/** The type that Linux gives a file system in memory, whose fsync costs nothing. */
const TMPFS_TYPE = 0x0102_1994;

export async function loadTest(
  options: LoadOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  await using ensembles = new AsyncDisposableStack();
  const startedAt = new Date().toISOString();
  const started: Ensemble[] = [];
  for (const start of starters(options)) {
    screen.status(`starting ${start.name} ...`);
    const ensemble = ensembles.use(await start.run(signal));
    const addresses = ensemble.targets.map(({ host, port }) => `${host}:${port}`).join(" ");
    screen.print(`${ensemble.name} (${ensemble.version ?? "unknown version"}): ${addresses}`);
    started.push(ensemble);
  }
  if (started.some(({ processes }) => processes.length > 0)) warnOfMemory(options.folder, screen);
  const rounds: Round[] = [];
  const done = runRounds({
    ensembles: started,
    options,
    signal,
    onProgress: ({ what, seconds, operationsPerSecond }) => {
      const rate = `${count(operationsPerSecond)} operations/s`;
      screen.status(`${what}  ${Math.round(seconds)} s  ${rate}`);
    },
    onRound: (round) => {
      rounds.push(round);
      screen.print(roundLine(round));
    },
  });
  try {
    await done;
  } finally {
    // This is reported after a failure or Ctrl-C too, since the rounds before it are valid.
    if (rounds.length > 0) {
      await tell({ startedAt, options, ensembles: started, rounds }, screen);
    }
  }
}

async function tell(report: LoadReport, screen: Screen): Promise<void> {
  const { startedAt, options } = report;
  screen.print(`\n${reportText(report)}`);
  const file = options.json ?? `bench/results/load-${startedAt.replaceAll(":", "-")}.json`;
  await writeJson(file, report);
  screen.print(`\nfigures: ${file}`);
}

type Starter = {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<Ensemble>;
};

function starters(options: LoadOptions): Starter[] {
  const { folder, zooidArgs, targets } = options;
  const list: Starter[] = [];
  if (targets.length > 0) {
    list.push({ name: "target", run: () => running(options) });
  } else if (options.zooid) {
    list.push({ name: "zooid", run: (signal) => startZooid(folder, zooidArgs, signal) });
  }
  if (options.zookeeper) {
    list.push({ name: "ZooKeeper", run: (signal) => startZooKeeper(folder, signal) });
  }
  return list;
}

/** Servers that somebody else started. Only their answers can be measured, and they are not stopped afterwards. */
async function running({ targets }: LoadOptions): Promise<Ensemble> {
  return {
    name: "target",
    version: await versionOf(targets[0]),
    targets,
    processes: [],
    [Symbol.asyncDispose]: async () => {},
  };
}

function warnOfMemory(folder: string, screen: Screen): void {
  if (statfsSync(folder).type !== TMPFS_TYPE) return;
  screen.print(
    `! ${folder} is in memory, so writes cost no disk: choose a folder on disk with --dir`,
  );
}

function roundLine(round: Round): string {
  const { ensemble, workload, operationsPerSecond, latencyMs } = round;
  const latency = `p50 ${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms`;
  const rate = `${count(operationsPerSecond)} operations/s`;
  const problems = problemsOf(round).map((problem) => `, ! ${problem}`);
  return `${ensemble} ${workload} round ${round.round}: ${rate}, ${latency}${problems.join("")}`;
}
