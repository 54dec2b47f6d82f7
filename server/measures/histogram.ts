/** Counts values by buckets, as Prometheus' histograms do. To add a value takes a few comparisons and no memory. */
import type { HistogramReport } from "../../actors/admin/messages.ts";

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** `bounds`: the largest value of each bucket but the last, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  report(): HistogramReport {
    return {
      bounds: this.#bounds,
      counts: [...this.#counts],
      sum: this.#sum,
      min: this.#max === 0 && this.#sum === 0 ? 0 : this.#min,
      max: this.#max,
    };
  }
}
