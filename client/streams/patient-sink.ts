/**
 * A sink that knows whether its consumer has taken all that it was given. After a gap a feed waits for that before it begins again: what
 * was given before counts in no window of the new subscription, and would pile up behind a consumer that has gap after gap.
 */
import type { Portion, Sink } from "./change-stream.ts";

export class PatientSink<T> implements Sink<T> {
  readonly #sink: Sink<T>;
  #untaken = 0;
  #then: (() => void) | undefined;

  constructor(sink: Sink<T>) {
    this.#sink = sink;
  }

  given(portion: Portion<T>, taken: () => void): void {
    this.#untaken += 1;
    this.#sink.given(portion, () => {
      this.#untaken -= 1;
      taken();
      if (this.#untaken > 0) return;
      const then = this.#then;
      this.#then = undefined;
      then?.();
    });
  }

  failed(error: Error): void {
    this.#sink.failed(error);
  }

  /** Runs it when the consumer has taken all that it was given, which may be now. */
  whenTaken(run: () => void): void {
    if (this.#untaken === 0) run();
    else this.#then = run;
  }
}
