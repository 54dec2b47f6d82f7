/**
 * Text of bytes that are not UTF-8, as ZooKeeper's server reads it: each malformed sequence is replaced by U+FFFD. How many bytes a
 * sequence has is Java's choice (its `String`), and differs from that of `TextDecoder` for halves of pairs and at the end. No znode
 * has such a path, since U+FFFD is not allowed in one; but a `sync` and the events of watches tell it to the client again.
 */

/** U+FFFD in UTF-8. */
const REPLACEMENT: readonly number[] = [0xef, 0xbf, 0xbd];
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the text of the bytes from `start` to `end`. */
export function javaText(bytes: Uint8Array, start: number, end: number): string {
  const wellFormed = new Uint8Array((end - start) * REPLACEMENT.length);
  let length = 0;
  for (let at = start; at < end; ) {
    const sequence = sequenceLength(bytes, at, end);
    if (sequence < 0) {
      wellFormed.set(REPLACEMENT, length);
      length += REPLACEMENT.length;
    }
    for (let index = 0; index < sequence; index += 1) {
      wellFormed[length] = bytes[at + index] as number;
      length += 1;
    }
    at += Math.abs(sequence);
  }
  return utf8.decode(wellFormed.subarray(0, length));
}

/** Returns how many bytes the sequence at `at` has; below zero if it is malformed. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf7) return -1;
  if (first < 0xe0) return isContinued(bytes, at + 1, end) ? 2 : -1;
  return first < 0xf0 ? lengthOfThree(bytes, at, end) : lengthOfFour(bytes, at, end);
}

function lengthOfThree(bytes: Uint8Array, at: number, end: number): number {
  const [first, second] = [bytes[at] as number, bytes[at + 1] as number];
  const left = end - at;
  if (left === 1) return -1;
  const isOverlong = first === 0xe0 && second < 0xa0;
  if (isOverlong || !isContinued(bytes, at + 1, end)) return -1;
  if (!isContinued(bytes, at + 2, end)) return -2;
  const isHalfOfPair = first === 0xed && second >= 0xa0;
  return isHalfOfPair ? -3 : 3;
}

function lengthOfFour(bytes: Uint8Array, at: number, end: number): number {
  const [first, second] = [bytes[at] as number, bytes[at + 1] as number];
  if (first > 0xf4 || end - at === 1) return -1;
  const isOverlong = first === 0xf0 && second < 0x90;
  const isTooLarge = first === 0xf4 && second >= 0x90;
  if (isOverlong || isTooLarge || !isContinued(bytes, at + 1, end)) return -1;
  if (!isContinued(bytes, at + 2, end)) return -2;
  return isContinued(bytes, at + 3, end) ? 4 : -3;
}

function isContinued(bytes: Uint8Array, at: number, end: number): boolean {
  return at < end && ((bytes[at] as number) & 0xc0) === 0x80;
}
