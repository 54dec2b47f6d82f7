/** The worker that runs the simulator: made when something is asked of it, and ended when a run is stopped. */
import type { FromWorker, ToWorker } from "../messages.ts";

/** A worker that says nothing for so long will never be done. */
const SILENCE_MS = 120_000;

export class Runner {
  readonly #onMessage: (message: FromWorker) => void;
  readonly #onFailure: (text: string) => void;
  #worker: Worker | undefined;
  /** The mistake that is planted in the sources of this worker. */
  #mistake = "";
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(onMessage: (message: FromWorker) => void, onFailure: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#onFailure = onFailure;
  }

  /** What was asked before ends. */
  ask(mistake: string, message: ToWorker): void {
    if (this.#watchdog !== undefined || mistake !== this.#mistake) this.stop();
    this.#mistake = mistake;
    this.#worker ??= this.#start(mistake);
    this.#watch();
    this.#worker.postMessage(message);
  }

  stop(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(mistake: string): Worker {
    const name = mistake === "" ? "worker" : `worker-${mistake}`;
    const worker = new Worker(new URL(`${name}.js`, import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "done" || data.kind === "failed") {
        clearTimeout(this.#watchdog);
        this.#watchdog = undefined;
      } else {
        this.#watch();
      }
      this.#onMessage(data);
    };
    worker.onerror = ({ message }) => {
      this.#fail(`The simulator does not run here: ${message || "its script was not loaded"}`);
    };
    return worker;
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#fail(`The run was stopped: nothing was heard of it for ${SILENCE_MS / 1000} s.`);
    }, SILENCE_MS);
  }

  #fail(text: string): void {
    this.stop();
    this.#onFailure(text);
  }
}
