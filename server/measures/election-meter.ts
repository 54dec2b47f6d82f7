/** Measures elections by what the node says of them in its log. */
import type { Phase } from "./measures.ts";
import type { Measuring } from "./meter.ts";

export class ElectionMeter {
  readonly #measuring: Measuring;
  #lookingSinceMs: number | undefined;
  /** Since when the phase that is under way lasts. */
  #phaseSinceMs: number | undefined;

  /** A node that starts looks for a leader. */
  constructor(measuring: Measuring, nowMs: number) {
    this.#measuring = measuring;
    this.#begin(nowMs);
  }

  /** `event`: what the node logs. */
  take(event: string, nowMs: number): void {
    switch (event) {
      case "looking":
        this.#begin(nowMs);
        return;
      case "elected":
        this.#phase("vote", nowMs);
        return;
      case "establishing":
        this.#phase("promise", nowMs);
        return;
      case "leading":
        this.#phase("establish", nowMs);
        this.#end(nowMs);
        return;
      case "following":
        this.#phase("follow", nowMs);
        this.#end(nowMs);
        return;
      default:
        return;
    }
  }

  #begin(nowMs: number): void {
    this.#measuring.count("elections", 1);
    this.#lookingSinceMs ??= nowMs;
    this.#phaseSinceMs = nowMs;
  }

  #phase(phase: Phase, nowMs: number): void {
    if (this.#phaseSinceMs === undefined) return;
    this.#measuring.add(`phase.${phase}`, nowMs - this.#phaseSinceMs);
    this.#phaseSinceMs = nowMs;
  }

  #end(nowMs: number): void {
    if (this.#lookingSinceMs !== undefined) {
      this.#measuring.add("leaderless", nowMs - this.#lookingSinceMs);
    }
    this.#lookingSinceMs = undefined;
    this.#phaseSinceMs = undefined;
  }
}
