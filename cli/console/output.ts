/** Where a command prints: results to standard output as text or as JSON lines, everything else to standard error. */
import { Printer } from "../printer.ts";
import type { Io } from "./context.ts";
import { escaped, escapedText } from "./escape.ts";

export class Output {
  /** Whether results are printed as one JSON object a line. */
  readonly isJson: boolean;
  readonly isTerminal: boolean;
  readonly #io: Io;
  readonly #printer: Printer;

  constructor(io: Io, isJson: boolean) {
    this.#io = io;
    this.isJson = isJson;
    this.isTerminal = io.stdout.isTTY === true;
    this.#printer = new Printer(io.stdout);
  }

  /** The name of a znode, or another text of one line, as it is safe to show where standard output goes. */
  shown(text: string): string {
    return this.isTerminal ? escaped(text) : text;
  }

  async lines(lines: readonly string[]): Promise<void> {
    await this.#printer.print(lines);
  }

  async line(text: string): Promise<void> {
    await this.lines([text]);
  }

  async json(value: object): Promise<void> {
    // What is escaped stays valid JSON.
    await this.line(this.shown(JSON.stringify(value)));
  }

  /** A value byte for byte, but on a terminal as text that does nothing to it, and with an end of line. */
  async data(data: Uint8Array): Promise<void> {
    if (!this.isTerminal) {
      await this.#printer.write(data);
      return;
    }
    await this.line(escapedText(new TextDecoder().decode(data)));
  }

  /** Tells the user something that is no result. */
  note(text: string): void {
    this.#io.stderr.write(`${escapedText(text)}\n`);
  }
}
