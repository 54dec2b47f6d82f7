/**
 * Writes in waves: a wave is so many writes, and it is over when each has been answered and every subscriber has received its changes.
 * Several writers have waves under way, so that servers need not wait for the end of one. A server that falls behind thus slows the
 * writers, and no number of changes piles up anywhere.
 */
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../../failure.ts";
import { LatencyHistogram } from "../../../cli/latency-histogram.ts";
import type { Received } from "./audience.ts";

/** Writes each of a wave's znodes once. Resolves when all writes are answered. */
export type WriteWave = () => Promise<void>;

export type Waves = { readonly waves: number; readonly latencies: LatencyHistogram };

const LOOK_EVERY_MS = 1;
const STUCK_AFTER_MS = 30_000;

export class WaveRunner {
  readonly #received: Received;
  readonly #waveSize: number;
  /** How many changes there have been in all: those of waves that are answered. */
  #answered = 0;

  constructor(received: Received, waveSize: number) {
    this.#received = received;
    this.#waveSize = waveSize;
  }

  /** Runs waves on all writers until the time is over. */
  async run(
    writers: readonly WriteWave[],
    durationMs: number,
    signal: AbortSignal,
  ): Promise<Waves> {
    const endMs = performance.now() + durationMs;
    const latencies = new LatencyHistogram();
    let waves = 0;
    await Promise.all(
      writers.map(async (write) => {
        while (performance.now() < endMs) {
          signal.throwIfAborted();
          const startMs = performance.now();
          await write();
          this.#answered += this.#waveSize;
          await this.#untilReceived(this.#answered);
          latencies.record((performance.now() - startMs) * 1000);
          waves += 1;
        }
      }),
    );
    return { waves, latencies };
  }

  /** Resolves when every subscriber has received so many changes. */
  async #untilReceived(changes: number): Promise<void> {
    const startMs = performance.now();
    while (this.#received.least < changes) {
      if (performance.now() - startMs > STUCK_AFTER_MS) {
        const { least } = this.#received;
        throw new BenchError(
          `a subscriber has received ${least} of ${changes} changes and no more`,
        );
      }
      await delay(LOOK_EVERY_MS);
    }
  }
}
