/** Bytes as a list of choices: whatever they are they mean something, so that changing them changes what is done. */

export class Script {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** 0 behind the end. */
  byte(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  below(count: number): number {
    return this.byte() % count;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** The bytes themselves; as many as the next one says. */
  raw(): Uint8Array {
    const length = this.byte();
    const raw = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return raw;
  }
}
