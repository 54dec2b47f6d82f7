/** Medians, ratios and the two forms of the report. */
import test from "ava";
import { longestGapMs, timelineOf } from "../../../bench/profiles/failover/failover.ts";
import { environmentOf } from "../../../bench/report/environment.ts";
import { asBaseline, FORMAT, type Results } from "../../../bench/report/files.ts";
import { loadPlots, reportHtml } from "../../../bench/report/html.ts";
import type { Measurement, MetricName } from "../../../bench/report/measurement.ts";
import { plotSvg } from "../../../bench/report/plot.ts";
import { groupsOf, median, ratiosOf } from "../../../bench/report/statistics.ts";
import { reportText } from "../../../bench/report/text.ts";

function measured(
  target: string,
  round: number,
  metrics: Readonly<Partial<Record<MetricName, number>>>,
): Measurement {
  return { profile: "write", name: "set 30x64", target, round, metrics };
}

const ROUNDS: readonly Measurement[] = [
  measured("zooid", 1, { operationsPerSecond: 300, p99: 10 }),
  measured("other", 1, { operationsPerSecond: 100, p99: 20 }),
  measured("zooid", 2, { operationsPerSecond: 800, p99: 10 }),
  measured("other", 2, { operationsPerSecond: 200, p99: 40 }),
  measured("zooid", 3, { operationsPerSecond: 100, p99: 10 }),
  measured("other", 3, { operationsPerSecond: 50, p99: 10 }),
];

test("a median is the middle value, or the mean of the two in the middle", (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 2, 3]), 2.5);
  t.is(median([]), 0);
});

test("a ratio is the median of the ratios of paired rounds, not the ratio of medians", (t) => {
  const [throughput] = ratiosOf(ROUNDS);
  t.like(throughput, { metric: "operationsPerSecond", target: "zooid", to: "other", rounds: 3 });
  t.deepEqual(throughput?.ratio, { median: 3, min: 2, max: 4 });
});

test("a round that one target lacks, and a zero, make no ratio", (t) => {
  const odd = [
    measured("zooid", 1, { operationsPerSecond: 300 }),
    measured("zooid", 2, { operationsPerSecond: 300 }),
    measured("other", 2, { operationsPerSecond: 0 }),
  ];
  t.deepEqual(ratiosOf(odd), []);
});

test("what explains others is not compared", (t) => {
  const rounds = ["zooid", "other"].map((target) => measured(target, 1, { loadCpuSeconds: 1 }));
  t.deepEqual(ratiosOf(rounds), []);
});

test("the text has medians, ratios with their spread, problems, and what is not offered", (t) => {
  const text = reportText([
    ...ROUNDS,
    { ...measured("JetStream", 1, {}), notOffered: "it has no such thing" },
    { ...measured("zooid", 4, { p99: 1 }), problems: ["error -101 5 times"] },
  ]);
  t.regex(text, /set 30x64 {2}zooid +300 /);
  t.regex(text, /3\.00 x \(2\.00-4\.00\)/);
  t.regex(text, /^! zooid write set 30x64 round 4: error -101 5 times$/m);
  t.regex(text, /not offered by JetStream: it has no such thing/);
});

const RESULTS: Results = {
  format: FORMAT,
  environment: environmentOf(import.meta.dirname, []),
  args: ["--seconds", "1<2"],
  measurements: [10, 100].flatMap((x) =>
    ROUNDS.map((each) => ({
      ...each,
      name: `set ${x}`,
      points: [{ plot: "set", axis: "requests", x }],
    })),
  ),
};

test("the page has a plot for each metric over a load, and nothing from elsewhere", (t) => {
  const html = reportHtml(RESULTS);
  t.is(html.match(/<svg /g)?.length, 2);
  t.notRegex(html, /<(?:script|link|img|iframe)\b|https?:|url\(/);
  t.regex(html, /prefers-color-scheme: dark/);
  t.regex(html, /--seconds 1&lt;2/);
});

test("a plot needs two places on its axis", (t) => {
  const one = RESULTS.measurements.filter(({ name }) => name === "set 10");
  t.is(loadPlots(groupsOf(one)).length, 0);
});

test("a plot with one point, with zeros and with nothing has only finite numbers", (t) => {
  for (const scale of ["linear", "log"] as const) {
    for (const points of [
      [{ x: 5, y: 5 }],
      [
        { x: 0, y: 0 },
        { x: 1, y: 0 },
      ],
      [],
    ]) {
      const svg = plotSvg({ title: "a", axis: "b", scale, lines: [{ label: "c", points }] });
      t.notRegex(svg, /NaN|Infinity/, `${scale} ${JSON.stringify(points)}`);
    }
  }
});

test("an earlier run is shown under its commit", (t) => {
  const environment = { ...RESULTS.environment, commit: "abc" };
  const [first] = asBaseline({ ...RESULTS, environment });
  t.is(first?.target, "zooid (baseline abc)");
});

test("a gap begins with the kill, and a timeline counts what was acknowledged around it", (t) => {
  const acknowledgements = [990, 1005, 1200, 1210].map((atMs) => ({ issuedMs: atMs - 1, atMs }));
  t.is(longestGapMs(1000, acknowledgements), 195);
  const { fromMs, stepMs, values } = timelineOf(1000, acknowledgements);
  t.is(values[(-20 - fromMs) / stepMs], 1);
  t.is(values[(200 - fromMs) / stepMs], 2);
});
