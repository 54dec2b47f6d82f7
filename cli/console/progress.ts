/** Shows how far long work has come on one line of the terminal, which is erased in the end. Elsewhere it shows nothing. */
import type { Io } from "./context.ts";

const SHOWN_AFTER_MS = 500;
const SHOWN_EVERY_MS = 100;

export class Progress {
  readonly #stream: Io["stderr"];
  readonly #startedMs: number = performance.now();
  #shownMs = 0;
  #isShown = false;

  constructor({ stderr }: Io) {
    this.#stream = stderr;
  }

  update(text: () => string): void {
    if (this.#stream.isTTY !== true) return;
    const nowMs = performance.now();
    if (nowMs - this.#startedMs < SHOWN_AFTER_MS || nowMs - this.#shownMs < SHOWN_EVERY_MS) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    this.#stream.write(`\r\u001b[K${text()}`);
  }

  clear(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[K");
    this.#isShown = false;
  }
}

/** A number with its thousands apart. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? "" : "s"}`;
}
