/** Each request of a load by itself, for whoever asks what happened at a time, rather than over the whole load. */

export type Samples = {
  /** When each was sent (in an open loop: was due), by `systemMs`. They are in the order of their replies. */
  readonly sentMs: Float64Array;
  readonly latencyMs: Float64Array;
  /** 1 for a read, 0 for a write. */
  readonly isRead: Uint8Array;
};

/** Milliseconds by the clock that all processes of a machine share and nobody sets. `performance.now()` counts from a process's start. */
export function systemMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class SampleLog {
  #sentMs: number[] = [];
  #latencyMs: number[] = [];
  #isRead: number[] = [];

  /** `sentMs` is of `performance.now()`. */
  add(sentMs: number, latencyMs: number, isRead: boolean): void {
    this.#sentMs.push(sentMs);
    this.#latencyMs.push(latencyMs);
    this.#isRead.push(isRead ? 1 : 0);
  }

  /** Returns those that came since the last call. */
  take(): Samples {
    const offsetMs = systemMs() - performance.now();
    const samples = {
      sentMs: Float64Array.from(this.#sentMs, (sentMs) => sentMs + offsetMs),
      latencyMs: Float64Array.from(this.#latencyMs),
      isRead: Uint8Array.from(this.#isRead),
    };
    [this.#sentMs, this.#latencyMs, this.#isRead] = [[], [], []];
    return samples;
  }
}
