/** Sees the frames in bytes that pass by: each has four bytes that say how long it is. */

/** Bytes of a frame that are looked at. What is behind them is passed over: no request that writes is longer by default. */
const SEEN_BYTES_MAX: number = 1024 * 1024 + 1024;
const LENGTH_BYTES = 4;

export class FrameTap {
  readonly #seen: (frame: Buffer) => void;
  #pieces: Buffer[] = [];
  #kept = 0;
  /** Bytes of the present frame that are still to come; undefined: its length is not known yet. */
  #left: number | undefined;

  /** `seen` is called with each frame without its length; a view that nobody may keep. */
  constructor(seen: (frame: Buffer) => void) {
    this.#seen = seen;
  }

  /** Returns false if the bytes are no frames. */
  take(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === undefined) {
        at += this.#keep(bytes.subarray(at, at + LENGTH_BYTES - this.#kept));
        if (this.#kept < LENGTH_BYTES) return true;
        this.#left = this.#whole().readInt32BE();
        this.#empty();
        if (this.#left < 0) return false;
      }
      const piece = bytes.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      if (this.#kept < SEEN_BYTES_MAX) this.#keep(piece);
      if (this.#left > 0) return true;
      this.#left = undefined;
      const frame = this.#whole();
      this.#empty();
      this.#seen(frame);
    }
    return true;
  }

  #keep(piece: Buffer): number {
    this.#pieces.push(piece);
    this.#kept += piece.length;
    return piece.length;
  }

  #whole(): Buffer {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
  }

  #empty(): void {
    this.#pieces = [];
    this.#kept = 0;
  }
}
