/** Writes to a stream and waits until it is written: what is still in a pipe's buffer is lost when the process exits. */
import type { Writable } from "node:stream";

const LINES_AT_ONCE = 1000;

/** The reader of the output has closed it, as `head` does when it has enough. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

export class Printer {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Each write reports its own failure.
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }

  async print(lines: readonly string[]): Promise<void> {
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      await this.write(`${lines.slice(from, from + LINES_AT_ONCE).join("\n")}\n`);
    }
  }

  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error === null || error === undefined) resolve();
        else if ("code" in error && error.code === "EPIPE") {
          reject(new ReaderGone("the output is not read any more", { cause: error }));
        } else reject(error);
      });
    });
  }
}

function ignore(): void {
  // A stream without a listener would end the process.
}
