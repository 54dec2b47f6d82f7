/**
 * Computes how many bytes `encodeCbor` makes of a value, exactly and without encoding it. Submitters fill batches by it, so that no
 * record exceeds its limit. A property test compares it with `encodeCbor`.
 */
import { assert } from "./assert.ts";

const U32_MAX = 0xffff_ffff;
const DOUBLE_BYTES = 9;

/** Returns the encoded size of null, a number, a text, a byte string, or an array of these. */
export function cborBytes(value: unknown): number {
  if (value === null) return 1;
  if (typeof value === "number") return bytesOfNumber(value);
  if (typeof value === "string") {
    const length = utf8Bytes(value);
    return bytesOfHead(length) + length;
  }
  if (value instanceof Uint8Array) return bytesOfHead(value.length) + value.length;
  assert(Array.isArray(value), "a batch holds nothing else");
  let bytes = bytesOfHead(value.length);
  for (const each of value as readonly unknown[]) bytes += cborBytes(each);
  return bytes;
}

/** The encoder writes integers from -2^32 to 2^32 - 1 as integers and all other numbers as doubles. */
function bytesOfNumber(value: number): number {
  const argument = value < 0 ? -1 - value : value;
  return argument >>> 0 === argument ? bytesOfHead(argument) : DOUBLE_BYTES;
}

/** Returns the size of an item's head: its kind together with a number or a length. */
function bytesOfHead(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  assert(argument <= U32_MAX, "a length has 32 bits");
  return 5;
}

/** Up to this length a loop in JavaScript is cheaper than a call of native code. */
const SHORT = 64;

function utf8Bytes(text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text, "utf8");
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text, "utf8");
  }
  return text.length;
}
