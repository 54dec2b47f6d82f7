/** What `/metrics` answers. */
import type { MetricsNames } from "../../config/node-config.ts";
import type { Known } from "./known.ts";
import { metricText } from "./metric.ts";
import { OWN_METRICS } from "./own.ts";
import { ZOOKEEPER_METRICS } from "./zookeeper.ts";

const TOTAL = "_total";

export function scrapeText(known: Known): string {
  const { names } = known;
  const theirs = ZOOKEEPER_METRICS.flatMap((metric) =>
    namesOf(metric, names).map((name) => metricText(metric, name, known)),
  );
  return [...theirs, ...OWN_METRICS.map((metric) => metricText(metric, metric.name, known))].join(
    "",
  );
}

/** ZooKeeper 3.10 has another client of Prometheus, which puts `_total` behind the name of every counter. */
export function namesOf(
  { name, type }: Pick<(typeof ZOOKEEPER_METRICS)[number], "name" | "type">,
  names: MetricsNames,
): readonly string[] {
  if (type !== "counter" || names === "zookeeper-3.9") return [name];
  return names === "zookeeper-3.10" ? [name + TOTAL] : [name, name + TOTAL];
}
