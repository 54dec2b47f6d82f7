/** Runs the profiles that the options name, and reports whatever happens: results from before a failure are valid. */
import type { BenchOptions } from "./options.ts";
import { DEFAULT_PROFILES, PROFILES } from "./profiles/catalogue.ts";
import { type Environment, environmentOf, environmentText } from "./report/environment.ts";
import {
  asBaseline,
  FORMAT,
  readResults,
  type Results,
  writeResults,
  writeText,
} from "./report/files.ts";
import { reportHtml } from "./report/html.ts";
import { METRIC_NAMES, METRICS, type Measurement } from "./report/measurement.ts";
import { number } from "./report/table.ts";
import { reportText } from "./report/text.ts";
import type { Screen } from "./screen.ts";
import { factsOf, startTargets } from "./targets/start.ts";
import type { Target } from "./targets/target.ts";

type Around = {
  readonly args: readonly string[];
  readonly screen: Screen;
  readonly signal: AbortSignal;
};

export async function runProfiles(options: BenchOptions, around: Around): Promise<void> {
  const { screen, signal } = around;
  const names = options.profiles.length > 0 ? options.profiles : DEFAULT_PROFILES;
  const profiles = names.flatMap((name) => PROFILES[name] ?? []);
  const earlier =
    options.against?.endsWith(".json") === true ? await readResults(options.against) : undefined;
  const measurements: Measurement[] = [];
  const record = (measurement: Measurement): void => {
    measurements.push(measurement);
    screen.status(lineOf(measurement));
  };
  let environment = environmentOf(options.folder, []);
  try {
    for (const profile of profiles.filter(({ needs }) => needs === "own")) {
      await profile.run({ options, targets: [], screen, signal, record });
    }
    const shared = profiles.filter(({ needs }) => needs === "targets");
    if (shared.length > 0) {
      await using stack = new AsyncDisposableStack();
      const targets = await startTargets(options, stack, { screen, signal });
      screen.status("watching the idle servers ...");
      environment = { ...environment, targets: await factsOf(targets, signal) };
      for (const target of targets) target.problems(); // What was logged at start is no problem of a load.
      for (const profile of shared) {
        await profile.run({ options, targets, screen, signal, record });
      }
      reportEnded(targets, screen);
    }
  } finally {
    if (measurements.length > 0) {
      const results: Results = { format: FORMAT, environment, args: around.args, measurements };
      await report(results, earlier, { options, screen });
    }
  }
}

/** Problems that came between loads belong to none of them. */
function reportEnded(targets: readonly Target[], screen: Screen): void {
  for (const { name, problems } of targets) {
    for (const problem of problems()) screen.print(`! ${name}: ${problem}`);
  }
}

async function report(
  results: Results,
  earlier: Results | undefined,
  { options, screen }: { readonly options: BenchOptions; readonly screen: Screen },
): Promise<void> {
  const { environment } = results;
  const compared = earlier === undefined ? [] : comparable(results, earlier);
  const all = [...results.measurements, ...compared];
  screen.print(`${environmentText(environment)}\n${reportText(all)}`);
  if (earlier !== undefined) screen.print(otherMachine(environment, earlier.environment));
  const file = options.json ?? `bench/results/${environment.startedAt.replaceAll(":", "-")}.json`;
  await writeResults(file, results);
  screen.print(`results: ${file}`);
  if (options.baseline !== undefined) await writeResults(options.baseline, results);
  if (options.html !== undefined) {
    await writeText(options.html, reportHtml({ ...results, measurements: all }));
    screen.print(`report: ${options.html}`);
  }
}

/** The earlier measurements of the targets and cases that were measured now too. */
function comparable(results: Results, earlier: Results): readonly Measurement[] {
  const keyOf = ({ profile, name, target }: Measurement): string => {
    return JSON.stringify([profile, name, target]);
  };
  const now = new Set(results.measurements.map(keyOf));
  const same = earlier.measurements.filter((each) => now.has(keyOf(each)));
  return asBaseline({ ...earlier, measurements: same });
}

function otherMachine(now: Environment, before: Environment): string {
  const differs = (["processor", "processors", "kernel", "node", "disk"] as const).filter(
    (name) => now[name] !== before[name],
  );
  const machine = differs.length > 0 ? `! the baseline had another ${differs.join(", ")}\n` : "";
  return `${machine}The baseline is from ${before.startedAt}: the machine may have been faster or slower then.`;
}

function lineOf({
  profile,
  name,
  target,
  round,
  metrics,
  problems,
  notOffered,
}: Measurement): string {
  const values = METRIC_NAMES.flatMap((metric) => {
    const value = metrics[metric];
    const { label, digits } = METRICS[metric];
    return value === undefined ? [] : [`${number(value, digits)} ${label}`];
  });
  const text = notOffered === undefined ? values.slice(0, 4).join(", ") : "not offered";
  const bad = (problems ?? []).map((problem) => `, ! ${problem}`).join("");
  return `${target} ${profile} ${name} round ${round}: ${text}${bad}`;
}
