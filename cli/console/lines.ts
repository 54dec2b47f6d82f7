/** Reads lines of text from a stream, none of which may be too long to keep. */
import { MisusedError } from "./exit-codes.ts";

/** A znode's value and list as JSON: at worst each byte takes six characters. */
const LINE_CHARACTERS_MAX: number = 16 * 1024 * 1024;

export async function* linesOf(
  stream: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const text = typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
    const [first = "", ...others] = text.split("\n");
    rest += first;
    for (const other of others) {
      yield rest.replace(/\r$/, "");
      rest = other;
    }
    if (rest.length > LINE_CHARACTERS_MAX) {
      throw new MisusedError(`a line has more than ${LINE_CHARACTERS_MAX} characters`);
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
