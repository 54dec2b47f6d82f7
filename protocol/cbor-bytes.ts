/**
 * How many bytes `encodeCbor` makes of a value, exactly, without making them: batches are filled by it, so that a record never
 * comes out larger than it may be. A property test holds the two together.
 */
import { assert } from "./assert.ts";

const U32_MAX = 0xffff_ffff;
const DOUBLE_BYTES = 9;

/** Of null, a number, a text, a byte string, or an array of such. */
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

/** Integers of 32 bits and a sign are integers; all others are doubles. */
function bytesOfNumber(value: number): number {
  const argument = value < 0 ? -1 - value : value;
  return argument >>> 0 === argument ? bytesOfHead(argument) : DOUBLE_BYTES;
}

/** An item's first bytes: its kind with a number or a length. */
function bytesOfHead(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  assert(argument <= U32_MAX, "a length has 32 bits");
  return 5;
}

/** For short texts a call out of JavaScript costs more than the loop. */
const SHORT = 64;

function utf8Bytes(text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text, "utf8");
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text, "utf8");
  }
  return text.length;
}
