/**
 * As much of Node's Buffer as the actors and the simulator use, for browsers; the bundle has it under that name. A test compares it with
 * Node's. The packages that do the same decode bytes that are no UTF-8 in another way than Node does, and a run would be another one.
 */
type Encoding = "utf8" | "latin1" | "base64" | "hex";

type Source = string | ArrayBuffer | ArrayLike<number>;

type Statics = {
  readonly from: (source: Source, encodingOrOffset?: Encoding | number, length?: number) => Bytes;
  readonly alloc: (length: number) => Bytes;
  readonly allocUnsafe: (length: number) => Bytes;
  readonly allocUnsafeSlow: (length: number) => Bytes;
  readonly concat: (all: readonly Uint8Array[]) => Bytes;
  readonly compare: (one: Uint8Array, other: Uint8Array) => -1 | 0 | 1;
  readonly byteLength: (text: string, encoding?: Encoding) => number;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** As many arguments as every engine takes. */
const CODES_MAX = 8192;

class Bytes extends Uint8Array<ArrayBuffer> {
  constructor(source: number | ArrayBuffer | ArrayLike<number>, offset?: number, length?: number) {
    // All of these are arguments of the constructor, and its type has them one by one.
    super(source as ArrayBuffer, offset, length);
  }

  /** A view, as `subarray`: that of Node copies nothing. */
  override slice(start?: number, end?: number): Bytes {
    return this.subarray(start, end) as Bytes;
  }

  override toString(encoding: Encoding = "utf8", start = 0, end: number = this.length): string {
    const bytes = this.subarray(start, end);
    switch (encoding) {
      case "utf8":
        return decoder.decode(bytes);
      case "latin1":
        return latin1Of(bytes);
      case "base64":
        return btoa(latin1Of(bytes));
      case "hex":
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }

  /** Returns how many bytes were written: as many whole characters as there is space for. */
  write(text: string, start: number | Encoding = 0, encoding: Encoding = "utf8"): number {
    if (typeof start === "string") return this.write(text, 0, start);
    const space = this.subarray(start);
    if (encoding === "utf8") return encoder.encodeInto(text, space).written;
    const bytes = encode(text, encoding).subarray(0, space.length);
    space.set(bytes);
    return bytes.length;
  }

  copy(to: Uint8Array, at = 0, start = 0, end: number = this.length): number {
    const copied = this.subarray(start, Math.min(end, start + Math.max(0, to.length - at)));
    to.set(copied, at);
    return copied.length;
  }

  /** A text is sought as its bytes in UTF-8. */
  override indexOf(sought: number | string, from = 0): number {
    if (typeof sought === "number") return super.indexOf(sought, from);
    return latin1Of(this).indexOf(latin1Of(encode(sought, "utf8")), from);
  }

  override includes(sought: number | string, from = 0): boolean {
    return this.indexOf(sought, from) >= 0;
  }

  readUInt8(at = 0): number {
    return this.#view.getUint8(at);
  }

  readInt32BE(at = 0): number {
    return this.#view.getInt32(at);
  }

  writeInt32BE(value: number, at = 0): number {
    this.#view.setInt32(at, value);
    return at + 4;
  }

  readBigInt64BE(at = 0): bigint {
    return this.#view.getBigInt64(at);
  }

  writeBigInt64BE(value: bigint, at = 0): number {
    this.#view.setBigInt64(at, value);
    return at + 8;
  }

  get #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.length);
  }
}

function latin1Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CODES_MAX) {
    text += String.fromCharCode(...bytes.subarray(at, at + CODES_MAX));
  }
  return text;
}

function encode(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case "utf8":
      return encoder.encode(text);
    case "latin1":
      return Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
    case "base64":
      return encode(atob(text), "latin1");
    case "hex":
      throw new Error("nothing of the simulator reads hexadecimal digits");
  }
}

const STATICS: Statics = {
  from: (source, encodingOrOffset, length) => {
    if (source instanceof ArrayBuffer) {
      return new Bytes(source, Number(encodingOrOffset ?? 0), length);
    }
    if (typeof source !== "string") return new Bytes(source);
    const encoding = typeof encodingOrOffset === "string" ? encodingOrOffset : "utf8";
    const { buffer, byteOffset, length: encoded } = encode(source, encoding);
    return new Bytes(buffer, byteOffset, encoded);
  },
  alloc: (length) => new Bytes(length),
  allocUnsafe: (length) => new Bytes(length),
  allocUnsafeSlow: (length) => new Bytes(length),
  concat: (all) => {
    const joined = new Bytes(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of all) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  },
  compare: (one, other) => {
    const length = Math.min(one.length, other.length);
    for (let at = 0; at < length; at += 1) {
      const difference = (one[at] as number) - (other[at] as number);
      if (difference !== 0) return difference < 0 ? -1 : 1;
    }
    if (one.length === other.length) return 0;
    return one.length < other.length ? -1 : 1;
  },
  byteLength: (text, encoding = "utf8") => encode(text, encoding).length,
};

type BufferClass = (new (...given: ConstructorParameters<typeof Bytes>) => Bytes) & Statics;

export const Buffer: BufferClass = Object.assign(Bytes, STATICS);

/** Nothing is shared within one thread, and a page gets shared memory only from hosts that keep it apart from others. */
export const SharedArrayBuffer: typeof ArrayBuffer = ArrayBuffer;
