/** Time and chance as the runtime hands them to actors. The simulator has its own. */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Unix milliseconds. */
  wallMs(): number;
  /** Runs `run` after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** Runs `run` once the events that are at hand have been taken in. */
  soon(run: () => void): void;
}

export interface Randomness {
  /** Uniform in [0, 1). */
  random(): number;
  randomBytes(length: number): Uint8Array;
}
