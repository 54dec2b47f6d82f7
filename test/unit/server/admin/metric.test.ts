/** The text of metrics, as Prometheus reads it, and under which names counters stand. */
import test from "ava";
import { type Metric, metricText, type Sample } from "../../../../server/admin/metrics/metric.ts";
import { namesOf } from "../../../../server/admin/metrics/scrape.ts";
import { OWN_METRICS } from "../../../../server/admin/metrics/own.ts";
import { ZOOKEEPER_METRICS } from "../../../../server/admin/metrics/zookeeper.ts";

function textOf(samples: number | undefined | readonly Sample[]): string {
  const metric: Metric<undefined> = {
    name: "m",
    type: "gauge",
    help: "Two\nlines \\ more.",
    samples: () => samples,
  };
  return metricText(metric, metric.name, undefined);
}

const HEAD = "# HELP m Two\\nlines \\\\ more.\n# TYPE m gauge\n";

test("a number is one sample", (t) => {
  t.is(textOf(7), `${HEAD}m 7\n`);
});

test("labels and suffixes stand where they belong, and what is in labels is escaped", (t) => {
  const samples = [
    { suffix: "_count", value: 3 },
    { labels: { path: 'a"b\\c\n', lane: 2 }, value: 0.5 },
    { suffix: "_bucket", labels: { le: "+Inf" }, value: Number.POSITIVE_INFINITY },
  ];
  const lines = 'm_count 3\nm{path="a\\"b\\\\c\\n",lane="2"} 0.5\nm_bucket{le="+Inf"} +Inf\n';
  t.is(textOf(samples), HEAD + lines);
});

test("a metric without a sample is not there at all", (t) => {
  t.is(textOf(undefined), "");
  t.is(textOf([]), "");
});

test("counters stand under the names of the releases that are asked for, other metrics under their own", (t) => {
  const counter = { name: "looking_count", type: "counter" } as const;
  t.deepEqual(namesOf(counter, "zookeeper-3.9"), ["looking_count"]);
  t.deepEqual(namesOf(counter, "zookeeper-3.10"), ["looking_count_total"]);
  t.deepEqual(namesOf(counter, "both"), ["looking_count", "looking_count_total"]);
  for (const names of ["zookeeper-3.9", "zookeeper-3.10", "both"] as const) {
    t.deepEqual(namesOf({ name: "quorum_size", type: "gauge" }, names), ["quorum_size"]);
  }
});

test("no two metrics share a name, and each of our own has one that Prometheus asks for", (t) => {
  const all = [
    ...ZOOKEEPER_METRICS.flatMap((metric) => namesOf(metric, "both")),
    ...OWN_METRICS.map(({ name }) => name),
  ];
  t.is(new Set(all).size, all.length);
  for (const { name, type, help } of OWN_METRICS) {
    t.regex(name, /^(zooid|process)_[a-z0-9_]+$/);
    t.is(name.endsWith("_total"), type === "counter", name);
    t.false(/_(ms|us|kb|mb)(_|$)/.test(name), name);
    t.regex(help, /\.$/);
  }
});
