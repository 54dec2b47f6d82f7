/** Medians over rounds, and ratios of targets. */
import { METRIC_NAMES, METRICS, type Measurement, type MetricName } from "./measurement.ts";

/** Returns the median: the mean of the two middle values if their number is even, and 0 if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  if (sorted.length % 2 === 1) return upper;
  return (upper + (sorted[sorted.length / 2 - 1] ?? 0)) / 2;
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** All rounds of one case and one target. */
export type Group = {
  readonly profile: string;
  readonly name: string;
  readonly target: string;
  readonly rounds: readonly Measurement[];
  readonly spreads: Readonly<Partial<Record<MetricName, Spread>>>;
};

/** Groups measurements by case and target, in the order in which they first came. */
export function groupsOf(measurements: readonly Measurement[]): readonly Group[] {
  const found = new Map<string, Measurement[]>();
  for (const each of measurements) {
    const key = JSON.stringify([each.profile, each.name, each.target]);
    const rounds = found.get(key) ?? [];
    rounds.push(each);
    found.set(key, rounds);
  }
  return [...found.values()].flatMap((rounds) => {
    const [first] = rounds;
    if (first === undefined) return [];
    const { profile, name, target } = first;
    return [{ profile, name, target, rounds, spreads: spreadsOf(rounds) }];
  });
}

function spreadsOf(rounds: readonly Measurement[]): Group["spreads"] {
  const spreads: Partial<Record<MetricName, Spread>> = {};
  for (const metric of METRIC_NAMES) {
    const values = rounds.flatMap(({ metrics }) => metrics[metric] ?? []);
    if (values.length > 0) spreads[metric] = spreadOf(values);
  }
  return spreads;
}

export type Ratio = {
  readonly profile: string;
  readonly name: string;
  readonly metric: MetricName;
  readonly target: string;
  readonly to: string;
  /** `target` as a multiple of `to`. */
  readonly ratio: Spread;
  readonly rounds: number;
};

/**
 * Returns how the first target compares with each other one. The rounds are paired, since two runs that follow each other see the same
 * machine: the ratio is taken in each round, and the median, least and largest of these are told.
 */
export function ratiosOf(measurements: readonly Measurement[]): readonly Ratio[] {
  const groups = groupsOf(measurements);
  const first = measurements[0]?.target;
  return groups
    .filter(({ target }) => target !== first)
    .flatMap((theirs) => {
      const ours = groups.find(({ profile, name, target }) => {
        return target === first && profile === theirs.profile && name === theirs.name;
      });
      return ours === undefined ? [] : pairRatios(ours, theirs);
    });
}

function pairRatios(ours: Group, theirs: Group): readonly Ratio[] {
  return METRIC_NAMES.flatMap((metric) => {
    if (METRICS[metric].better === undefined) return [];
    const ratios = ours.rounds.flatMap(({ round, metrics }) => {
      const other = theirs.rounds.find((each) => each.round === round)?.metrics[metric];
      const own = metrics[metric];
      return own === undefined || other === undefined || other === 0 ? [] : [own / other];
    });
    if (ratios.length === 0) return [];
    const { profile, name, target } = ours;
    return [
      {
        profile,
        name,
        metric,
        target,
        to: theirs.target,
        ratio: spreadOf(ratios),
        rounds: ratios.length,
      },
    ];
  });
}
