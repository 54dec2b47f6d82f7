/**
 * The hash of a znode's name within its parent: HalfSipHash-1-3 (Aumasson, Bernstein: SipHash, 2012; the half is the one of Linux for
 * its hash tables). Clients choose the names, so without the secret key they could choose names that all have one hash.
 */
export const HASH_KEY_BYTES = 8;

export class NameHash {
  readonly #key0: number;
  readonly #key1: number;

  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, HASH_KEY_BYTES);
    this.#key0 = view.getInt32(0, true);
    this.#key1 = view.getInt32(4, true);
  }

  /** Returns 31 bits, which V8 keeps as a small integer. The message is the parent's number followed by the bytes from `start` to `end`. */
  of(parent: number, bytes: Uint8Array, start: number, end: number): number {
    const key0 = this.#key0;
    const key1 = this.#key1;
    let v0 = key0;
    let v1 = key1;
    let v2 = key0 ^ 0x6c79_6765;
    let v3 = key1 ^ 0x7465_6462;
    const tail = end - ((end - start) & 3);
    let word = parent | 0;
    let at = start;
    // The first word is the parent; the last has the bytes that are left over and the length; three more rounds follow it.
    for (let left = ((tail - start) >> 2) + 5; left > 0; left -= 1) {
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (left > 5) {
        word = wordAt(bytes, at);
        at += 4;
      } else if (left === 5) {
        word = tailWord(bytes, tail, end, end - start);
      } else {
        word = 0;
        if (left === 4) v2 ^= 0xff;
      }
    }
    return (v1 ^ v3) & 0x7fff_ffff;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function tailWord(bytes: Uint8Array, tail: number, end: number, length: number): number {
  let word = length << 24;
  for (let at = tail, shift = 0; at < end; at += 1, shift += 8) {
    word |= (bytes[at] as number) << shift;
  }
  return word;
}
