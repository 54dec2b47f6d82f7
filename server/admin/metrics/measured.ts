/** The metrics that a node measures of itself, as histograms in Prometheus' units. */
import { counterOf, histogramOf } from "../../../actors/admin/measures.ts";
import type { HistogramReport, MeasuresReport } from "../../../actors/admin/messages.ts";
import { type Counted, type Measure, PHASES, STAGES } from "../../measures/measures.ts";
import type { Known } from "./known.ts";
import type { Labels, Metric, Sample } from "./metric.ts";

const SECOND_MS = 1000;
const IN_SECONDS: number = 1 / SECOND_MS;

type Histograms = (measures: readonly MeasuresReport[]) => readonly Sample[];

function histogram(name: string, help: string, samples: Histograms): Metric<Known> {
  return { name, type: "histogram", help, samples: ({ metrics }) => samples(metrics.measures) };
}

function counter(name: string, help: string, counted: Counted): Metric<Known> {
  const samples = ({ metrics }: Known): number | undefined => counterOf(metrics.measures, counted);
  return { name, type: "counter", help, samples };
}

/** A measure of all threads together. */
function node(measure: Measure, scale = 1): Histograms {
  return (measures) => samplesOf(histogramOf(measures, measure), {}, scale);
}

function byThread(measure: Measure, scale = 1): Histograms {
  return (measures) =>
    measures.flatMap((report) => {
      const { thread } = report;
      return samplesOf(histogramOf([report], measure), { thread }, scale);
    });
}

/** A measure for each of several things, which a label names. */
function labelled(kind: "stage" | "phase", names: Readonly<Record<string, string>>): Histograms {
  return (measures) =>
    Object.keys(names).flatMap((name) =>
      samplesOf(histogramOf(measures, `${kind}.${name}`), { [kind]: name }, IN_SECONDS),
    );
}

function samplesOf(
  report: HistogramReport | undefined,
  labels: Labels,
  scale: number,
): readonly Sample[] {
  if (report === undefined) return [];
  let total = 0;
  const buckets = report.counts.map((count, index): Sample => {
    total += count;
    const bound = report.bounds[index];
    // Rounded, since a product may not be the decimal number that it stands for.
    const le = bound === undefined ? "+Inf" : String(Number((bound * scale).toPrecision(6)));
    return { suffix: "_bucket", labels: { ...labels, le }, value: total };
  });
  const sum = { suffix: "_sum", labels, value: report.sum * scale };
  return [...buckets, sum, { suffix: "_count", labels, value: total }];
}

export const MEASURED_METRICS: readonly Metric<Known>[] = [
  histogram(
    "zooid_write_stage_seconds",
    "The stages of writes, by the batch.",
    labelled("stage", STAGES),
  ),
  histogram("zooid_election_phase_seconds", "The phases of elections.", labelled("phase", PHASES)),
  histogram(
    "zooid_leaderless_seconds",
    "How long the node has had no leader, each time.",
    node("leaderless", IN_SECONDS),
  ),
  histogram(
    "zooid_fsync_seconds",
    "Syncs of the log, the snapshots and the promise.",
    node("fsync", IN_SECONDS),
  ),
  histogram(
    "zooid_disk_write_bytes",
    "Bytes of a write to the data folder, zeros of preallocation among them.",
    node("diskWriteBytes"),
  ),
  histogram(
    "zooid_batch_operations",
    "Operations of a batch that a lane has submitted.",
    node("batchOperations"),
  ),
  histogram(
    "zooid_published_operations",
    "Operations of the records that the leader has published together.",
    node("publishedOperations"),
  ),
  histogram(
    "zooid_event_loop_delay_seconds",
    "The longest delay of a thread's event loop in each second.",
    byThread("eventLoopDelay", IN_SECONDS),
  ),
  histogram("zooid_turn_seconds", "Turns of the loop of a thread.", byThread("turn", IN_SECONDS)),
  histogram(
    "zooid_mailbox_depth",
    "Messages that waited for the actors of a thread when a turn of its loop began.",
    byThread("mailbox"),
  ),
  counter(
    "zooid_operations_proposed_total",
    "Operations that the node has published as leader.",
    "proposals",
  ),
  counter(
    "zooid_operations_committed_total",
    "Operations that the node knows to be committed, since it started.",
    "commits",
  ),
  counter("zooid_slow_fsyncs_total", "Syncs that took more than a second.", "slowFsyncs"),
  counter(
    "zooid_elections_total",
    "How often the node has begun to look for a leader.",
    "elections",
  ),
];
