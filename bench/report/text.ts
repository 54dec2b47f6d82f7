/** The report on the terminal. */
import { METRIC_NAMES, METRICS, type Measurement, type MetricName } from "./measurement.ts";
import { type Group, groupsOf, type Ratio, ratiosOf, type Spread } from "./statistics.ts";
import { number, table } from "./table.ts";

/** The metrics that the table of ratios has. */
const RATIO_METRICS: readonly MetricName[] = METRIC_NAMES.filter(
  (name) => METRICS[name].better !== undefined && name !== "p90" && name !== "max",
);

export function reportText(measurements: readonly Measurement[]): string {
  const profiles = [...new Set(measurements.map(({ profile }) => profile))];
  const groups = groupsOf(measurements);
  const parts = profiles.flatMap((profile) => {
    const own = groups.filter((group) => group.profile === profile);
    return [`${profile}${roundsText(own)}\n${metricsTable(own)}`, notOfferedText(own)];
  });
  const problems = problemsText(measurements);
  if (problems !== "") parts.push(problems);
  const ratios = ratiosOf(measurements);
  if (ratios.length > 0) parts.push(ratiosText(ratios));
  return parts.filter((part) => part !== "").join("\n");
}

function roundsText(groups: readonly Group[]): string {
  const rounds = Math.max(...groups.map((group) => group.rounds.length));
  return rounds > 1 ? `, medians of ${rounds} rounds` : "";
}

/** Only the metrics that a measurement of the profile has are columns. */
export function metricsOf(groups: readonly Group[]): readonly MetricName[] {
  return METRIC_NAMES.filter((metric) => groups.some(({ spreads }) => metric in spreads));
}

function metricsTable(groups: readonly Group[]): string {
  const metrics = metricsOf(groups);
  const head = ["", ...metrics.map((metric) => METRICS[metric].label)];
  const rows = groups.map(({ name, target, rounds, spreads }) => {
    const label = `  ${name}  ${target}`;
    if (rounds.some(({ notOffered }) => notOffered !== undefined)) return [label, "not offered"];
    const cells = metrics.map((metric) => {
      const spread = spreads[metric];
      return spread === undefined ? "-" : valueText(metric, spread);
    });
    return [label, ...cells];
  });
  return table([head, ...rows]);
}

export function valueText(metric: MetricName, spread: Spread): string {
  const { digits, worst } = METRICS[metric];
  const text = number(spread.median, digits);
  return worst === true ? `${text} (max ${number(spread.max, digits)})` : text;
}

function notOfferedText(groups: readonly Group[]): string {
  const reasons = groups.flatMap(({ target, rounds }) =>
    rounds.flatMap(({ notOffered }) =>
      notOffered === undefined ? [] : [`${target}: ${notOffered}`],
    ),
  );
  return [...new Set(reasons)].map((reason) => `  not offered by ${reason}\n`).join("");
}

function problemsText(measurements: readonly Measurement[]): string {
  return measurements
    .filter(({ problems }) => (problems ?? []).length > 0)
    .map(({ target, profile, name, round, problems }) => {
      return `! ${target} ${profile} ${name} round ${round}: ${(problems ?? []).join(", ")}\n`;
    })
    .join("");
}

/** One block for each other target and profile; one row for each case; the least and the largest ratio in brackets. */
function ratiosText(ratios: readonly Ratio[]): string {
  const pairs = [...new Set(ratios.map(({ target, to }) => `${target} / ${to}`))];
  const blocks = pairs.flatMap((pair) => {
    const own = ratios.filter(({ target, to }) => `${target} / ${to}` === pair);
    const profiles = [...new Set(own.map(({ profile }) => profile))];
    return profiles.map((profile) => {
      return ratioBlock(
        `${pair}, ${profile}`,
        own.filter((ratio) => ratio.profile === profile),
      );
    });
  });
  return `ratios: the median over the pairs of rounds (least-largest)\n${blocks.join("\n")}`;
}

function ratioBlock(title: string, ratios: readonly Ratio[]): string {
  const metrics = RATIO_METRICS.filter((metric) => ratios.some((each) => each.metric === metric));
  const cases = [...new Set(ratios.map(({ name }) => name))];
  const rows = cases.map((each) => [
    `  ${each}`,
    ...metrics.map((metric) => {
      const found = ratios.find((ratio) => ratio.metric === metric && ratio.name === each);
      return found === undefined ? "-" : ratioText(found);
    }),
  ]);
  return table([[title, ...metrics.map((metric) => METRICS[metric].label)], ...rows]);
}

export function ratioText({ ratio, rounds }: Ratio): string {
  const text = `${twoDigits(ratio.median)} x`;
  if (rounds < 2) return text;
  return `${text} (${twoDigits(ratio.min)}-${twoDigits(ratio.max)})`;
}

function twoDigits(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
