/** A metric as Prometheus knows it, and the text of it. Source: Prometheus' text exposition format, version 0.0.4. */

export type Labels = Readonly<Record<string, string | number>>;

export type Sample = {
  /** What stands behind the metric's name, such as `_count`. Default nothing. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
};

/** One row of the documentation: what a metric is, and how it is made of what is known. */
export type Metric<Known> = {
  readonly name: string;
  readonly type: "counter" | "gauge" | "summary" | "histogram";
  readonly help: string;
  /** None: this node has nothing to tell, such as a follower of what only a leader has. */
  readonly samples: (known: Known) => number | undefined | readonly Sample[];
};

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The lines of one metric; nothing if there is no sample. `name` may differ from the metric's own. */
export function metricText<Known>(
  { type, help, samples: samplesOf }: Metric<Known>,
  name: string,
  known: Known,
): string {
  const made = samplesOf(known);
  const samples = typeof made === "number" ? [{ value: made }] : (made ?? []);
  if (samples.length === 0) return "";
  const lines = samples.map((sample) => sampleText(name, sample));
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function sampleText(name: string, { suffix = "", labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(String(text)).replaceAll('"', '\\"')}"`,
  );
  const list = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${suffix}${list} ${numberText(value)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
