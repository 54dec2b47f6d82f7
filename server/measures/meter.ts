/**
 * Measures one thread of a node: what each stage of a write takes, how long the loop is busy and how much waits for it. Nothing is done for a
 * single operation; a batch costs a few additions. The node's actors know nothing of it.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { MeasuresReport } from "../../actors/admin/messages.ts";
import type { MeasuredTurn, StepMeter, ThreadMeter } from "../../runtime/meter.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { traceMeasure } from "../diagnostics.ts";
import { Histogram } from "./histogram.ts";
import { LeaderMeter } from "./leader-meter.ts";
import { boundsOf, type Counted, type Measure } from "./measures.ts";
import { SubmitterMeter } from "./submitter-meter.ts";

const REPORT_EVERY_MS = 1_000;
/** How finely the delay of the event loop is looked at. */
const DELAY_RESOLUTION_MS = 20;
const NANOSECONDS = 1e6;

/** Where measurements go. */
export type Measuring = {
  readonly add: (measure: Measure, value: number) => void;
  readonly count: (counted: Counted, by: number) => void;
};

export class Meter implements ThreadMeter, Measuring {
  /** `main`, `log`, or the number of a lane. */
  readonly #thread: string;
  readonly #node: ServerId;
  readonly #histograms = new Map<Measure, Histogram>();
  readonly #counters = new Map<Counted, number>();
  readonly #leader: LeaderMeter = new LeaderMeter(this);
  #turnStartedMs = 0;
  /** When the tree had applied what was committed in this turn of the loop. */
  #appliedAtMs: number | undefined;

  constructor(thread: string, node: ServerId) {
    this.#thread = thread;
    this.#node = node;
  }

  add(measure: Measure, value: number): void {
    let histogram = this.#histograms.get(measure);
    if (histogram === undefined) {
      histogram = new Histogram(boundsOf(measure));
      this.#histograms.set(measure, histogram);
    }
    histogram.add(value);
    traceMeasure(this.#node, measure, value);
  }

  count(counted: Counted, by: number): void {
    this.#counters.set(counted, (this.#counters.get(counted) ?? 0) + by);
  }

  stepMeter(actor: string): StepMeter | undefined {
    if (actor.startsWith("submitter/")) {
      return new SubmitterMeter(this, () => this.#turnStartedMs);
    }
    if (actor === "log-sync") return this.#leader;
    if (!actor.startsWith("tree/")) return undefined;
    return {
      kinds: new Set(["committed"]),
      step: ({ startedMs, endedMs }) => {
        this.add("stage.apply", endedMs - startedMs);
        this.#appliedAtMs = endedMs;
      },
    };
  }

  /** What has been committed was delivered; told on the thread of the log's replication. */
  committed(records: readonly Uint8Array[]): void {
    this.#leader.committed(records, meterNowMs());
  }

  turnBegins(startedMs: number): void {
    this.#turnStartedMs = startedMs;
  }

  turn({ startedMs, endedMs, waiting }: MeasuredTurn): void {
    this.add("turn", endedMs - startedMs);
    this.add("mailbox", waiting);
    if (this.#appliedAtMs === undefined) return;
    this.add("stage.reply", endedMs - this.#appliedAtMs);
    this.#appliedAtMs = undefined;
  }

  /** Reports every second, and watches the event loop, until the returned function is called. */
  start(tell: (report: MeasuresReport) => void): () => void {
    const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    delays.enable();
    const timer = setInterval(() => {
      // The worst of each second: what is lost in a mean is what clients notice.
      const delayMs = delays.max / NANOSECONDS - DELAY_RESOLUTION_MS;
      if (delays.count > 0) this.add("eventLoopDelay", Math.max(delayMs, 0));
      delays.reset();
      tell(this.report());
    }, REPORT_EVERY_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      delays.disable();
    };
  }

  report(): MeasuresReport {
    return {
      kind: "measuresReport",
      thread: this.#thread,
      histograms: [...this.#histograms].map(([name, histogram]) => [name, histogram.report()]),
      counters: [...this.#counters],
    };
  }
}

/** Only who asks for an admin server has the node measured. */
export function meterOf(
  { adminServer, id }: Pick<NodeConfig, "adminServer" | "id">,
  thread: string,
): Meter | undefined {
  return adminServer ? new Meter(thread, id) : undefined;
}

/** The clock of meters. */
export function meterNowMs(): number {
  return performance.now();
}
