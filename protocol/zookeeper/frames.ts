/** Frames of ZooKeeper's protocol from a stream of bytes: a 32-bit length, then so many bytes. */
import { asBuffer } from "../jute.ts";

export type FrameFault = { readonly kind: "badLength"; readonly length: number };

/** `from` the frame's first byte after its length, up to `to`. */
export type Frame = {
  readonly kind: "frame";
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
};

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Puts the chunks of one connection together. What it keeps between chunks is never more than one frame of the largest length
 * allowed and one chunk, and grows with what has come, not with what a length promises.
 */
export class FrameReader {
  /** The chunk being read, or the collected bytes of several. */
  #bytes: Buffer = EMPTY;
  #position = 0;
  #end = 0;
  /** True when `#bytes` is this reader's own and no frame of it has been handed out: it may be appended to. */
  #appendable = false;

  get buffered(): number {
    return this.#end - this.#position;
  }

  push(chunk: Uint8Array): void {
    const kept = this.buffered;
    if (kept === 0) {
      this.#bytes = asBuffer(chunk);
      this.#position = 0;
      this.#end = chunk.length;
      this.#appendable = false;
      return;
    }
    if (!this.#appendable || this.#end + chunk.length > this.#bytes.length) {
      this.#moveTo(Buffer.allocUnsafe(Math.max(kept + chunk.length, 2 * kept)));
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next four bytes, without taking them. */
  peekInt32(): number | undefined {
    if (this.buffered < 4) return undefined;
    const at = this.#position;
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  /** The next whole frame; undefined when more bytes are needed. A frame's bytes are never written again. */
  next(lengthMax: number): Frame | FrameFault | undefined {
    const length = this.peekInt32();
    if (length === undefined) return undefined;
    if (length < 0 || length > lengthMax) return { kind: "badLength", length };
    if (this.buffered < 4 + length) return undefined;
    const from = this.#position + 4;
    this.#position = from + length;
    this.#appendable = false;
    return { kind: "frame", bytes: this.#bytes, from, to: from + length };
  }

  /** True if `next` would give a frame or a fault. */
  hasNext(lengthMax: number): boolean {
    const length = this.peekInt32();
    return length !== undefined && (length > lengthMax || this.buffered >= 4 + length);
  }

  /** To be called when a chunk has been read: keeps a copy of the rest, so that the chunk itself is not held. */
  settle(): void {
    const kept = this.buffered;
    if (kept === 0) {
      this.#bytes = EMPTY;
      this.#position = 0;
      this.#end = 0;
    } else if (!this.#appendable) {
      this.#moveTo(Buffer.allocUnsafe(kept));
    }
  }

  #moveTo(bytes: Buffer): void {
    const kept = this.buffered;
    bytes.set(this.#bytes.subarray(this.#position, this.#end));
    this.#bytes = bytes;
    this.#position = 0;
    this.#end = kept;
    this.#appendable = true;
  }
}
