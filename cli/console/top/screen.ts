/**
 * A terminal that is drawn again and again, in a screen of its own, with keys that come at once. When it ends, however it does, the
 * terminal is as it was.
 */
import type { Io } from "../context.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const TOP_LEFT = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
const ROWS_DEFAULT = 24;
const COLUMNS_DEFAULT = 80;

export class Screen {
  readonly #io: Io;
  readonly #onKey: (key: string) => void;
  readonly #hasKeys: boolean;
  readonly #take = (keys: Buffer | string): void => {
    for (const key of String(keys)) this.#onKey(key);
  };
  readonly #leave = (): void => {
    if (this.#hasKeys) this.#io.stdin.setRawMode?.(false);
    this.#io.stdout.write(LEAVE);
  };

  /** `hasKeys`: nobody else reads the terminal. */
  constructor(io: Io, hasKeys: boolean, onKey: (key: string) => void) {
    this.#io = io;
    this.#hasKeys = hasKeys;
    this.#onKey = onKey;
    // A process that a second signal ends leaves no time for anything else.
    process.once("exit", this.#leave);
    io.stdout.write(ENTER);
    if (!hasKeys) return;
    io.stdin.setRawMode?.(true);
    io.stdin.on("data", this.#take);
    io.stdin.resume();
  }

  /** What has no place on the terminal is left out. The lines are safe to show. */
  draw(lines: readonly string[]): void {
    const { rows = ROWS_DEFAULT, columns = COLUMNS_DEFAULT } = this.#io.stdout;
    const shown = lines.slice(0, rows).map((line) => line.slice(0, columns) + CLEAR_LINE);
    this.#io.stdout.write(`${TOP_LEFT}${shown.join("\r\n")}${CLEAR_BELOW}`);
  }

  close(): void {
    process.removeListener("exit", this.#leave);
    if (this.#hasKeys) {
      this.#io.stdin.removeListener("data", this.#take);
      this.#io.stdin.pause();
    }
    this.#leave();
  }
}
