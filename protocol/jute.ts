/**
 * Jute, the binary format of ZooKeeper's protocol: big-endian integers, length-prefixed bytes and strings. This is the hot
 * path of every request, so the reader keeps its first fault as data instead of throwing, and the writer allocates its buffers in slabs.
 */
import { javaText } from "./java-text.ts";

/** Why bytes are not the record they should be. */
export type JuteFault =
  | "the bytes end too early"
  | "a length is negative or beyond the bytes"
  | "a count is negative or beyond the bytes"
  | "a list is null"
  | "a path is null";

const EMPTY: Buffer = Buffer.alloc(0);
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads fields one after the other. After a fault every read returns zero, null or an empty value, so a caller reads its whole record
 * and then looks at `fault` once. Buffers are views into the bytes that were passed.
 */
export class JuteReader {
  fault: JuteFault | undefined = undefined;
  #bytes: Buffer = EMPTY;
  #position = 0;
  #end = 0;

  /** Starts over with the bytes from `start` to `end`. */
  reset(bytes: Buffer, start = 0, end: number = bytes.length): this {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.fault = undefined;
    return this;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#end - this.#position;
  }

  int32(): number {
    const position = this.#position;
    if (!this.#take(4)) return 0;
    const bytes = this.#bytes;
    return (
      ((bytes[position] as number) << 24) |
      ((bytes[position + 1] as number) << 16) |
      ((bytes[position + 2] as number) << 8) |
      (bytes[position + 3] as number)
    );
  }

  /** Reads 64 bits. The result is exact for safe integers; beyond them it is the nearest double. */
  int64(): number {
    const high = this.int32();
    const low = this.int32() >>> 0;
    return this.fault === undefined ? high * 2 ** 32 + low : 0;
  }

  /** Reads 64 bits whatever they stand for, such as a session of ZooKeeper's. */
  int64Exact(): bigint {
    const high = this.int32();
    const low = this.int32() >>> 0;
    return this.fault === undefined ? (BigInt(high) << 32n) | BigInt(low) : 0n;
  }

  bool(): boolean {
    const position = this.#position;
    return this.#take(1) && this.#bytes[position] !== 0;
  }

  /** Reads one byte, as a number from 0 to 255. */
  byte(): number {
    const position = this.#position;
    return this.#take(1) ? (this.#bytes[position] as number) : 0;
  }

  /** Reads so many bytes, which have no length before them. */
  bytes(length: number): Uint8Array {
    const position = this.#position;
    return this.#take(length) ? this.#bytes.subarray(position, position + length) : EMPTY;
  }

  /** Reads bytes; the length -1 means null. */
  buffer(): Uint8Array | null {
    const length = this.int32();
    if (length === -1 || this.fault !== undefined) return null;
    const position = this.#position;
    if (!this.#takeLength(length)) return null;
    return this.#bytes.subarray(position, position + length);
  }

  /** Reads a text; the length -1 means null. What is not UTF-8 in it becomes U+FFFD. */
  string(): string | null {
    const length = this.int32();
    if (length === -1 || this.fault !== undefined) return null;
    const start = this.#position;
    if (!this.#takeLength(length)) return null;
    const end = start + length;
    const bytes = this.#bytes;
    for (let index = start; index < end; index += 1) {
      if ((bytes[index] as number) >= 0x80) return this.#decodeUtf8(start, end);
    }
    return bytes.toString("latin1", start, end);
  }

  /** Reads how many elements of a vector follow, each of at least `elementBytesMin` bytes; -1 means null. */
  count(elementBytesMin: number): number | null {
    const count = this.int32();
    if (count === -1 || this.fault !== undefined) return null;
    if (count < 0 || count * elementBytesMin > this.left) {
      this.fault = "a count is negative or beyond the bytes";
      return null;
    }
    return count;
  }

  /** Makes this the fault, unless there is one already. Returns zero, as reads do from now on. */
  fail(fault: JuteFault): 0 {
    this.fault ??= fault;
    return 0;
  }

  #decodeUtf8(start: number, end: number): string {
    try {
      return strictUtf8.decode(this.#bytes.subarray(start, end));
    } catch {
      return javaText(this.#bytes, start, end);
    }
  }

  #takeLength(length: number): boolean {
    if (this.fault === undefined && length >= 0 && length <= this.left) {
      this.#position += length;
      return true;
    }
    this.fault ??= "a length is negative or beyond the bytes";
    return false;
  }

  #take(length: number): boolean {
    if (this.fault === undefined && length <= this.#end - this.#position) {
      this.#position += length;
      return true;
    }
    this.fault ??= "the bytes end too early";
    return false;
  }
}

const SLAB_BYTES = 64 * 1024;

/**
 * Writes fields one after the other. `take` returns what was written since the last `take`; those bytes are never written again.
 */
export class JuteWriter {
  #slab: Buffer = EMPTY;
  #start = 0;
  #position = 0;
  /** Whether `xid` writes 64 bits. */
  wideXids = false;

  /** How many bytes were written since the last `take`. */
  get length(): number {
    return this.#position - this.#start;
  }

  take(): Uint8Array {
    const taken = this.#slab.subarray(this.#start, this.#position);
    this.#start = this.#position;
    return taken;
  }

  int32(value: number): this {
    this.#ensure(4);
    this.#position = this.#putInt32(this.#position, value);
    return this;
  }

  /** Writes a safe integer as 64 bits. */
  int64(value: number): this {
    this.#ensure(8);
    this.#position = this.#putInt32(this.#position, Math.floor(value / 2 ** 32));
    this.#position = this.#putInt32(this.#position, value);
    return this;
  }

  int64Exact(value: bigint): this {
    return this.int32(Number(BigInt.asIntN(32, value >> 32n))).int32(
      Number(BigInt.asIntN(32, value)),
    );
  }

  /** Writes the number of a request, which has 32 bits unless the client wants 64. */
  xid(value: number): this {
    return this.wideXids ? this.int64(value) : this.int32(value);
  }

  bool(value: boolean): this {
    this.#ensure(1);
    this.#slab[this.#position] = value ? 1 : 0;
    this.#position += 1;
    return this;
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int32(-1);
    this.#ensure(4 + value.length);
    this.#position = this.#putInt32(this.#position, value.length);
    this.#slab.set(value, this.#position);
    this.#position += value.length;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int32(-1);
    this.#ensure(4 + 3 * value.length); // A UTF-16 unit takes at most three bytes in UTF-8.
    const written = this.#slab.write(value, this.#position + 4, "utf8");
    this.#position = this.#putInt32(this.#position, written) + written;
    return this;
  }

  /** Leaves four bytes for the length of a frame, and returns where they begin. `endFrame` fills them in. */
  beginFrame(): number {
    const start = this.length;
    this.int32(0);
    return start;
  }

  endFrame(start: number): void {
    this.#putInt32(this.#start + start, this.length - start - 4);
  }

  #putInt32(position: number, value: number): number {
    const slab = this.#slab;
    slab[position] = value >>> 24;
    slab[position + 1] = value >>> 16;
    slab[position + 2] = value >>> 8;
    slab[position + 3] = value;
    return position + 4;
  }

  /** Makes sure that `length` more bytes fit. If a new slab is needed, what was not yet taken moves into it. */
  #ensure(length: number): void {
    if (this.#position + length <= this.#slab.length) return;
    const kept = this.length;
    const needed = kept + length;
    const slab = Buffer.allocUnsafeSlow(needed * 2 > SLAB_BYTES ? needed * 2 : SLAB_BYTES);
    this.#slab.copy(slab, 0, this.#start, this.#position);
    this.#slab = slab;
    this.#start = 0;
    this.#position = kept;
  }
}

/** The same bytes with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
