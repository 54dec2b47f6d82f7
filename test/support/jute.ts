/**
 * ZooKeeper's wire format for tests: big-endian numbers, buffers and strings behind a length (-1: null), vectors behind a count.
 * Written from the protocol's description alone, so that a mistake in the product's own codec cannot hide in its tests.
 */

export class JuteWriter {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigInt64BE(value);
    this.#parts.push(part);
    return this;
  }

  bool(value: boolean): this {
    this.#parts.push(Buffer.from([value ? 1 : 0]));
    return this;
  }

  buffer(value: Buffer | null): this {
    if (value === null) return this.int(-1);
    this.int(value.length);
    this.#parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value, "utf8"));
  }

  raw(value: Buffer): this {
    this.#parts.push(value);
    return this;
  }

  texts(values: readonly string[]): this {
    this.int(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class JuteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  int(): number {
    this.#offset += 4;
    return this.#bytes.readInt32BE(this.#offset - 4);
  }

  long(): bigint {
    this.#offset += 8;
    return this.#bytes.readBigInt64BE(this.#offset - 8);
  }

  bool(): boolean {
    this.#offset += 1;
    return this.#bytes.readUInt8(this.#offset - 1) !== 0;
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    if (length > this.left) throw new Error(`a buffer of ${length} bytes in ${this.left}`);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  text(): string {
    return this.buffer()?.toString("utf8") ?? "";
  }

  texts(): string[] {
    return Array.from({ length: Math.max(0, this.int()) }, () => this.text());
  }

  /** Every reply must have been read to its last byte. */
  end(): void {
    if (this.left !== 0) throw new Error(`${this.left} bytes too many`);
  }
}

/** The frame of one message: its length before it. */
export function frame(payload: Buffer): Buffer {
  return new JuteWriter().buffer(payload).bytes();
}
