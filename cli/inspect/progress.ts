/** Shows how far a long look has come, on one line of the terminal that is erased when the look is done. */
import { sizeText } from "./text.ts";

const SHOWN_AFTER_MS = 500;
const SHOWN_EVERY_MS = 100;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs: number = performance.now();
  #shownMs = 0;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(doneBytes: number, allBytes: number): void {
    const nowMs = performance.now();
    const isDue =
      nowMs - this.#startedMs > SHOWN_AFTER_MS && nowMs - this.#shownMs > SHOWN_EVERY_MS;
    if (!this.#stream.isTTY || !isDue) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    const percent = allBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / allBytes) * 100));
    this.#stream.write(`\r\u001b[Kreading ${sizeText(allBytes)}: ${percent} %`);
  }

  clear(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[K");
    this.#isShown = false;
  }
}
