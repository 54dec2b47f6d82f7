/**
 * Copies of bytes that will be overwritten. An array buffer for each small copy would cost a microsecond to allocate and to collect, so
 * copies lie one behind the other in common buffers, which are never written twice: a copy may be handed out and kept.
 */
const BUFFER_BYTES = 16 * 1024;

export class Copies {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** Returns a copy of what `source` has from `start` to `end`: at most as many bytes as a buffer has. */
  take(source: Buffer, start: number, end: number): Uint8Array {
    const length = end - start;
    if (this.#used + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(BUFFER_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += length;
    source.copy(this.#bytes, at, start, end);
    return this.#bytes.subarray(at, at + length);
  }
}
