/** Cuts a stream of bytes into the frames of ZooKeeper's protocol: a 32-bit length, then as many bytes. */
import { asBuffer } from "../jute.ts";

export type FrameFault = { readonly kind: "badLength"; readonly length: number };

/** A frame without its length: the bytes from `from` to below `to`. */
export type Frame = {
  readonly kind: "frame";
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
};

/** What has to be there of a frame that is too long: the header of a request. */
const FAULT_BYTES = 8;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Puts together what one connection reads from its socket, piece by piece. Between two reads it keeps at most one frame of the largest
 * length allowed and one read. Memory grows with the bytes that have come, not with the length that a frame announces.
 */
export class FrameReader {
  /** The bytes of the current read, or of several reads put together. */
  #bytes: Buffer = EMPTY;
  #position = 0;
  #end = 0;
  /** True if `#bytes` belongs to this reader and no frame of it was returned, so that it may be appended to. */
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

  /** Returns the next four bytes without consuming them; undefined if there are fewer. */
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

  /** Returns the signed number in the eight bytes behind the next `skipped` ones; undefined if they are not there yet. */
  peekInt64(skipped: number): bigint | undefined {
    if (this.buffered < skipped + 8) return undefined;
    const { buffer, byteOffset, byteLength } = this.#bytes;
    return new DataView(buffer, byteOffset, byteLength).getBigInt64(this.#position + skipped);
  }

  /**
   * Returns the next whole frame; undefined if more bytes are needed. The bytes of a frame are never written again. `uncounted`: it has so
   * many bytes more than its length says.
   */
  next(lengthMax: number, uncounted = 0): Frame | FrameFault | undefined {
    const length = this.peekInt32();
    if (length === undefined) return undefined;
    if (length < 0 || length > lengthMax) return { kind: "badLength", length };
    if (this.buffered < 4 + length + uncounted) return undefined;
    const from = this.#position + 4;
    const to = from + length + uncounted;
    this.#position = to;
    this.#appendable = false;
    return { kind: "frame", bytes: this.#bytes, from, to };
  }

  /** Whether `next` would return a frame, or a fault with the first eight bytes behind the length. */
  hasNext(lengthMax: number): boolean {
    const length = this.peekInt32();
    if (length === undefined) return false;
    return this.buffered >= 4 + (length > lengthMax ? FAULT_BYTES : length);
  }

  /** Throws away at most so many bytes. Returns how many there were. */
  skip(bytesMax: number): number {
    const count = Math.min(bytesMax, this.buffered);
    this.#position += count;
    return count;
  }

  /** To be called when no further frame is there: copies the rest, so that the large buffer of the read is not kept in memory. */
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
