/** The figures of many runs together, as text. */
import { RECORDED } from "./client/shapes.ts";
import { CONVERGENCE_MS, type SimResult } from "./simulate.ts";

/** In so many runs every shape should have been drawn. */
const SHAPES_FROM_RUNS = 100;

export class Figures {
  runs = 0;
  failed = 0;
  #virtualMs = 0;
  #convergedMs = 0;
  #steps = 0;
  #incarnations = 0;
  readonly #clients = new Map<string, number>();
  readonly #streams = new Map<string, number>();
  readonly #subjects = new Map<string, number>();
  /** What became of calls and streams over ZooKeeper's protocol. */
  readonly zookeepers: Map<string, number> = new Map();
  readonly #network = new Map<string, number>();
  readonly #placements = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #states = new Set<string>();
  readonly #shapes = new Set<number>();
  /** What became of removeRecursives. */
  readonly removals: Map<string, number> = new Map();
  /** Znodes whose children stood in several orders. */
  otherOrders = 0;

  add(result: SimResult): void {
    this.runs += 1;
    this.#virtualMs += result.virtualMs;
    this.#convergedMs = Math.max(this.#convergedMs, result.convergedMs);
    this.#steps += result.steps;
    this.#incarnations += result.starts;
    addAll(this.#clients, result.clients);
    addAll(this.#streams, result.streams);
    addAll(this.#subjects, result.subjects);
    addAll(this.zookeepers, result.zookeepers);
    addAll(this.#network, result.network);
    addAll(this.#placements, { [result.placement]: 1 });
    addAll(this.#faults, result.faults);
    for (const state of result.coverage) this.#states.add(state);
    for (const shape of result.shapes) this.#shapes.add(shape);
    addAll(this.removals, result.removals);
    this.otherOrders += result.otherOrders;
  }

  /** The recorded shapes of real clients' requests that no client has drawn. */
  get shapesMissing(): readonly string[] {
    return RECORDED.filter((_, index) => !this.#shapes.has(index));
  }

  /** A single run draws few of them, as it should. */
  #missingText(): string {
    const missing = this.runs < SHAPES_FROM_RUNS ? [] : this.shapesMissing;
    return missing.length === 0 ? "" : `; never drawn: ${missing.join(" ")}`;
  }

  /** One line. */
  progress(elapsedMs: number): string {
    const done = this.runs + this.failed;
    const rate = (done / (elapsedMs / 1000)).toFixed(1);
    const faults = [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
    return [
      `${done} seeds, ${rate}/s`,
      `${hours(this.#virtualMs)} virtual hours`,
      `${faults} faults of ${this.#faults.size} kinds`,
      `${this.#states.size} states`,
      `${this.failed} failed`,
    ].join(", ");
  }

  text(elapsedMs: number): string {
    return [
      this.progress(elapsedMs),
      `  steps ${this.#steps}, incarnations of nodes ${this.#incarnations}, slowest convergence ${Math.round(this.#convergedMs)} ms of at most ${CONVERGENCE_MS}`,
      `  placements: ${listed(this.#placements)}`,
      `  clients: ${listed(this.#clients)}`,
      `  change streams: ${listed(this.#streams)}; messages of native clients: ${listed(this.#subjects)}`,
      `  the client over ZooKeeper's protocol: ${listed(this.zookeepers)}`,
      `  requests of real clients: ${this.#shapes.size} shapes of ${RECORDED.length}${this.#missingText()}`,
      `  removeRecursives: ${listed(this.removals)}; znodes whose children stood in several orders ${this.otherOrders}`,
      `  network: ${listed(this.#network)}`,
      `  faults: ${listed(this.#faults) || "none"}`,
    ].join("\n");
  }
}

function addAll(to: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) to.set(name, (to.get(name) ?? 0) + count);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

function hours(ms: number): string {
  return (ms / 3_600_000).toFixed(2);
}
