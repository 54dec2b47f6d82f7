/**
 * Reads CBOR item by item, for who knows what to expect: short integers and lengths, finite doubles that are integers, ASCII texts, byte
 * strings, null. It fails at everything else that the profile (`cbor-profile.ts`) allows, and at everything that the profile does not.
 */
const BYTES_HEAD = 0x40;
const TEXT_HEAD = 0x60;
const ARRAY_HEAD = 0x80;
const NEGATIVE_HEAD = 0x20;
const NULL = 0xf6;
const DOUBLE = 0xfb;
const ASCII_END = 0x80;

const NO_BYTES = new Uint8Array(0);

/** Byte strings are copied in blocks of this size, so that keeping one does not keep a whole frame in memory. */
const BLOCK_BYTES = 8 * 1024;
/** A byte string above this size is copied by itself. */
const SHARED_BYTES_MAX = 1024;

/** After an item that is not as expected it has failed, and what it returns from then on means nothing. */
export class CborReader {
  failed = false;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #length: number;
  #at = 0;
  /** A copy of the bytes from `blockFrom` to `blockEnd`, into which several byte strings are views. */
  #block = NO_BYTES;
  #blockFrom = 0;
  #blockEnd = 0;

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, length } = bytes;
    this.#bytes = Buffer.from(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
    this.#length = length;
  }

  get atEnd(): boolean {
    return this.#at === this.#length;
  }

  fail(): void {
    this.failed = true;
  }

  arrayLength(): number {
    return this.#argumentOf(ARRAY_HEAD);
  }

  /** An integer of 0 or above. */
  count(): number {
    const value = this.integer();
    if (value < 0) this.fail();
    return value;
  }

  integer(): number {
    const initial = this.#bytes[this.#at] ?? NULL;
    if (initial < NEGATIVE_HEAD) return this.#argumentOf(0);
    if (initial < BYTES_HEAD) return -1 - this.#argumentOf(NEGATIVE_HEAD);
    const from = this.#at + 1;
    if (initial !== DOUBLE || from + 8 > this.#length) {
      this.fail();
      return 0;
    }
    this.#at = from + 8;
    const value = this.#view.getFloat64(from);
    if (!Number.isSafeInteger(value)) this.fail();
    return value;
  }

  asciiText(): string {
    const end = this.#argumentOf(TEXT_HEAD) + this.#at;
    const from = this.#at;
    const bytes = this.#bytes;
    if (end > this.#length) this.fail();
    if (this.failed) return "";
    for (let index = from; index < end; index += 1) {
      if ((bytes[index] as number) >= ASCII_END) this.fail();
    }
    this.#at = end;
    return bytes.toString("latin1", from, end);
  }

  byteStringOrNull(): Uint8Array | null {
    if (this.#bytes[this.#at] === NULL) {
      this.#at += 1;
      return null;
    }
    const length = this.#argumentOf(BYTES_HEAD);
    const from = this.#at;
    const end = from + length;
    if (end > this.#length) this.fail();
    if (this.failed) return null;
    this.#at = end;
    if (length > SHARED_BYTES_MAX) return new Uint8Array(this.#bytes.subarray(from, end));
    if (end > this.#blockEnd) this.#copyFrom(from);
    return new Uint8Array(this.#block.buffer, from - this.#blockFrom, length);
  }

  #copyFrom(from: number): void {
    this.#blockFrom = from;
    this.#blockEnd = Math.min(from + BLOCK_BYTES, this.#length);
    this.#block = new Uint8Array(this.#bytes.subarray(from, this.#blockEnd));
  }

  /** The argument of a head of this kind, of at most 32 bits. */
  #argumentOf(head: number): number {
    const bytes = this.#bytes;
    const at = this.#at;
    const info = (bytes[at] ?? NULL) - head;
    if (info >= 0 && info < 24) {
      this.#at = at + 1;
      return info;
    }
    const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : 0;
    if (size === 0 || at + 1 + size > this.#length) {
      this.fail();
      return 0;
    }
    this.#at = at + 1 + size;
    if (size === 1) return bytes[at + 1] as number;
    return size === 2 ? this.#view.getUint16(at + 1) : this.#view.getUint32(at + 1);
  }
}
