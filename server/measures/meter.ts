/**
 * Measures one thread of a node: what each stage of a write takes, how long the loop is busy and how much waits for it. Nothing is done for a
 * single operation; a batch costs a few additions. The node's actors know nothing of it.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { MeasuresReport } from "../../actors/admin/messages.ts";
import type { SlowRecord, SlowStages } from "../../actors/admin/slow/messages.ts";
import type { HeldUp } from "../../actors/gateway/messages.ts";
import type { Committed } from "../../actors/log-sync/messages.ts";
import type { ServerId } from "../../protocol/ids.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { MeasuredStep, MeasuredTurn, StepMeter, ThreadMeter } from "../../runtime/meter.ts";
import { type NodeConfig, slowRequestMs } from "../config/node-config.ts";
import { traceMeasure } from "../diagnostics.ts";
import { Histogram } from "./histogram.ts";
import { LeaderMeter } from "./leader-meter.ts";
import { boundsOf, type Counted, type Measure } from "./measures.ts";
import { SlowMeter } from "./slow-meter.ts";
import { SubmitterMeter } from "./submitter-meter.ts";

const REPORT_EVERY_MS = 1_000;
/** How finely the delay of the event loop is looked at. */
const DELAY_RESOLUTION_MS = 20;
const NANOSECONDS = 1e6;
/** From so many milliseconds on, what a tree applies is said to have held its turn of the loop up. */
const HELD_UP_MS_MIN = 1;
/** A request waits for little else than its records: where those took this part of a slow request's time, they may be why. */
const SLOW_RECORD_PART = 4;

/** Where measurements go. */
export type Measuring = {
  readonly add: (measure: Measure, value: number) => void;
  readonly count: (counted: Counted, by: number) => void;
};

/** To an actor of the node. */
export type MeterTell = (
  to: string,
  message: MeasuresReport | SlowStages | SlowRecord | HeldUp,
) => void;

export class Meter implements ThreadMeter, Measuring {
  /** `main`, `log`, or the number of a lane. */
  readonly #thread: string;
  readonly #node: ServerId;
  readonly #histograms = new Map<Measure, Histogram>();
  readonly #counters = new Map<Counted, number>();
  readonly #slow = new SlowMeter((message) => this.#tell("admin", message));
  readonly #leader: LeaderMeter;
  #turnStartedMs = 0;
  /** Nobody before the meter is started. */
  #tell: MeterTell = () => undefined;
  /** When the tree had applied what was committed in this turn of the loop. */
  #appliedAtMs: number | undefined;

  /** `slowMs`: how long a slow request takes. Default: none is slow. */
  constructor(thread: string, node: ServerId, slowMs: number = Number.POSITIVE_INFINITY) {
    this.#thread = thread;
    this.#node = node;
    this.#leader = new LeaderMeter(this, {
      journal: this.#slow.writes,
      slowMs: slowMs / SLOW_RECORD_PART,
      onSlow: (record) => this.#tell("admin", record),
    });
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
      return new SubmitterMeter(this, () => this.#turnStartedMs, this.#slow.batches);
    }
    if (actor === "log-sync") return this.#leader;
    if (actor === "admin") return this.#slow.ofAdmin();
    if (/^(?:zookeeper|nats)\//.test(actor)) return this.#slow.ofGateway();
    if (!actor.startsWith("tree/")) return undefined;
    const kinds = new Set<Committed["kind"]>(["committed"]);
    const lane = actor.slice("tree/".length);
    return { kinds, step: (step) => this.#applied(lane, step) };
  }

  #applied(lane: string, { message, startedMs, endedMs }: MeasuredStep): void {
    const tookMs = endedMs - startedMs;
    this.add("stage.apply", tookMs);
    this.#appliedAtMs = endedMs;
    if (tookMs >= HELD_UP_MS_MIN) {
      // Ahead of the results, which go by the submitter.
      const heldUp: HeldUp = { kind: "heldUp", ms: tookMs };
      for (const gateway of [`zookeeper/${lane}`, `nats/${lane}`]) this.#tell(gateway, heldUp);
    }
    const last = (message as Committed).records.at(-1);
    if (last === undefined) return;
    const { lastZxid: through } = recordHeader(last);
    this.#slow.batches.applied({ through, startedMs, endedMs });
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
    this.#slow.turnEnds(endedMs);
    if (this.#appliedAtMs === undefined) return;
    this.add("stage.reply", endedMs - this.#appliedAtMs);
    this.#appliedAtMs = undefined;
  }

  /** Reports every second, and watches the event loop, until the returned function is called. */
  start(tell: MeterTell): () => void {
    this.#tell = tell;
    const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    delays.enable();
    const timer = setInterval(() => {
      // The worst of each second: what is lost in a mean is what clients notice.
      const delayMs = delays.max / NANOSECONDS - DELAY_RESOLUTION_MS;
      if (delays.count > 0) this.add("eventLoopDelay", Math.max(delayMs, 0));
      delays.reset();
      tell("admin", this.report());
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
  config: Pick<NodeConfig, "adminServer" | "id" | "slowRequestMs">,
  thread: string,
): Meter | undefined {
  const { adminServer, id } = config;
  return adminServer ? new Meter(thread, id, slowRequestMs(config)) : undefined;
}

/** The clock of meters. */
export function meterNowMs(): number {
  return performance.now();
}
