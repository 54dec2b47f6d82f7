/** A smaller input that fails in the same way. */

const TRIES_MAX = 3000;

/** Takes away pieces, large ones first, as long as it still fails. Bounded: what is found is small, not smallest. */
export function minimise(
  input: Uint8Array,
  fails: (bytes: Uint8Array) => boolean,
  triesMax: number = TRIES_MAX,
): Uint8Array {
  let smallest = input;
  let tries = 0;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < smallest.length; ) {
      if (tries >= triesMax) return smallest;
      tries += 1;
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (fails(new Uint8Array(shorter))) smallest = new Uint8Array(shorter);
      else at += size;
    }
  }
  return smallest;
}
