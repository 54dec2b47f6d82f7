/** Shows how far long work has come on one line of the terminal, which is erased in the end. Elsewhere it shows nothing. */
import type { Writable } from "node:stream";

const SHOWN_AFTER_MS = 500;
const SHOWN_EVERY_MS = 100;

/** A stream that may be a terminal. */
type Screen = Writable & { readonly isTTY?: boolean | undefined };

export class Progress {
  readonly #stream: Screen;
  readonly #startedMs: number = performance.now();
  #shownMs = 0;
  #isShown = false;

  constructor(stream: Screen) {
    this.#stream = stream;
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
