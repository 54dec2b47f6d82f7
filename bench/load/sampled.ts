/** A load that goes on until it is stopped, and tells of each request. */
import { Driver } from "./driver-process.ts";
import type { LoadPlan } from "./plan.ts";
import { type LoadResult, merged } from "./run.ts";
import type { Samples } from "./samples.ts";

/** It ends by itself then, if nobody stops it. */
const SECONDS_MAX = 86_400;

export class SampledLoad implements Disposable {
  readonly #driver = new Driver();
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.#driver.end();

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  /** Resolves when its warm-up is over. */
  static async start(
    plan: Omit<LoadPlan, "seconds" | "keepsSamples">,
    signal: AbortSignal,
  ): Promise<SampledLoad> {
    signal.throwIfAborted();
    const load = new SampledLoad(signal);
    try {
      const whole = { ...plan, seconds: SECONDS_MAX, keepsSamples: true, process: 0, processes: 1 };
      await load.#driver.prepare({ kind: "prepare", plan: whole });
      load.#driver.start().catch(() => {}); // Whoever stops it learns how it ended.
      await load.#driver.measuring;
      return load;
    } catch (error) {
      load[Symbol.dispose]();
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Resolves with the samples since the last call. One call at a time. */
  samples(): Promise<Samples> {
    return this.#driver.samples();
  }

  /** Resolves when all replies have come, with the samples that nobody has asked for. */
  async stop(): Promise<{ readonly result: LoadResult; readonly samples: Samples | undefined }> {
    const result = await this.#driver.stop();
    return { result: merged([result]), samples: result.samples };
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#driver.end();
  }
}
