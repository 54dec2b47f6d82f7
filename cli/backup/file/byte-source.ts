/** Takes a stream of bytes in pieces of the length that its reader asks for. It holds the last piece of the stream, and what is asked for. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #position = 0;
  #ended = false;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** How many bytes were taken. */
  get position(): number {
    return this.#position;
  }

  /** Returns the next bytes without taking them: fewer than `length` only at the end of the stream. */
  async peek(length: number): Promise<Buffer> {
    await this.#hold(length);
    const [first] = this.#held;
    if (first !== undefined && first.length >= length) return first.subarray(0, length);
    const all = Buffer.concat(this.#held);
    this.#held = all.length === 0 ? [] : [all];
    return all.subarray(0, length);
  }

  /** Takes the next bytes: fewer than `length` only at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const taken = await this.peek(length);
    this.#position += taken.length;
    this.#heldBytes -= taken.length;
    const rest = this.#held[0]?.subarray(taken.length);
    if (rest === undefined || rest.length === 0) this.#held.shift();
    else this.#held[0] = rest;
    return taken;
  }

  async isAtEnd(): Promise<boolean> {
    await this.#hold(1);
    return this.#heldBytes === 0;
  }

  async #hold(length: number): Promise<void> {
    while (this.#heldBytes < length && !this.#ended) {
      const next = await this.#pieces.next();
      if (next.done === true) this.#ended = true;
      else if (next.value.length > 0) {
        const { buffer, byteOffset, length: bytes } = next.value;
        this.#held.push(Buffer.from(buffer, byteOffset, bytes));
        this.#heldBytes += bytes;
      }
    }
  }
}
