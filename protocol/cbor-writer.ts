/**
 * Writes CBOR piece by piece into one buffer, byte for byte as `encodeCbor` does. So a list that goes to many receivers is encoded once,
 * and each receiver's frame is made of it and of what is the receiver's own.
 */
import { encodeCbor } from "./cbor.ts";

export const BYTES = 2;
const TEXT = 3;
export const ARRAY = 4;

const UNSIGNED = 0;
const NEGATIVE = 1;
const NULL = 0xf6;
const DOUBLE = 0xfb;
const ASCII_END = 0x80;
const UINT32_END = 2 ** 32;
/** A head has at most this many bytes, and so has a number. */
const HEAD_BYTES = 9;
/** What is taken are views of buffers of this size, or of a larger one for what alone is larger. */
const BUFFER_BYTES: number = 256 * 1024;

export class CborWriter {
  #bytes = Buffer.allocUnsafeSlow(0);
  #view = new DataView(this.#bytes.buffer);
  /** What is before `start` was taken. */
  #start = 0;
  #at = 0;

  /** Returns what was written since the last call. The bytes are never written again. */
  take(): Uint8Array {
    const { buffer } = this.#bytes;
    const taken = new Uint8Array(buffer, this.#start, this.#at - this.#start);
    this.#start = this.#at;
    if (this.#bytes.length > BUFFER_BYTES) this.#continueIn(Buffer.allocUnsafeSlow(0));
    return taken;
  }

  array(length: number): void {
    this.#ensure(HEAD_BYTES);
    this.#head(ARRAY, length);
  }

  /** An integer within 32 bits and a sign, as such; any other number as a double. */
  number(value: number): void {
    this.#ensure(HEAD_BYTES);
    if (value >>> 0 === value) this.#head(UNSIGNED, value);
    else if (value < 0 && value >= -UINT32_END && Number.isInteger(value)) {
      this.#head(NEGATIVE, -1 - value);
    } else {
      this.#bytes[this.#at] = DOUBLE;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += HEAD_BYTES;
    }
  }

  text(value: string): void {
    const { length } = value;
    this.#ensure(HEAD_BYTES + length);
    const start = this.#at;
    this.#head(TEXT, length);
    const bytes = this.#bytes;
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit >= ASCII_END) {
        this.#at = start;
        this.encoded(encodeCbor(value));
        return;
      }
      bytes[this.#at + index] = unit;
    }
    this.#at += length;
  }

  byteStringOrNull(value: Uint8Array | null): void {
    this.#ensure(HEAD_BYTES);
    if (value === null) {
      this.#bytes[this.#at] = NULL;
      this.#at += 1;
      return;
    }
    this.#head(BYTES, value.length);
    this.encoded(value);
  }

  /** Items that are CBOR already. */
  encoded(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #head(major: number, argument: number): void {
    const initial = major << 5;
    const bytes = this.#bytes;
    const at = this.#at;
    if (argument < 24) {
      bytes[at] = initial | argument;
      this.#at = at + 1;
    } else if (argument < 0x100) {
      bytes[at] = initial | 24;
      bytes[at + 1] = argument;
      this.#at = at + 2;
    } else if (argument < 0x1_0000) {
      bytes[at] = initial | 25;
      this.#view.setUint16(at + 1, argument);
      this.#at = at + 3;
    } else {
      bytes[at] = initial | 26;
      this.#view.setUint32(at + 1, argument);
      this.#at = at + 5;
    }
  }

  #ensure(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const needed = this.#at - this.#start + more;
    this.#continueIn(Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, 2 * needed)));
  }

  #continueIn(bytes: Buffer<ArrayBuffer>): void {
    const written = this.#bytes.subarray(this.#start, this.#at);
    bytes.set(written);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#start = 0;
    this.#at = written.length;
  }
}
