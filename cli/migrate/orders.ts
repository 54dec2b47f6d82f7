/** What the user says while a migration runs: a line that is typed, or the signal SIGUSR2. */
import { createInterface, type Interface } from "node:readline";
import type { Io } from "../console/context.ts";

const SIGNAL = "SIGUSR2";

export class Orders {
  /** The word that means to go on; the signal means the same. */
  word: string;
  readonly #lines: Interface;
  readonly #unknown: (text: string) => void;
  #wanted = false;
  #wake: () => void = () => undefined;

  constructor({ stdin }: Io, word: string, unknown: (text: string) => void) {
    this.word = word;
    this.#unknown = unknown;
    this.#lines = createInterface({ input: stdin });
    this.#lines.on("line", (text) => this.#typed(text.trim()));
    process.on(SIGNAL, this.#go);
  }

  /** The user wants to go on: asked once, it is not so any more. */
  take(): boolean {
    const wanted = this.#wanted;
    this.#wanted = false;
    return wanted;
  }

  /** Resolves when the user wants to go on, or the time has passed. */
  async within(ms: number): Promise<void> {
    if (this.#wanted) return;
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = setTimeout(woken.resolve, ms);
    await woken.promise;
    clearTimeout(timer);
  }

  close(): void {
    process.off(SIGNAL, this.#go);
    this.#lines.close();
  }

  #typed(text: string): void {
    if (text === this.word) this.#go();
    else if (text !== "") this.#unknown(text);
  }

  readonly #go = (): void => {
    this.#wanted = true;
    this.#wake();
  };
}
